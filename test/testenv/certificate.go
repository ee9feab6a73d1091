package testenv

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
)

// Files in an environment's folder.
const (
	authorityFile     = "ca.crt"
	serverCertificate = "apiserver.crt"
	serverKey         = "apiserver.key"
	accountKey        = "serviceaccount.key"
)

const (
	lifetime       = 24 * time.Hour
	clockTolerance = time.Hour
	onlyForOwner   = 0o600
)

// authority signs the certificates of one environment.
type authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
	pem         []byte
}

// newAuthority makes an authority and, in folder, all files the API server needs.
func newAuthority(folder, address string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := template("testenv")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	a := &authority{key: key, certificate: certificate, pem: encode("CERTIFICATE", der)}
	return a, a.writeFiles(folder, address)
}

func (a *authority) writeFiles(folder, address string) error {
	server := template("kube-apiserver")
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	server.IPAddresses = []net.IP{net.ParseIP(address)}
	server.DNSNames = []string{"localhost", "kubernetes.default.svc"}
	certificate, key, err := a.sign(server)
	if err != nil {
		return err
	}
	_, account, err := a.sign(template("service accounts"))
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		authorityFile: a.pem, serverCertificate: certificate, serverKey: key, accountKey: account,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), content, onlyForOwner); err != nil {
			return err
		}
	}
	return nil
}

// adminConfig reaches an API server as a member of system:masters.
func (a *authority) adminConfig(host string) (*rest.Config, error) {
	admin := template("admin")
	admin.Subject.Organization = []string{"system:masters"}
	admin.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	certificate, key, err := a.sign(admin)
	if err != nil {
		return nil, err
	}
	return &rest.Config{
		Host:  host,
		QPS:   -1, // tests are not slowed down
		Burst: -1,
		TLSClientConfig: rest.TLSClientConfig{
			CAData: a.pem, CertData: certificate, KeyData: key,
		},
	}, nil
}

func template(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-clockTolerance),
		NotAfter:     time.Now().Add(lifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

// sign returns a certificate and its new key, both as PEM.
func (a *authority) sign(template *x509.Certificate) (certificate, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, private.Public(), a.key)
	if err != nil {
		return nil, nil, err
	}
	raw, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return encode("CERTIFICATE", der), encode("EC PRIVATE KEY", raw), nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
