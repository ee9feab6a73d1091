package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

const (
	recordedCluster = "rec.redis-enterprise.svc.cluster.local"
	recordedAdmin   = "demo@redis.com"
	firstNode       = 1
	lostNode        = 3
)

// scene is an emulated cluster of three nodes that works while Prometheus looks.
type scene struct {
	dir   string
	hosts []string
	nodes []*emulator.Node
	api   *rest.Client
	admin rest.Credentials
	far   far
}

// record runs the scene for a while and leaves what Prometheus saw in data. At half the time a node is lost, at three
// quarters it is back.
func record(ctx context.Context, prometheus, data string, last time.Duration) error {
	dir, err := os.MkdirTemp("", "dashboards")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s := &scene{dir: dir, far: far{dir: dir}}
	defer s.end() //nolint:contextcheck // the context has ended by then
	if err := s.start(ctx); err != nil {
		return err
	}
	addresses, err := s.databases(ctx)
	if err != nil {
		return err
	}
	if err := s.far.start(ctx, s.admin); err != nil {
		return err
	}
	shared, err := s.share(ctx)
	if err != nil {
		return err
	}
	addresses = append(addresses, shared...)
	ctx, cancel := context.WithTimeout(ctx, last)
	defer cancel()
	config, err := s.scrapeConfig(ctx)
	if err != nil {
		return err
	}
	server, err := startPrometheus(ctx, prometheus, config, data)
	if err != nil {
		return err
	}
	fmt.Printf("Prometheus at %s for %s\n", server.url, last)
	redis.SetLogger(quiet{})
	var work sync.WaitGroup
	for i, address := range addresses {
		work.Go(func() { s.load(ctx, address, i) })
	}
	work.Go(func() { s.far.goAway(ctx, last) })
	s.loseNode(ctx, last)
	work.Wait()
	return errors.Join(server.wait(), noteEnd(data))
}

// loseNode takes the machine away for a quarter of the time.
func (s *scene) loseNode(ctx context.Context, last time.Duration) {
	for _, step := range []struct {
		after time.Duration
		what  string
		do    func() error
	}{
		{last / 2, "a node is lost", func() error { return s.nodes[lostNode-1].Kill() }}, //nolint:contextcheck // a lost machine asks nobody
		{last / 4, "it is back", func() error { return s.launch(context.WithoutCancel(ctx), lostNode) }},
	} {
		select {
		case <-ctx.Done():
			return
		case <-time.After(step.after):
		}
		fmt.Println(time.Now().Format(time.TimeOnly), step.what)
		if err := step.do(); err != nil {
			fmt.Fprintln(os.Stderr, step.what, err)
		}
	}
	<-ctx.Done()
}

func (s *scene) launch(ctx context.Context, number int) error {
	host := "127.0.30." + strconv.Itoa(number)
	node, err := emulator.New(emulator.Config{Addr: host, Dir: filepath.Join(s.dir, host), Hostname: "rec-" + strconv.Itoa(number-1), //nolint:contextcheck // handlers take theirs from the request
		OperationDelay: 300 * time.Millisecond, Logger: slog.New(slog.DiscardHandler), Memory: 4 << 30})
	if err != nil {
		return err
	}
	if err := node.Launch(ctx); err != nil {
		return err
	}
	if len(s.nodes) >= number {
		s.nodes[number-1] = node
		return nil
	}
	s.nodes, s.hosts = append(s.nodes, node), append(s.hosts, host)
	return nil
}

func (s *scene) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	s.far.end(ctx)
	for _, n := range s.nodes {
		_ = n.Close(ctx) // it has no successor
	}
	if s.api != nil {
		s.api.Close()
	}
}

// start forms the cluster.
func (s *scene) start(ctx context.Context) error {
	password := make([]byte, 12)
	if _, err := rand.Read(password); err != nil {
		return err
	}
	s.admin = rest.Credentials{Username: recordedAdmin, Password: hex.EncodeToString(password)}
	for n := firstNode; n <= lostNode; n++ {
		if err := s.launch(ctx, n); err != nil {
			return err
		}
	}
	s.api = rest.New(rest.Options{Addresses: func() []string { return s.hosts }, TrustLoopback: true, Credentials: func() rest.Credentials { return s.admin }})
	account := &rest.BootstrapCredential{Username: s.admin.Username, Password: s.admin.Password}
	for i, host := range s.hosts {
		b := rest.Bootstrap{Action: rest.CreateCluster, Cluster: &rest.BootstrapCluster{Name: recordedCluster}, Credentials: account}
		if i > 0 {
			b.Action, b.Cluster = rest.JoinCluster, &rest.BootstrapCluster{Nodes: s.hosts[:1]}
		}
		if err := s.api.At(host).StartBootstrap(ctx, b); err != nil {
			return err
		}
		if err := until(ctx, "node "+host, func() (bool, error) {
			nodes, err := s.api.ListNodes(ctx)
			return slices.ContainsFunc(nodes, func(n rest.Node) bool { return n.Addr == host && n.Status == rest.NodeActive }), err
		}); err != nil {
			return err
		}
	}
	license, err := schema.LicenseText(schema.Object{"shards_limit": 50, "expiration_date": time.Now().AddDate(0, 3, 0).UTC().Format(time.RFC3339)})
	if err != nil {
		return err
	}
	return s.api.UpdateLicense(ctx, license)
}

// databases makes them and tells where they answer.
func (s *scene) databases(ctx context.Context) ([]string, error) {
	var addresses []string
	for i, body := range []rest.BDB{
		{Name: rest.Ptr("orders"), MemorySize: rest.Ptr(rest.Int(64 << 20)), DataPersistence: rest.Ptr("aof"), AOFPolicy: rest.Ptr("appendfsync-every-sec"), ShardsCount: rest.Ptr(rest.Int(2)), Sharding: rest.Ptr(true), Replication: rest.Ptr(true),
			ShardKeyRegex: rest.Ptr([]rest.ShardKeyRule{{Regex: `.*\{(?<tag>.*)\}.*`}, {Regex: `(?<tag>.*)`}})},
		{Name: rest.Ptr("sessions"), MemorySize: rest.Ptr(rest.Int(48 << 20)), Replication: rest.Ptr(true)},
		{Name: rest.Ptr("cache"), MemorySize: rest.Ptr(rest.Int(6 << 20)), EvictionPolicy: rest.Ptr("allkeys-lru")},
	} {
		port := rest.Int(12000 + i)
		body.Port = &port
		made, err := s.api.CreateBDB(ctx, &body)
		if err != nil {
			return nil, err
		}
		if err := until(ctx, "database "+*body.Name, func() (bool, error) {
			b, err := s.api.GetBDB(ctx, *made.UID)
			if err != nil || rest.Value(b.Status) != rest.BDBActive {
				return false, err
			}
			endpoint, ready := b.MainEndpoint()
			if ready && len(endpoint.Addr) > 0 {
				addresses = append(addresses, net.JoinHostPort(endpoint.Addr[0], strconv.Itoa(int(endpoint.Port))))
			}
			return ready, nil
		}); err != nil {
			return nil, err
		}
	}
	return addresses, nil
}

// load reads and writes in waves until ctx ends. Each database has a rhythm of its own.
func (s *scene) load(ctx context.Context, address string, kind int) {
	client := redis.NewClient(&redis.Options{Addr: address, Dialer: s.dial, MaxRetries: -1, DialTimeout: time.Second, ReadTimeout: time.Second, Protocol: 2})
	defer func() { _ = client.Close() }()
	begun := time.Now()
	value := make([]byte, 512)
	_, _ = rand.Read(value)
	for n := 0; ctx.Err() == nil; n++ {
		wave := 0.6 + 0.4*math.Sin(time.Since(begun).Seconds()/60*float64(kind+1)+float64(kind))
		batch := int(float64(20/(kind+1)) * wave)
		for range batch + 1 {
			key := fmt.Sprintf("k:%d", mathrand.IntN(8000*(kind+1))) //nolint:gosec // load needs no secrecy
			switch {
			case n%10 < 3:
				_ = client.Set(ctx, key, value, time.Duration(60+kind*120)*time.Second).Err() // a refused write is part of the picture
			case n%10 == 9:
				_ = client.Ping(ctx).Err()
			default:
				_ = client.Get(ctx, key).Err()
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(40 * time.Millisecond):
		}
	}
}

// dial finds the node that has the endpoint now, as a client does that asks for its name again.
func (s *scene) dial(ctx context.Context, network, address string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	hosts := s.hosts
	if strings.HasPrefix(address, farHost) {
		hosts = []string{farHost}
	}
	for _, host := range hosts {
		var conn net.Conn
		if conn, err = new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(host, port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// quiet keeps the client's own log lines about a lost node out of the way.
type quiet struct{}

// Printf drops a line.
func (quiet) Printf(context.Context, string, ...any) {}

var errLate = errors.New("did not happen in time")

func until(ctx context.Context, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := done()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, errors.Join(errLate, err))
		case <-ticker.C:
		}
	}
}
