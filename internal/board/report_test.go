package board

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// certificate makes one that signs itself.
func certificate(t *testing.T) (text string, parsed *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, DNSNames: []string{"rec.ns"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if parsed, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), parsed
}

func trusts(d Data, c *x509.Certificate) bool {
	_, err := c.Verify(x509.VerifyOptions{Roots: d.Roots()})
	return err == nil
}

func TestOnlyWhatWasReadBesideANodeOrVouchedForIsTrusted(t *testing.T) {
	text, parsed := certificate(t)
	if trusts(Data{}, parsed) {
		t.Error("a certificate that nobody knows is trusted")
	}
	if !trusts(Data{Key("rec-0"): Report{Certificate: text}.String()}, parsed) {
		t.Error("what a bootstrapper has read is not trusted")
	}
	if !trusts(Data{names.BoardTrusted: text}, parsed) {
		t.Error("what a person vouches for is not trusted")
	}
}

func TestMembersAreAskedWhileNoPodSaysAnything(t *testing.T) {
	d := Data{names.BoardMembers: "10.0.0.2,10.0.0.1"}
	if got := d.Addresses(); !slices.Equal(got, []string{"10.0.0.2", "10.0.0.1"}) {
		t.Errorf("%v", got)
	}
	d[Key("rec-0")] = Report{Address: "10.0.0.9"}.String()
	if got := d.Addresses(); !slices.Equal(got, []string{"10.0.0.9"}) {
		t.Errorf("%v", got)
	}
}
