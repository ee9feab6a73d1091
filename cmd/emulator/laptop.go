package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/emulator/faults"
)

// runLaptop runs several nodes on loopback addresses until the context ends.
func runLaptop(ctx context.Context, o options, log *slog.Logger, out io.Writer) error {
	dir := o.dir
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "emulator"); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
	}
	set, err := faultSet(o.faults)
	if err != nil {
		return err
	}
	addr, err := netip.ParseAddr(o.firstAddress)
	if err != nil {
		return err
	}
	var nodes []*emulator.Node
	defer func() { closeAll(nodes) }() //nolint:contextcheck // the context has ended by then
	for i := range o.nodes {
		n, err := emulator.New(emulator.Config{ //nolint:contextcheck // handlers take theirs from the request
			Addr: addr.String(), Dir: filepath.Join(dir, addr.String()), RedisServer: o.redisServer,
			Hostname: fmt.Sprintf("node-%d", i+1), SoftwareVersion: o.version, OperationDelay: o.delay,
			FailureTimeout: o.failureTimeout, Logger: log, Faults: set, FaultsAPI: set != nil,
		})
		if err != nil {
			return err
		}
		nodes = append(nodes, n)
		addr = addr.Next()
	}
	for _, n := range nodes {
		if err := n.Launch(ctx); err != nil {
			return err
		}
	}
	g := guide{out: out, o: o, nodes: nodes, password: "<password>"}
	if o.bootstrap {
		if g.password, err = password(o.passwordFile); err != nil {
			return err
		}
		if err := form(ctx, o, g.password, nodes); err != nil {
			return err
		}
	}
	g.print()
	<-ctx.Done()
	return nil
}

func closeAll(nodes []*emulator.Node) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(func() { _ = n.Close(ctx) })
	}
	wg.Wait()
}

func faultSet(file string) (*faults.Set, error) {
	if file == "" {
		return nil, nil
	}
	set := &faults.Set{}
	if file == "-" {
		return set, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var rules []faults.Rule
	if err := json.Unmarshal(raw, &rules); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, r := range rules {
		if _, err := set.Add(r); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return set, nil
}

func password(file string) (string, error) {
	if file == "" {
		return strings.ToLower(rand.Text()[:16]), nil
	}
	raw, err := os.ReadFile(file)
	return strings.TrimSpace(string(raw)), err
}

// form makes a cluster of fresh nodes through their own admin API; nodes that are in one already are left alone.
func form(ctx context.Context, o options, password string, nodes []*emulator.Node) error {
	credentials := map[string]string{"username": o.username, "password": password}
	create := map[string]any{
		"action": "create_cluster", "cluster": map[string]any{"name": o.clusterName}, "credentials": credentials,
	}
	if o.license != "" {
		raw, err := os.ReadFile(o.license)
		if err != nil {
			return err
		}
		create["license"] = string(raw)
	}
	if err := bootstrap(ctx, nodes[0], create); err != nil {
		return err
	}
	for _, n := range nodes[1:] {
		join := map[string]any{
			"action": "join_cluster", "credentials": credentials,
			"cluster": map[string]any{"name": o.clusterName, "nodes": []string{nodes[0].Addr()}},
		}
		if err := bootstrap(ctx, n, join); err != nil {
			return err
		}
	}
	return nil
}

// bootstrap starts one action on a node and waits for its end.
func bootstrap(ctx context.Context, n *emulator.Node, body map[string]any) error {
	if n.InCluster() {
		return nil
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	path := fmt.Sprintf("/v1/bootstrap/%s", body["action"])
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.URL()+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := n.Client().Do(req)
	if err != nil {
		return err
	}
	answer, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s on %s: %s %s", path, n.Addr(), resp.Status, answer)
	}
	for !n.InCluster() {
		if reason := n.BootstrapError(); reason != nil {
			return fmt.Errorf("%s on %s: %w", path, n.Addr(), reason)
		}
		select {
		case <-ctx.Done():
			return errors.New("interrupted")
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// guide tells how to reach what runs.
type guide struct {
	out      io.Writer
	o        options
	nodes    []*emulator.Node
	password string
}

func (g guide) say(format string, args ...any) { _, _ = fmt.Fprintf(g.out, format+"\n", args...) }

func (g guide) print() {
	g.say("This is an EMULATOR of Redis Enterprise nodes for development and tests. It is not the product.")
	g.say("")
	for i, n := range g.nodes {
		g.say("node %d  %s   console https://%s:%d   metrics https://%s:%d/v2   discovery %s:%d",
			i+1, n.URL(), n.Addr(), emulator.DefaultPorts.UI, n.Addr(), emulator.DefaultPorts.Metrics, n.Addr(), emulator.DefaultPorts.Discovery)
	}
	g.say("")
	first := g.nodes[0]
	if !g.o.bootstrap {
		g.say("The nodes are fresh and in no cluster. Form one (or start again with -bootstrap):")
		g.say(`  curl -sk %s/v1/bootstrap/create_cluster -H 'Content-Type: application/json' -d '{"action":"create_cluster","cluster":{"name":"%s"},"credentials":{"username":"%s","password":"..."}}'`,
			first.URL(), g.o.clusterName, g.o.username)
		g.say("  curl -sk %s/v1/bootstrap", first.URL())
		return
	}
	g.say("Cluster %q is formed. Administrator %s, password %s", g.o.clusterName, g.o.username, g.password)
	g.say("")
	g.say("Look at it:")
	g.say("  curl -sk -u '%s:%s' %s/v1/nodes", g.o.username, g.password, first.URL())
	g.say("Make a database on port 12000 and use it:")
	g.say(`  curl -skL --location-trusted -u '%s:%s' %s/v1/bdbs -H 'Content-Type: application/json' -d '{"name":"db","memory_size":104857600,"port":12000,"replication":%t}'`,
		g.o.username, g.password, first.URL(), len(g.nodes) > 1)
	g.say(`  redis-cli -h "$(curl -skL --location-trusted -u '%s:%s' %s/v1/bdbs/1 | grep -o '"addr":\["[0-9.]*' | grep -o '[0-9.]*$')" -p 12000 set hello world`,
		g.o.username, g.password, first.URL())
	g.say("")
	g.say("The trial licence allows 4 shards; `emulator license -shards 100` prints a bigger one for PUT /v1/license.")
	g.say("Ctrl-C ends all nodes.")
}
