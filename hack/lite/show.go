package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/test/load"
	"github.com/open-redis-enterprise/operator/test/scenario"
	"github.com/open-redis-enterprise/operator/test/standin"
)

// stage is what the show is played on.
type stage struct {
	options
	cluster    *scenario.Cluster
	kubelet    *standin.Kubelet
	kubectl    string
	kubeconfig string
}

// play is the demo: the same resources and the same report as on a real cluster.
func (s stage) play(ctx context.Context) error {
	fmt.Println("  The nodes are emulated, each on a loopback address of its own: real redis-server processes behind the admin API.")
	if err := s.cluster.Prepare(ctx, s.node); err != nil {
		return err
	}
	database := s.cluster.Orders().Name
	forward, err := newForwarder(ctx, s.cluster, database)
	if err != nil {
		return err
	}
	defer forward.Close()
	config := load.Config{Addr: forward.Addr(), Prefix: "demo", Keys: 1000}
	if config.Password, err = s.password(ctx, database); err != nil {
		return err
	}
	report, err := s.loseANode(ctx, database, config)
	if err != nil {
		return err
	}
	s.cluster.Sayf("\n== report (emulated nodes %s, in one process)", s.node.Tag)
	scenario.PrintReport(os.Stdout, report)
	if report.Lost > 0 {
		return errors.New("acknowledged writes were lost")
	}
	s.next(forward)
	if s.once {
		return nil
	}
	fmt.Println("\nEverything keeps running until Ctrl-C.")
	<-ctx.Done()
	fmt.Println("stopping, which takes some seconds")
	return nil
}

// loseANode writes, kills the node that holds a master shard, waits until all is well and reads everything back.
func (s stage) loseANode(ctx context.Context, database string, config load.Config) (load.Report, error) {
	rec := s.cluster.SmallCluster(s.node).Name
	s.cluster.Sayf("\n== a client writes to redb/%s, and its master shard's node is lost", database)
	writer := load.NewWriter(config)
	writing, stop := context.WithCancel(ctx)
	defer stop()
	wrote := make(chan error, 1)
	go func() { wrote <- writer.Write(writing) }()
	err := s.cluster.Await(ctx, "client", time.Minute, func() (bool, string, error) {
		n := writer.Report().Acknowledged
		return n > 1000, "", nil
	})
	if err == nil {
		err = s.kill(ctx, rec, database)
	}
	if err != nil {
		return load.Report{}, err
	}
	s.cluster.Sayf("  the client stops and reads everything back")
	stop()
	if err := <-wrote; err != nil {
		return load.Report{}, err
	}
	reading, done := context.WithTimeout(ctx, time.Minute)
	defer done()
	lost, err := load.Verify(reading, config, writer.History())
	return writer.Report().WithLosses(lost), err
}

func (s stage) kill(ctx context.Context, rec, database string) error {
	name, err := s.cluster.MasterPod(ctx, rec, database)
	if err != nil {
		return err
	}
	var victim corev1.Pod
	if err := s.cluster.Get(ctx, s.cluster.Key(name), &victim); err != nil {
		return err
	}
	s.cluster.Sayf("  killing node %s (%s): no grace, no drain", name, victim.Status.PodIP)
	if err := s.kubelet.KillNode(ctx, types.NamespacedName{Namespace: namespace, Name: name}); err != nil {
		return err
	}
	if err := s.cluster.Replaced(ctx, rec, &victim, 5*time.Minute); err != nil {
		return err
	}
	return s.cluster.AwaitDatabase(ctx, database, 2*time.Minute)
}

func (s stage) password(ctx context.Context, database string) (string, error) {
	var secret corev1.Secret
	err := s.cluster.Get(ctx, s.cluster.Key(names.DatabaseSecret(database)), &secret)
	return string(secret.Data[names.PasswordKey]), err
}

func (s stage) next(f *forwarder) {
	kubectl := s.kubectl + " --kubeconfig " + s.kubeconfig + " -n " + namespace
	fmt.Printf(`
== try next, from another terminal
  alias k='%s'
  k get rec,redb,pods,services
  k describe redb orders
  redis-cli -h %s -p %s -a "$(k get secret redb-orders -o jsonpath='{.data.password}' | base64 -d)" --no-auth-warning info server
  k delete pod rec-1 --wait=false                         # drained first, then replaced
  k patch redb orders --type merge -p '{"spec":{"memorySize":"400MB"}}'
  k patch rec rec --type merge -p '{"spec":{"redisEnterpriseImageSpec":{"versionTag":"8.2.1-10.1"}}}'   # upgrade, one pod at a time
  k patch rec rec --type merge -p '{"spec":{"nodes":5}}'  # scale out
`, kubectl, f.host, f.port)
}
