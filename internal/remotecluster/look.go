package remotecluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/open-redis-enterprise/operator/internal/reach"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// look asks the cluster behind a target who it is. It sends credentials only over a connection whose certificate is
// trusted. The error is that of the call with credentials, if it came to one.
func look(ctx context.Context, dial reach.Dial, t Target, now func() time.Time) (Result, error) {
	chain, known, silent := handshake(ctx, dial, t)
	if silent != nil {
		return *silent, nil
	}
	trusted, refused := judge(t, chain, known, now())
	if refused != nil {
		return *refused, nil
	}
	return ask(ctx, dial, t, trusted, now)
}

// handshake fetches the chain that answers, and whether the system's certificates vouch for it under the host name.
func handshake(ctx context.Context, dial reach.Dial, t Target) (chain []*x509.Certificate, known bool, silent *Result) {
	raw, err := dial(ctx, "tcp", t.address())
	if err != nil {
		return nil, false, unconnected(t, err)
	}
	defer func() { _ = raw.Close() }() // nothing was sent that could get lost
	conn := tls.Client(raw, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.Host})
	err = conn.HandshakeContext(ctx)
	var refused *tls.CertificateVerificationError
	switch {
	case err == nil:
		return conn.ConnectionState().PeerCertificates, true, nil
	case errors.As(err, &refused) && len(refused.UnverifiedCertificates) > 0:
		return refused.UnverifiedCertificates, false, nil
	}
	return nil, false, &Result{Finding: Unreachable, Message: fmt.Sprintf("%s answers, but not with TLS for %s%s; look whether its router, ingress controller or gateway leads this name to the cluster", t.address(), t.Host, reach.Sort(err))}
}

// ask reads name, versions and clock.
func ask(ctx context.Context, dial reach.Dial, t Target, trusted trust, now func() time.Time) (Result, error) {
	clock := &meter{now: now}
	api := rest.New(rest.Options{
		Addresses: func() []string { return []string{t.address()} }, Names: trusted.names, Dial: dial,
		RootCAs:     func() *x509.CertPool { return trusted.roots },
		Credentials: func() rest.Credentials { return t.Credentials },
		Middleware:  []rest.Middleware{clock.middleware},
	})
	defer api.Close()
	only := api.At(t.address()) // another address is inside the other network, and has not been judged
	cluster, err := only.GetCluster(ctx)
	if err != nil {
		return refusal(t, err), err
	}
	if name := rest.Value(cluster.Name); !strings.EqualFold(name, t.Cluster) {
		return Result{Finding: Stranger, Message: fmt.Sprintf("the cluster at %s is %s, not %s; spec.apiFqdnUrl or spec.recName and spec.recNamespace are those of another cluster", t.address(), name, t.Cluster)}, nil
	}
	nodes, err := only.ListNodes(ctx)
	if err != nil {
		return refusal(t, err), err
	}
	return Result{Finding: Reached, Version: lowest(nodes), Skew: clock.skew, SecretVersion: t.SecretVersion}, nil
}

// refusal puts the error of a call in words that do not change with ports and times.
func refusal(t Target, err error) Result {
	answer, answered := rest.As(err)
	switch {
	case rest.IsUnauthorized(err):
		return Result{Finding: Denied, Message: fmt.Sprintf("%s does not accept the user name and password in Secret %s; write those of the cluster's administrator into it", t.address(), t.Secret)}
	case rest.IsForbidden(err):
		return Result{Finding: Denied, Message: fmt.Sprintf("the account in Secret %s may not read the cluster at %s; it must be an administrator's", t.Secret, t.address())}
	case answered && answer.Status == http.StatusTemporaryRedirect:
		return Result{Finding: Unready, Message: fmt.Sprintf("%s points to another node, which cannot be reached from outside; the cluster must have handle_redirects on", t.address())}
	case answered:
		return Result{Finding: Unready, Message: fmt.Sprintf("%s answers and cannot serve: %d %s", t.address(), answer.Status, answer.Code)}
	}
	return Result{Finding: Unreachable, Message: fmt.Sprintf("%s does not answer a call of the admin API%s", t.address(), reach.Sort(err))}
}

// unconnected puts a dial error in such words.
func unconnected(t Target, err error) *Result {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return &Result{Finding: Unresolved, Message: fmt.Sprintf("%s does not resolve here; give it a DNS record that every participating cluster sees", t.Host)}
	}
	return &Result{Finding: Unreachable, Message: fmt.Sprintf("%s cannot be connected to%s", t.address(), reach.Sort(err))}
}

// meter measures how far ahead the clock at the other end is.
type meter struct {
	now  func() time.Time
	skew time.Duration
}

// middleware reads the date of an answer. It has been cut to seconds on its way out, and was written about half-way
// between question and answer.
func (m *meter) middleware(next http.RoundTripper) http.RoundTripper {
	return rest.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		asked := m.now()
		resp, err := next.RoundTrip(req)
		if err != nil {
			return resp, err
		}
		if date, bad := http.ParseTime(resp.Header.Get("Date")); bad == nil {
			answered := m.now()
			m.skew = date.Add(time.Second / 2).Sub(asked.Add(answered.Sub(asked) / 2))
		}
		return resp, nil
	})
}
