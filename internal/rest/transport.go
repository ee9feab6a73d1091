package rest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// dialError marks a failure before any byte of a request was written.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

// neverSent tells whether err is certain to come from before the request was written.
func neverSent(err error) bool {
	var d *dialError
	if errors.As(err, &d) {
		return true
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// newTransport makes the pool of connections. The TLS configuration is built at each dial, because the certificates
// to trust can change.
func newTransport(opts Options) *http.Transport {
	return &http.Transport{
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, opts, network, address)
			if err != nil {
				return nil, &dialError{err}
			}
			return conn, nil
		},
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, &dialError{errors.New("only TLS is spoken to the admin API")}
		},
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     90 * time.Second,
	}
}

func dial(ctx context.Context, opts Options, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, opts.DialTimeout)
	defer cancel()
	config, err := tlsConfig(opts, address)
	if err != nil {
		return nil, err
	}
	connect := opts.Dial
	if connect == nil {
		connect = (&net.Dialer{}).DialContext
	}
	raw, err := connect(ctx, network, address)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, ignoreClosed(raw.Close()))
	}
	return conn, nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func tlsConfig(opts Options, address string) (*tls.Config, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: opts.ServerName}
	if config.ServerName == "" {
		config.ServerName = host
	}
	if opts.RootCAs != nil {
		config.RootCAs = opts.RootCAs()
	}
	if len(opts.Names) > 0 {
		// The library looks for the name that it asked for and cannot be told another, so its check gives way to the same
		// check with other names. It is made for every connection, before a byte of a request is written.
		config.ServerName = host
		config.InsecureSkipVerify = true
		config.VerifyConnection = verifyAs(config.RootCAs, opts.Names)
		return config, nil
	}
	if opts.TrustLoopback {
		ip := net.ParseIP(host)
		if ip == nil || !ip.IsLoopback() {
			return nil, fmt.Errorf("%s is no loopback address, so its certificate must be verified", host)
		}
		// First contact from beside the node: nobody else can listen on its loopback address, and the certificate
		// is not known to anyone yet. The address was checked above.
		config.InsecureSkipVerify = true
	}
	return config, nil
}

// verifyAs checks a chain as the library does, for the first of several names that the certificate carries.
func verifyAs(roots *x509.CertPool, names []string) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		chain := state.PeerCertificates
		if len(chain) == 0 {
			return errors.New("the server shows no certificate")
		}
		between := x509.NewCertPool()
		for _, c := range chain[1:] {
			between.AddCert(c)
		}
		var refused []error
		for _, name := range names {
			_, err := chain[0].Verify(x509.VerifyOptions{DNSName: name, Roots: roots, Intermediates: between})
			if err == nil {
				return nil
			}
			refused = append(refused, err)
		}
		return &tls.CertificateVerificationError{UnverifiedCertificates: chain, Err: errors.Join(refused...)}
	}
}
