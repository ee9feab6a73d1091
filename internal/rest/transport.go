package rest

import (
	"context"
	"crypto/tls"
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
	raw, err := (&net.Dialer{}).DialContext(ctx, network, address)
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
