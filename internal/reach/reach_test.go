package reach

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	host     = "api-rec.example.com"
	nodeName = "rec.ns.svc.cluster.local"
)

// certificate makes one that signs itself.
func certificate(t *testing.T, name string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// server answers TLS with a certificate, or nothing at all when there is none, and notes the names asked for.
type server struct {
	address string
	mu      sync.Mutex
	names   []string
}

func serve(t *testing.T, own *tls.Certificate) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{address: listener.Addr().String()}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if own != nil {
				config := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
					s.mu.Lock()
					defer s.mu.Unlock()
					s.names = append(s.names, hello.ServerName)
					return own, nil
				}}
				_ = tls.Server(conn, config).Handshake() // what the client thinks of it is what is tested
			}
			_ = conn.Close()
		}
	})
	t.Cleanup(func() { _ = listener.Close(); done.Wait() })
	return s
}

// network leads names to servers.
type network struct {
	mu    sync.Mutex
	where map[string]string
	dials int
}

func (n *network) set(name, address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.where[name] = address
}

func (n *network) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dials++
	to, ok := n.where[strings.TrimSuffix(address, ":"+Port)]
	n.mu.Unlock()
	if !ok {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}}
	}
	if to == "" {
		return nil, errors.New("connect: connection refused")
	}
	return (&net.Dialer{}).DialContext(ctx, kind, to)
}

func TestNET9_Look(t *testing.T) {
	own, ownPEM := certificate(t, nodeName)
	other, _ := certificate(t, "router.example.com")
	named, namedPEM := certificate(t, host)
	cluster, wrong, mute, outside := serve(t, &own), serve(t, &other), serve(t, nil), serve(t, &named)
	target := Target{Host: host, CA: ownPEM, ServerName: nodeName}
	at := func(addresses ...string) Target {
		with := target
		with.Addresses = addresses
		return with
	}
	for _, c := range []struct {
		name    string
		where   map[string]string
		target  Target
		finding Finding
		says    string
	}{
		{"the cluster's own certificate under another name is reached", map[string]string{host: cluster.address}, target, Reached, ""},
		{"a certificate with the outside name is reached", map[string]string{host: outside.address}, Target{Host: host, CA: namedPEM, ServerName: nodeName}, Reached, ""},
		{"another certificate is foreign", map[string]string{host: wrong.address}, target, Foreign, "router.example.com"},
		{"a name without an address does not resolve", nil, target, Unresolved, "no address of it is known yet"},
		{"the message names the address that the record needs", nil, at("lb.example.com"), Unresolved, "DNS record for lb.example.com"},
		{"the object's address helps when the name does not resolve", map[string]string{"10.1.2.3": cluster.address}, at("10.1.2.3"), Reached, "let DNS point there"},
		{"nobody listens", map[string]string{host: ""}, target, Unreachable, "(refused)"},
		{"somebody listens and does not speak TLS", map[string]string{host: mute.address}, target, Unreachable, "passes TLS through"},
	} {
		t.Run("NET-9 "+c.name, func(t *testing.T) {
			n := &network{where: c.where}
			got := look(t.Context(), n.dial, c.target)
			if got.Finding != c.finding || !strings.Contains(got.Message, c.says) {
				t.Errorf("%+v", got)
			}
			if again := look(t.Context(), n.dial, c.target); again != got {
				t.Errorf("the words change: %q, %q", got.Message, again.Message)
			}
		})
	}
	cluster.mu.Lock()
	defer cluster.mu.Unlock()
	if len(cluster.names) == 0 || cluster.names[0] != host {
		t.Errorf("names asked for: %v", cluster.names)
	}
}

func TestNET9_WatcherTellsOfChanges(t *testing.T) {
	own, ownPEM := certificate(t, nodeName)
	cluster := serve(t, &own)
	n := &network{where: map[string]string{}}
	ticks := clocktesting.NewFakeClock(time.Now())
	w := New(Options{Dial: n.dial, Clock: ticks})
	defer w.Close()
	key := types.NamespacedName{Namespace: "ns", Name: "rec"}
	told := make(chan types.NamespacedName, 10)
	defer w.Subscribe(func(k types.NamespacedName) { told <- k })()
	target := Target{Host: host, CA: ownPEM, ServerName: nodeName}
	// step lets the clock run and waits until the look that this causes has ended.
	step := func(pause time.Duration) {
		t.Helper()
		ticks.Step(pause)
		eventually(t, ticks.HasWaiters)
	}
	expect := func(news bool, want Finding) {
		t.Helper()
		if got := w.Ensure(key, target); got.Finding != want {
			t.Fatalf("%+v, want %s", got, want)
		}
		select {
		case k := <-told:
			if !news || k != key {
				t.Fatalf("told of %s", k)
			}
		default:
			if news {
				t.Fatal("told of nothing")
			}
		}
	}
	expect(false, NotYet)
	eventually(t, ticks.HasWaiters)
	expect(true, Unresolved)
	step(EveryBad)
	expect(false, Unresolved)
	n.set(host, cluster.address)
	step(EveryBad - time.Second)
	expect(false, Unresolved)
	step(time.Second)
	expect(true, Reached)
	step(EveryOK)
	expect(false, Reached)
	n.set(host, "")
	step(EveryOK)
	expect(false, Reached) // once is no news
	step(EveryBad)
	expect(true, Unreachable)

	n.mu.Lock()
	dials := n.dials
	n.mu.Unlock()
	w.Remove(key)
	ticks.Step(time.Hour)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dials != dials {
		t.Error("it looks although nobody wants to know")
	}
}

func TestAHangingNetworkKeepsNobody(t *testing.T) {
	began := make(chan struct{})
	w := New(Options{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		close(began)
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	key := types.NamespacedName{Name: "rec"}
	if got := w.Ensure(key, Target{Host: host}); got.Finding != NotYet {
		t.Errorf("%+v", got)
	}
	<-began
	w.Close() // returns although the dial hangs; the leak check finds what is left
	if got := w.Ensure(key, Target{Host: "other"}); got.Finding != NotYet {
		t.Errorf("%+v", got)
	}
}

func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came true")
		}
	}
}
