package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// server is a Prometheus that runs until its context ends.
type server struct {
	url string
	cmd *exec.Cmd
}

// scrapeConfig is what the ServiceMonitor of a cluster comes down to: the leader's view of everything, and what each node
// thinks of the cluster. The certificate is verified.
func (s *scene) scrapeConfig(ctx context.Context) (string, error) {
	certificates, err := s.api.GetCertificates(ctx)
	if err != nil {
		return "", err
	}
	ca := filepath.Join(s.dir, "ca.pem")
	if err := os.WriteFile(ca, []byte(certificates["metrics_exporter_cert"]), 0o600); err != nil {
		return "", err
	}
	tls := fmt.Sprintf("{ca_file: %s, server_name: %s}", ca, recordedCluster)
	return fmt.Sprintf(`
global: {scrape_interval: 5s, scrape_timeout: 4s}
scrape_configs:
- job_name: rec
  scheme: https
  metrics_path: /v2
  tls_config: %[1]s
  static_configs: [{targets: ['%[2]s:8070'], labels: {namespace: redis-enterprise, instance: %[4]s}}]
- job_name: rec-nodes
  scheme: https
  metrics_path: /v2/node
  tls_config: %[1]s
  static_configs: [{targets: ['%[3]s'], labels: {namespace: redis-enterprise, cluster: %[4]s}}]
  metric_relabel_configs: [{source_labels: [__name__], regex: has_quorum|is_primary, action: keep}]
`, tls, s.hosts[0], strings.Join(withPort(s.hosts), "','"), recordedCluster), nil
}

func withPort(hosts []string) []string {
	var out []string
	for _, h := range hosts {
		out = append(out, h+":8070")
	}
	return out
}

// startPrometheus starts one on a free port, with its data where it may be kept, and waits until it answers.
func startPrometheus(ctx context.Context, program, config, data string) (*server, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	file := filepath.Join(data, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	s := &server{url: "http://" + address}
	s.cmd = exec.CommandContext(ctx, program, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(data, "tsdb"), //nolint:gosec // the program is what the user names
		"--web.listen-address="+address, "--log.level=warn")
	s.cmd.Stderr = os.Stderr
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = 20 * time.Second
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	return s, until(ctx, "Prometheus", func() (bool, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/-/ready", nil)
		if err != nil {
			return false, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false, err
		}
		return resp.StatusCode == http.StatusOK, resp.Body.Close()
	})
}

// wait returns when it has ended. That it was told to is no error.
func (s *server) wait() error {
	err := s.cmd.Wait()
	var exit *exec.ExitError
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.As(err, &exit) && exit.ExitCode() == 0 {
		return nil
	}
	return err
}
