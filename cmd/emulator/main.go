// Command emulator runs emulated Redis Enterprise nodes: several on loopback addresses of a laptop, or one in a pod.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// options are the flags.
type options struct {
	nodes          int
	bootstrap      bool
	firstAddress   string
	dir            string
	clusterName    string
	username       string
	passwordFile   string
	license        string
	delay          time.Duration
	failureTimeout time.Duration
	faults         string
	version        string
	redisServer    string
	peersDNS       string
	pod            bool
	verbose        bool
}

func (o *options) register(f *flag.FlagSet) {
	f.IntVar(&o.nodes, "nodes", 3, "how many nodes to run, each on a loopback address of its own")
	f.BoolVar(&o.bootstrap, "bootstrap", false, "form a cluster of the nodes at once")
	f.StringVar(&o.firstAddress, "first-address", "127.0.10.1", "address of the first node; the others follow it")
	f.StringVar(&o.dir, "dir", "", "directory that survives (default: a fresh one, removed at the end; in a pod "+podPersist+")")
	f.StringVar(&o.clusterName, "cluster-name", "cluster.local", "name of the cluster that -bootstrap forms")
	f.StringVar(&o.username, "username", "demo@redis.com", "administrator of the cluster that -bootstrap forms")
	f.StringVar(&o.passwordFile, "password-file", "", "file with the administrator's password (default: a random one is printed)")
	f.StringVar(&o.license, "license-file", "", "licence for the cluster that -bootstrap forms (default: the trial of 4 shards)")
	f.DurationVar(&o.delay, "operation-delay", 300*time.Millisecond, "how long asynchronous work takes at least")
	f.DurationVar(&o.failureTimeout, "failure-timeout", 2*time.Second, "how long a node may be silent before it counts as lost")
	f.StringVar(&o.faults, "faults", "", "JSON file with fault rules, or - for none yet; serves /emulator/faults")
	f.StringVar(&o.version, "software-version", os.Getenv("EMULATOR_SOFTWARE_VERSION"), "release the nodes say they run (default "+schema.SoftwareVersion+")")
	f.StringVar(&o.redisServer, "redis-server", "", "redis-server program (default: from the search path)")
	f.StringVar(&o.peersDNS, "peers-dns", os.Getenv("EMULATOR_PEERS_DNS"), "DNS name of all nodes (default in a pod: its own headless Service)")
	f.BoolVar(&o.pod, "pod", false, "run one node in a pod: its address, the product's directories")
	f.BoolVar(&o.verbose, "v", false, "log what the nodes do")
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "emulator:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, logs io.Writer) error {
	if len(args) > 0 && args[0] == "license" {
		return printLicense(args[1:], out)
	}
	if len(args) > 0 && args[0] == "crash" {
		return crash()
	}
	var o options
	f := flag.NewFlagSet("emulator", flag.ContinueOnError)
	f.SetOutput(logs)
	o.register(f)
	f.Usage = func() {
		_, _ = fmt.Fprintln(logs, "Emulated Redis Enterprise nodes for development and tests. Not the product, not for production.")
		_, _ = fmt.Fprintln(logs, "\n  emulator [flags]            run nodes\n  emulator license [flags]    print a licence that emulated clusters accept\n  emulator crash              in a pod: end its node at once, as a lost machine would\n\nFlags:")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	level := slog.LevelWarn
	if o.verbose || o.pod {
		level = slog.LevelInfo
	}
	log := slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: level}))
	if o.pod {
		return runPod(ctx, o, log)
	}
	return runLaptop(ctx, o, log, out)
}

// printLicense prints a licence in the emulator's own form.
func printLicense(args []string, out io.Writer) error {
	f := flag.NewFlagSet("emulator license", flag.ContinueOnError)
	shards := f.Int("shards", 100, "how many shards the licence allows, replicas counted")
	cluster := f.String("cluster-name", "", "the only cluster it is for (default: any)")
	days := f.Int("days", 365, "how long it is valid from now")
	if err := f.Parse(args); err != nil {
		return err
	}
	now := time.Now()
	license := schema.Object{
		"owner": "emulator", "key": "emulator", "shards_limit": *shards, "ram_shards_limit": *shards,
		"flash_shards_limit": 0, "features": []string{}, "activation_date": schema.Timestamp(now),
		"expiration_date": schema.Timestamp(now.AddDate(0, 0, *days)),
	}
	if *cluster != "" {
		license["cluster_name"] = *cluster
	}
	text, err := schema.LicenseText(license)
	if err == nil {
		_, err = io.WriteString(out, text)
	}
	return err
}
