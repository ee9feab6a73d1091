package admission

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// shutdownLimit is how long open reviews may take to end when the process is told to stop.
const shutdownLimit = 10 * time.Second

// Server serves reviews over HTTPS with the keeper's certificate, which may change while it runs.
type Server struct {
	Keeper  *Keeper
	Handler http.Handler
	Log     logr.Logger
	// Profile, if set, makes the TLS of the server follow a profile that may change.
	Profile func(*tls.Config)
	// Address to listen on, such as ":8443".
	Address string

	mu     sync.Mutex
	listen net.Addr
}

// NeedLeaderElection is false: all replicas serve.
func (s *Server) NeedLeaderElection() bool { return false }

// Start serves until the context ends.
func (s *Server) Start(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.Address)
	if err != nil {
		return fmt.Errorf("admission server: %w", err)
	}
	s.mu.Lock()
	s.listen = listener.Addr()
	s.mu.Unlock()
	server := &http.Server{
		Handler:           s.routes(),
		TLSConfig:         s.tls(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          log.New(quietly{s.Log}, "", 0),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ServeTLS(listener, "", "") }()
	s.Log.Info("admission server listens", "address", listener.Addr().String())
	select {
	case err := <-failed:
		return fmt.Errorf("admission server: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownLimit)
	defer cancel()
	err = server.Shutdown(stop)
	if ended := <-failed; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// quietly keeps what clients do wrong (a port scan, a broken handshake) out of the log at the usual level.
type quietly struct{ log logr.Logger }

func (q quietly) Write(line []byte) (int, error) {
	q.log.V(1).Info(string(bytes.TrimSpace(line)))
	return len(line), nil
}

func (s *Server) tls() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.certificate, NextProtos: []string{"h2", "http/1.1"}}
	if s.Profile != nil {
		s.Profile(config)
	}
	return config
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(names.AdmissionPath, s.Handler)
	mux.HandleFunc("/liveness", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("/readiness", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	return mux
}

func (s *Server) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c := s.Keeper.Certificate(); c != nil {
		return c, nil
	}
	return nil, errors.New("no certificate yet")
}

// Addr is where the server listens; nil before Start.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listen
}

// Ready is a health check that asks this server the way the API server would: TLS verified against the certificate, under
// the name it was made for, then a request.
func (s *Server) Ready(r *http.Request) error {
	address, certificate := s.Addr(), s.Keeper.Certificate()
	if address == nil || certificate == nil {
		return errors.New("admission: not serving yet")
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate.Leaf)
	_, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return err
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots, ServerName: serverName(certificate, s.Keeper.names()[1]), MinVersion: tls.VersionTLS12},
	}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+net.JoinHostPort(loopback(address), port)+"/readiness", nil)
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("admission: %w", err)
	}
	return response.Body.Close()
}

// serverName is the Service's name if the certificate knows it. A mounted one is made for another Service.
func serverName(certificate *tls.Certificate, service string) string {
	if certificate.Leaf.VerifyHostname(service) == nil || len(certificate.Leaf.DNSNames) == 0 {
		return service
	}
	return certificate.Leaf.DNSNames[0]
}

// loopback is the address on which this process reaches its own listener.
func loopback(listen net.Addr) string {
	if tcp, ok := listen.(*net.TCPAddr); ok && !tcp.IP.IsUnspecified() {
		return tcp.IP.String()
	}
	return "localhost"
}
