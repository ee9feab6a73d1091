package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

const (
	farCluster = "rec.redis-west.svc.cluster.local"
	farHost    = "127.0.31.1"
	globalPort = 12003
)

// far is a cluster of one node somewhere else, which holds an Active-Active database together with the one of the scene.
type far struct {
	dir  string
	node *emulator.Node
	api  *rest.Client
}

func (f *far) launch(ctx context.Context) error {
	node, err := emulator.New(emulator.Config{Addr: farHost, Dir: filepath.Join(f.dir, farHost), Hostname: "rec-0", //nolint:contextcheck // handlers take theirs from the request
		OperationDelay: 300 * time.Millisecond, Logger: slog.New(slog.DiscardHandler), Memory: 4 << 30})
	if err != nil {
		return err
	}
	f.node = node
	return node.Launch(ctx)
}

// start forms the cluster; its administrator is that of the scene.
func (f *far) start(ctx context.Context, admin rest.Credentials) error {
	if err := f.launch(ctx); err != nil {
		return err
	}
	f.api = rest.New(rest.Options{Addresses: func() []string { return []string{farHost} }, TrustLoopback: true, Credentials: func() rest.Credentials { return admin }})
	if err := f.api.StartBootstrap(ctx, rest.Bootstrap{Action: rest.CreateCluster, Cluster: &rest.BootstrapCluster{Name: farCluster},
		Credentials: &rest.BootstrapCredential{Username: admin.Username, Password: admin.Password}}); err != nil {
		return err
	}
	return until(ctx, farCluster, func() (bool, error) {
		nodes, err := f.api.ListNodes(ctx)
		return len(nodes) == 1 && nodes[0].Status == rest.NodeActive, err
	})
}

// share makes a database of both clusters and tells where each side answers.
func (s *scene) share(ctx context.Context) ([]string, error) {
	instance := func(cluster, host string) rest.CRDBInstance {
		return rest.CRDBInstance{Cluster: &rest.CRDBCluster{Name: cluster, URL: "https://" + net.JoinHostPort(host, "9443"),
			Credentials: &rest.BootstrapCredential{Username: s.admin.Username, Password: s.admin.Password}}}
	}
	task, err := s.api.CreateCRDB(ctx, "", &rest.CRDB{Name: rest.Ptr("carts"), Encryption: rest.Ptr(true),
		DefaultDBConfig: &rest.BDB{MemorySize: rest.Ptr(rest.Int(64 << 20)), Port: rest.Ptr(rest.Int(globalPort)), Replication: rest.Ptr(false)},
		Instances:       &[]rest.CRDBInstance{instance(recordedCluster, s.hosts[0]), instance(farCluster, farHost)}})
	if err != nil {
		return nil, err
	}
	err = until(ctx, "Active-Active database", func() (bool, error) {
		now, err := s.api.GetCRDBTask(ctx, task.ID)
		if err == nil && now.Status == "failed" {
			return false, fmt.Errorf("%v", now.Errors)
		}
		return err == nil && now.Status == "finished", err
	})
	port := strconv.Itoa(globalPort)
	return []string{net.JoinHostPort(s.hosts[0], port), net.JoinHostPort(farHost, port)}, err
}

// goAway takes the far cluster away for an eighth of the time, early on.
func (f *far) goAway(ctx context.Context, last time.Duration) {
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"the far cluster is lost", f.node.Kill},
		{"it is back", func() error { return f.launch(context.WithoutCancel(ctx)) }},
	} {
		select {
		case <-ctx.Done():
			return
		case <-time.After(last / 8):
		}
		fmt.Println(time.Now().Format(time.TimeOnly), step.what)
		if err := step.do(); err != nil {
			fmt.Fprintln(os.Stderr, step.what, err)
		}
	}
}

func (f *far) end(ctx context.Context) {
	if f.node != nil {
		_ = f.node.Close(ctx)
	}
	if f.api != nil {
		f.api.Close()
	}
}
