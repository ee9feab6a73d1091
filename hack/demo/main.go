// Command demo shows the main job on a Kubernetes cluster that has the operator: a Redis Enterprise cluster of three
// nodes, databases, a client that writes, and the loss of the node it writes to. It fails when an acknowledged write is lost.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"

	"github.com/open-redis-enterprise/operator/test/load"
	"github.com/open-redis-enterprise/operator/test/scenario"
)

const client = "demo-client"

type options struct {
	namespace, kubectl string
	node               scenario.Image
}

func main() {
	var o options
	flag.StringVar(&o.namespace, "namespace", "redis-enterprise", "the operator's namespace")
	flag.StringVar(&o.node.Repository, "emulator", "quay.io/open-redis-enterprise/emulator", "image of the nodes, without its tag")
	flag.StringVar(&o.node.Tag, "tag", "8.2.0-46.13", "tag of that image")
	flag.StringVar(&o.kubectl, "kubectl", "kubectl", "how to call kubectl")
	flag.Parse()
	klog.SetLogger(logr.Discard()) // a port-forward that ends with its pod is no news
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	cluster, err := scenario.Connect(o.namespace, os.Stdout)
	if err != nil {
		return err
	}
	began := time.Now()
	fmt.Println("  The nodes run the emulator of this repository, not Redis Enterprise: its admin API in front of real redis-server processes.")
	if err := cluster.EnsureNamespace(ctx); err != nil {
		return err
	}
	if err := cluster.Prepare(ctx, o.node); err != nil {
		return err
	}
	cluster.Sayf("  %.0f s until everything was ready", time.Since(began).Seconds())
	if err := show(ctx, o, "get", "rec,redb"); err != nil {
		return err
	}
	report, err := loseANode(ctx, cluster, o)
	if err != nil {
		return err
	}
	cluster.Sayf("\n== report (%s, emulated nodes)", o.node)
	scenario.PrintReport(os.Stdout, report)
	if report.Lost > 0 {
		return errors.New("acknowledged writes were lost")
	}
	next(o)
	return nil
}

// loseANode writes from a pod, kills the pod that holds the master shard being written to, and waits until all is well.
func loseANode(ctx context.Context, cluster *scenario.Cluster, o options) (load.Report, error) {
	rec, database := cluster.SmallCluster(o.node).Name, cluster.Orders().Name
	cluster.Sayf("\n== a client writes through service %s, and its master shard's node is lost", database)
	writer, err := cluster.StartWriter(ctx, scenario.WriterOptions{Name: client, Database: database, Image: o.node})
	if err != nil {
		return load.Report{}, err
	}
	name, err := cluster.MasterPod(ctx, rec, database)
	if err != nil {
		return load.Report{}, err
	}
	var victim corev1.Pod
	if err := cluster.Get(ctx, cluster.Key(name), &victim); err != nil {
		return load.Report{}, err
	}
	tell(ctx, cluster, writer)
	cluster.Sayf("  killing the node in pod %s: no grace, no drain", name)
	if err := cluster.LosePod(ctx, name); err != nil {
		return load.Report{}, err
	}
	if err := cluster.Replaced(ctx, rec, &victim, 5*time.Minute); err != nil {
		return load.Report{}, err
	}
	if err := cluster.AwaitDatabase(ctx, database, 2*time.Minute); err != nil {
		return load.Report{}, err
	}
	tell(ctx, cluster, writer)
	cluster.Sayf("  the client stops and reads everything back")
	return writer.Finish(ctx)
}

func tell(ctx context.Context, cluster *scenario.Cluster, writer *scenario.Writer) {
	if line, err := writer.Progress(ctx); err == nil {
		cluster.Sayf("    client: %s", line)
	}
}

func show(ctx context.Context, o options, args ...string) error {
	words := append(strings.Fields(o.kubectl), append([]string{"--namespace", o.namespace}, args...)...)
	command := exec.CommandContext(ctx, words[0], words[1:]...) //nolint:gosec // it is the caller's own kubectl
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	fmt.Printf("\n$ %s\n", strings.Join(words, " "))
	return command.Run()
}

func next(o options) {
	fmt.Printf(`
== try next
  alias k='%s -n %s'
  k get rec,redb,pods,services                            # what there is
  k describe redb orders                                  # what happened, in events and conditions
  k exec rec-0 -c redis-enterprise-node -- redis-cli -h orders -p "$(k get service orders -o jsonpath='{.spec.ports[0].port}')" \
    -a "$(k get secret redb-orders -o jsonpath='{.data.password}' | base64 -d)" --no-auth-warning info server
  k delete pod rec-1                                      # drained first, then replaced
  k patch redb orders --type merge -p '{"spec":{"memorySize":"400MB"}}'
  k patch redb orders --type merge -p '{"spec":{"evictionPolicy":"illegal"}}'   # refused by admission
  k patch rec rec --type merge -p '{"spec":{"redisEnterpriseImageSpec":{"versionTag":"%s"}}}'   # upgrade, one pod at a time
  k patch rec rec --type merge -p '{"spec":{"nodes":5}}'  # scale out
`, o.kubectl, o.namespace, nextTag())
}

// nextTag is the other version that the emulator's image is built with.
func nextTag() string {
	if tag := os.Getenv("NEXT_TAG"); tag != "" {
		return tag
	}
	return "8.2.1-10.1"
}
