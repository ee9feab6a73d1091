package contract_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/emulator/faults"
	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/internal/rest/contract"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const clusterName = "rec.ns.svc.cluster.local"

var admin = rest.Credentials{Username: "admin@example.com", Password: "correct horse"}

// TestContract runs the suite against a real cluster if CONTRACT_ADDRESSES (a comma list of nodes) is set, together
// with CONTRACT_SERVER_NAME, CONTRACT_CA (a file), CONTRACT_USERNAME and CONTRACT_PASSWORD. Without it, three emulated
// nodes are bootstrapped first.
func TestContract(t *testing.T) {
	if list := os.Getenv("CONTRACT_ADDRESSES"); list != "" {
		contract.Run(t, realCluster(t, strings.Split(list, ",")))
		return
	}
	contract.Run(t, emulated(t, 3))
}

// TestActiveActive has two emulated clusters of one node each share databases.
func TestActiveActive(t *testing.T) {
	contract.RunActiveActive(t, emulatedAs(t, 1, "one."+clusterName), emulatedAs(t, 1, "two."+clusterName))
}

func realCluster(t *testing.T, addresses []string) contract.Target {
	t.Helper()
	pem, err := os.ReadFile(os.Getenv("CONTRACT_CA"))
	if err != nil {
		t.Fatal(err)
	}
	return contract.Target{Addresses: addresses, ServerName: os.Getenv("CONTRACT_SERVER_NAME"), RootCAs: pool(t, string(pem)),
		Credentials: rest.Credentials{Username: os.Getenv("CONTRACT_USERNAME"), Password: os.Getenv("CONTRACT_PASSWORD")}}
}

func pool(t *testing.T, pem string) *x509.CertPool {
	t.Helper()
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM([]byte(pem)) {
		t.Fatal("there is no certificate")
	}
	return p
}

// freshHosts are loopback addresses nobody uses.
func freshHosts(t *testing.T, n int) []string {
	t.Helper()
	var hosts []string
	for range 200 {
		host := fmt.Sprintf("127.%d.%d.%d", 200+rand.IntN(40), rand.IntN(250), 1+rand.IntN(250))
		l, err := net.Listen("tcp", host+":9443")
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if hosts = append(hosts, host); len(hosts) == n {
			return hosts
		}
	}
	t.Fatal("no free loopback addresses")
	return nil
}

// emulated starts nodes and forms a cluster from them, which is the contract of bootstrapping.
func emulated(t *testing.T, n int) contract.Target { return emulatedAs(t, n, clusterName) }

func emulatedAs(t *testing.T, n int, name string) contract.Target {
	t.Helper()
	spoilt := new(faults.Set)
	hosts := freshHosts(t, n)
	for i, host := range hosts {
		node, err := emulator.New(emulator.Config{Addr: host, Dir: t.TempDir(), Hostname: fmt.Sprintf("rec-%d", i), Faults: spoilt,
			OperationDelay: 50 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := node.Kill(); err != nil {
				t.Error(err)
			}
		})
		if err := node.Launch(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	local := rest.New(rest.Options{Addresses: func() []string { return hosts }, TrustLoopback: true, Credentials: func() rest.Credentials { return admin }})
	t.Cleanup(local.Close)
	bootstrap(t, local, hosts, name)
	certs, err := local.At(hosts[0]).GetCertificates(t.Context())
	if rest.Code(err) == "not_leader" {
		certs, err = local.GetCertificates(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return contract.Target{Addresses: hosts, URL: "https://" + hosts[0] + ":9443", ServerName: name, RootCAs: pool(t, certs["api_cert"]), Credentials: admin,
		Spoil: func(t *testing.T, method, path string) {
			t.Helper()
			if _, err := spoilt.Add(faults.Rule{Method: method, Path: path, Count: 1, Kind: faults.LostReply}); err != nil {
				t.Fatal(err)
			}
		}}
}

func bootstrap(t *testing.T, local *rest.Client, hosts []string, name string) {
	t.Helper()
	ctx := t.Context()
	account := &rest.BootstrapCredential{Username: admin.Username, Password: admin.Password}
	create := rest.Bootstrap{Action: rest.CreateCluster, Cluster: &rest.BootstrapCluster{Name: name}, Credentials: account}

	first := local.At(hosts[0])
	report, err := first.GetBootstrapAnonymous(ctx)
	if err != nil || report.Status.State != rest.BootstrapIdle || report.Node.SoftwareVersion == "" || len(report.Node.Addresses()) == 0 {
		t.Fatalf("a fresh node: %+v %v", report, err)
	}
	if _, err := first.ListNodes(ctx); err == nil || rest.IsTransport(err) {
		t.Fatalf("a node in no cluster lists nodes: %v", err)
	}
	if err := first.ValidateBootstrap(ctx, create); err != nil {
		t.Fatalf("validating: %v", err)
	}
	if err := first.StartBootstrap(ctx, create); err != nil {
		t.Fatal(err)
	}
	bootstrapped(t, first, rest.BootstrapCompleted)
	if err := first.StartBootstrap(ctx, create); err == nil || rest.IsTransport(err) {
		t.Fatalf("a second cluster on one node: %v", err)
	}
	if _, err := first.GetBootstrapAnonymous(ctx); !rest.IsUnauthorized(err) {
		t.Fatalf("bootstrap state without credentials in a cluster: %v", err)
	}
	for i, host := range hosts[1:] {
		node := local.At(host)
		join := rest.Bootstrap{Action: rest.JoinCluster, Cluster: &rest.BootstrapCluster{Nodes: hosts[:1]}, Credentials: account}
		if i == 0 {
			wrong := join
			wrong.Credentials = &rest.BootstrapCredential{Username: admin.Username, Password: "wrong"}
			if err := node.StartBootstrap(ctx, wrong); err != nil {
				t.Fatal(err)
			}
			if s := bootstrapped(t, node, rest.BootstrapError); s.ErrorCode != "access_denied" || s.ErrorMessage() == "" {
				t.Fatalf("joining with a wrong password: %+v", s)
			}
		}
		if err := node.StartBootstrap(ctx, join); err != nil {
			t.Fatal(err)
		}
		bootstrapped(t, node, rest.BootstrapCompleted)
		eventually(t, "the node is active", func() error {
			nodes, err := local.ListNodes(ctx)
			if err != nil {
				return err
			}
			for _, n := range nodes {
				if n.Addr == host && n.Status == rest.NodeActive {
					return nil
				}
			}
			return fmt.Errorf("%d nodes, %s is not active among them", len(nodes), host)
		})
	}
}

// bootstrapped waits for a state; refused connections and credentials on the way are part of the contract.
func bootstrapped(t *testing.T, node *rest.Client, state string) rest.BootstrapStatus {
	t.Helper()
	var status rest.BootstrapStatus
	eventually(t, "bootstrap "+state, func() error {
		report, err := node.GetBootstrap(t.Context())
		if rest.IsUnauthorized(err) {
			report, err = node.GetBootstrapAnonymous(t.Context())
		}
		if err != nil {
			return err
		}
		status = report.Status
		if status.State == rest.BootstrapError && state != rest.BootstrapError {
			t.Fatalf("bootstrap failed: %s %s", status.ErrorCode, status.ErrorMessage())
		}
		if status.State != state {
			return fmt.Errorf("state is %s", status.State)
		}
		return nil
	})
	return status
}

func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		}
	}
}
