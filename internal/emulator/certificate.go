package emulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// Names of the certificates a cluster makes for itself.
var ownCertificates = []string{"api", "cm", "metrics_exporter", "proxy", "syncer", "ccs_internode_encryption", "data_internode_encryption"}

// selfSigned makes a certificate for some names and addresses, in the form the configuration keeps it.
func selfSigned(name, subject string, dns []string, ips []net.IP, now time.Time) (api.Object, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: subject, OrganizationalUnit: []string{name}},
		DNSNames: dns, IPAddresses: ips,
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return api.Object{
		"name":        name,
		"certificate": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		"key":         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})),
	}, nil
}

// clusterCertificate makes a certificate for a cluster and everything below its name.
func clusterCertificate(name, cluster string, now time.Time) (api.Object, error) {
	return selfSigned(name, cluster, []string{cluster, "*." + cluster}, nil, now)
}

// keyPair turns a stored certificate into one that TLS can use, and remembers the last it made.
type keyPair struct {
	mu   sync.Mutex
	text string
	pair *tls.Certificate
}

func (k *keyPair) of(o api.Object) (*tls.Certificate, error) {
	cert, key := schema.TextOf(o, "certificate"), schema.TextOf(o, "key")
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pair != nil && k.text == cert+key {
		return k.pair, nil
	}
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", schema.TextOf(o, "name"), err)
	}
	k.pair, k.text = &pair, cert+key
	return k.pair, nil
}
