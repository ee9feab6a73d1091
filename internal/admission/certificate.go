package admission

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// Validity of a pair that we make, and how long before its end it is made anew.
const (
	validity    = 5 * 365 * 24 * time.Hour
	renewBefore = 90 * 24 * time.Hour
	clockSkew   = time.Hour
)

// pair is a serving certificate with its key, as PEM. The certificate signs itself, so it is its own CA bundle.
type pair struct {
	certificate []byte
	key         []byte
}

// serverNames are the names under which the API server calls the Service (INST-23).
func serverNames(service, namespace string) []string {
	base := service + "." + namespace
	return []string{base, base + ".svc", base + ".svc.cluster.local"}
}

// newPair makes a pair with a fresh key.
func newPair(names []string, now time.Time) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return pair{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: names[1]},
		DNSNames:              names,
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(validity),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return pair{}, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return pair{}, err
	}
	return pair{
		certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}, nil
}

// load reads a pair that is to be served under the names and says what is wrong with it, if anything is.
func (p pair) load(names []string, now time.Time) (tls.Certificate, error) {
	loaded, err := p.read(now)
	if loaded.Leaf == nil {
		return loaded, err
	}
	if err := loaded.Leaf.VerifyHostname(names[1]); err != nil {
		return tls.Certificate{}, err
	}
	return loaded, err
}

// read reads a pair that has not ended.
func (p pair) read(now time.Time) (tls.Certificate, error) {
	if len(p.certificate) == 0 || len(p.key) == 0 {
		return tls.Certificate{}, errors.New("the certificate or its key is missing")
	}
	loaded, err := tls.X509KeyPair(p.certificate, p.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf := loaded.Leaf
	if leaf == nil {
		if leaf, err = x509.ParseCertificate(loaded.Certificate[0]); err != nil {
			return tls.Certificate{}, err
		}
		loaded.Leaf = leaf
	}
	if !now.Before(leaf.NotAfter) {
		return loaded, fmt.Errorf("the certificate ended at %s", leaf.NotAfter.Format(time.RFC3339))
	}
	return loaded, nil
}

// dueForRenewal reports whether a usable certificate is near its end.
func dueForRenewal(c tls.Certificate, now time.Time) bool {
	return c.Leaf != nil && now.Add(renewBefore).After(c.Leaf.NotAfter)
}
