package reach

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"strings"
)

// Port is where ways in are, whatever leads in.
const Port = "443"

// Target is a way in, and whose certificate is at its end.
type Target struct {
	// Way is what leads in; another one is another target.
	Way string
	// Host is the name that clients resolve and ask for in the handshake.
	Host string
	// Addresses are tried when the name does not resolve.
	Addresses []string
	// CA are the certificates of the cluster in PEM, and ServerName is the name in them.
	CA         []byte
	ServerName string
}

// same tells whether what is known of one is true of the other until somebody looks: only the means have changed.
func (t Target) same(o Target) bool { return t.Way == o.Way && t.Host == o.Host }

func (t Target) equal(o Target) bool {
	return t.same(o) && t.ServerName == o.ServerName && bytes.Equal(t.CA, o.CA) && strings.Join(t.Addresses, " ") == strings.Join(o.Addresses, " ")
}

// Finding is what a look comes to.
type Finding string

// The findings. Only Reached is good.
const (
	// NotYet means: nobody has looked yet.
	NotYet Finding = "NotYet"
	// Reached means: the cluster's own certificate answered.
	Reached Finding = "Reached"
	// Unresolved means: the host name has no address, and no other address is known.
	Unresolved Finding = "Unresolved"
	// Unreachable means: there is an address, and nothing that speaks TLS behind it.
	Unreachable Finding = "Unreachable"
	// Foreign means: somebody else's certificate answered.
	Foreign Finding = "Foreign"
)

// Result is a finding and the sentence that says what to do. Its words stay the same as long as the facts do.
type Result struct {
	Finding Finding
	Message string
}

// Dial opens a connection, as net.Dialer does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// look tries the name, and then the known addresses if the name does not resolve.
func look(ctx context.Context, dial Dial, t Target) Result {
	result := knock(ctx, dial, t, t.Host)
	if result.Finding != Unresolved {
		return result
	}
	for _, address := range t.Addresses {
		if at := knock(ctx, dial, t, address); at.Finding != Unresolved {
			if at.Finding == Reached {
				at.Message = fmt.Sprintf("%s does not resolve here; it was reached at %s: let DNS point there", t.Host, address)
			}
			return at
		}
	}
	return result
}

// knock makes one handshake.
func knock(ctx context.Context, dial Dial, t Target, at string) Result {
	conn, err := dial(ctx, "tcp", net.JoinHostPort(at, Port))
	if err != nil {
		return failed(t, at, err)
	}
	defer func() { _ = conn.Close() }() // nothing was sent that could get lost
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(t.CA)
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.Host, RootCAs: roots}
	err = tls.Client(conn, config).HandshakeContext(ctx)
	var refused *tls.CertificateVerificationError
	switch {
	case err == nil:
		return Result{Finding: Reached}
	case errors.As(err, &refused):
		// The certificate need not carry the name that the outside uses. Whether it is the cluster's is what counts.
		if own(t, refused.UnverifiedCertificates) {
			return Result{Finding: Reached}
		}
		return Result{Foreign, fmt.Sprintf("at %s:%s answers the certificate of %s, which is not this cluster's; let TLS for this name pass through to the cluster", t.Host, Port, subject(refused.UnverifiedCertificates))}
	}
	return Result{Unreachable, fmt.Sprintf("%s:%s answers, but not with TLS for %s%s; look whether the proxy has taken up the object and passes TLS through", at, Port, t.Host, Sort(err))}
}

// own tells whether a chain is the cluster's: one of its certificates, or signed by one of them for its name.
func own(t Target, chain []*x509.Certificate) bool {
	if len(chain) == 0 {
		return false
	}
	roots, rest := x509.NewCertPool(), t.CA
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if bytes.Equal(block.Bytes, chain[0].Raw) {
			return true
		}
	}
	roots.AppendCertsFromPEM(t.CA)
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{DNSName: t.ServerName, Roots: roots, Intermediates: between})
	return err == nil
}

func subject(chain []*x509.Certificate) string {
	if len(chain) == 0 {
		return "nobody"
	}
	if name := chain[0].Subject.CommonName; name != "" {
		return name
	}
	return strings.Join(chain[0].DNSNames, ", ")
}

// failed puts a dial error in words that do not change with ports and times.
func failed(t Target, at string, err error) Result {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		if len(t.Addresses) == 0 {
			return Result{Unresolved, fmt.Sprintf("%s does not resolve and no address of it is known yet; give it a DNS record that points at the router, ingress controller or gateway", t.Host)}
		}
		return Result{Unresolved, fmt.Sprintf("%s does not resolve; give it a DNS record for %s", t.Host, strings.Join(t.Addresses, ", "))}
	}
	return Result{Unreachable, fmt.Sprintf("%s:%s cannot be connected to%s; look whether the router, ingress controller or gateway runs and its port is open", at, Port, Sort(err))}
}

// Sort names the sort of a network error in a few steady words, in brackets; nothing when it is of no known sort.
func Sort(err error) string {
	var timeout net.Error
	switch text := err.Error(); {
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return " (no answer in time)"
	case strings.Contains(text, "refused"):
		return " (refused)"
	case strings.Contains(text, "EOF"), strings.Contains(text, "reset"):
		return " (closed)"
	case strings.Contains(text, "no route"), strings.Contains(text, "unreachable"):
		return " (no route)"
	}
	return ""
}
