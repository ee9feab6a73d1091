package remotecluster

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// fingerprintPrefix names the digest in a fingerprint.
const fingerprintPrefix = "sha256:"

// trust is what a connection must show before anything is sent over it: a certificate of roots (nil: those of the
// system) for one of names.
type trust struct {
	roots *x509.CertPool
	names []string
}

// judge says what to trust of a cluster, having seen the chain that answers; or, if nothing, what was found. In this order:
// the certificates in the Secret, or those of the local cluster, and then no others; the system's for the host name; the
// one that was pinned. Without a pin, this is the first contact.
func judge(t Target, chain []*x509.Certificate, known bool, now time.Time) (trust, *Result) {
	both := []string{t.Host, t.Cluster}
	leaf := chain[0]
	switch {
	case len(t.CA) > 0:
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(t.CA)
		return accept(t, trust{roots, both}, chain, now, fmt.Sprintf("which %s does not vouch for", authority(t)))
	case known:
		return trust{names: []string{t.Host}}, nil
	case t.Pin == "":
		own := trust{pool(chain[len(chain)-1]), both}
		if _, refused := accept(t, own, chain, now, fmt.Sprintf("which is not one of %s; is TLS passed through to the cluster?", t.Cluster)); refused != nil {
			return trust{}, refused
		}
		return trust{}, &Result{Finding: FirstContact, Fingerprint: fingerprint(leaf)}
	case t.Pin != digest(fingerprint(leaf)):
		return trust{}, foreign(t, leaf, fmt.Sprintf("which is not the one in annotation %s; if it was renewed, put its fingerprint there or remove the annotation, and give Secret %s the key %s to be spared this the next time",
			names.AnnotationCertificate, t.Secret, names.CAKey))
	}
	return accept(t, trust{pool(leaf), both}, chain, now, "which is pinned and names neither "+t.Host+" nor "+t.Cluster)
}

// accept returns the trust if the chain satisfies it, and otherwise why not.
func accept(t Target, with trust, chain []*x509.Certificate, now time.Time, why string) (trust, *Result) {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	fits := func(name string) bool {
		_, err := chain[0].Verify(x509.VerifyOptions{DNSName: name, Roots: with.roots, Intermediates: between, CurrentTime: now})
		return err == nil
	}
	switch {
	case slices.ContainsFunc(with.names, fits):
		return with, nil
	case now.After(chain[0].NotAfter):
		why = "which expired on " + chain[0].NotAfter.UTC().Format(time.DateOnly)
	case now.Before(chain[0].NotBefore):
		why = "which is not valid before " + chain[0].NotBefore.UTC().Format(time.DateOnly)
	}
	return trust{}, foreign(t, chain[0], why)
}

func foreign(t Target, leaf *x509.Certificate, why string) *Result {
	return &Result{Finding: Foreign, Message: fmt.Sprintf("%s shows certificate %s of %s, %s; no credentials were sent", t.address(), fingerprint(leaf), subject(leaf), why)}
}

func authority(t Target) string {
	if t.Local {
		return "the local cluster"
	}
	return names.CAKey + " of Secret " + t.Secret
}

func pool(c *x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(c)
	return p
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return fingerprintPrefix + hex.EncodeToString(sum[:])
}

func subject(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	return strings.Join(c.DNSNames, ", ")
}
