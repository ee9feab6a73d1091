package emulator

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/discovery"
	"github.com/open-redis-enterprise/operator/internal/emulator/metrics"
	"github.com/open-redis-enterprise/operator/internal/emulator/ui"
)

// listen takes the node's ports, so that a port in use is an error of New.
func (n *Node) listen() error {
	admin := api.New(api.Options{
		Engine: surface{n}, Faults: n.cfg.Faults, FaultsAPI: n.cfg.FaultsAPI, OnRequest: n.cfg.OnRequest,
		Logger: n.log, Transport: n.transport, Now: n.cfg.Now,
	})
	err := n.listenTLS(n.cfg.Ports.API, "api", admin)
	if err == nil {
		err = n.listenTLS(n.cfg.Ports.UI, "cm", ui.Handler(n.facts))
	}
	if err == nil {
		err = n.listenTLS(n.cfg.Ports.Metrics, "metrics_exporter", metrics.Handler(metricSource{n}))
	}
	if err == nil {
		n.discovery, err = discovery.Listen(hostPort(n.cfg.Bind, n.cfg.Ports.Discovery), directory{n})
	}
	return err
}

func (n *Node) listenTLS(port int, certificate string, h http.Handler) error {
	l, err := (&net.ListenConfig{}).Listen(n.ctx, "tcp", hostPort(n.cfg.Bind, port))
	if err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	n.listeners = append(n.listeners, l)
	n.servers = append(n.servers, &http.Server{
		Handler: h, TLSConfig: n.tlsFor(certificate), ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	})
	return nil
}

// serve starts answering on all ports.
func (n *Node) serve() {
	for i, s := range n.servers {
		l := tls.NewListener(n.listeners[i], s.TLSConfig)
		n.wg.Go(func() { _ = s.Serve(l) })
	}
}

// peerTLS is for calls to other nodes' admin API. Before a node is in the cluster nothing tells it which certificate
// to expect there: the join request of the product carries none either. Afterwards calls go to the port between nodes.
func (n *Node) peerTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true} //nolint:gosec // see above
}
