// Command must-gather collects what is needed to look into a cluster of this operator: resources, the objects made for
// them, events and logs, and no value of any Secret. It is /usr/bin/gather of the must-gather image, and runs as well from a
// laptop: go run ./cmd/must-gather -o out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// version is set when the binary is built.
var version = "dev"

// Variables that oc sets for a limited collection.
const (
	envSince     = "MUST_GATHER_SINCE"
	envSinceTime = "MUST_GATHER_SINCE_TIME"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "must-gather:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, env func(string) string) error {
	flags := flag.NewFlagSet("must-gather", flag.ContinueOnError)
	out := flags.String("o", "/must-gather", "folder for the results")
	namespaces := flags.String("n", "", "namespaces to look into, separated by commas; all that hold something of ours if empty")
	kubeconfig := flags.String("kubeconfig", "", "kubeconfig; the usual places if empty")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	since, err := sinceWhen(env)
	if err != nil {
		return err
	}
	config, err := configOf(*kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 50, 100
	g, err := gathererFor(config, *out, since)
	if err != nil {
		return err
	}
	if *namespaces != "" {
		g.namespaces = strings.Split(*namespaces, ",")
	}
	return g.gather(ctx)
}

func configOf(path string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = path
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
}

func gathererFor(config *rest.Config, out string, since *time.Time) (*gatherer, error) {
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	core, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	served, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	return &gatherer{objects: objects, core: core, served: served, out: out, since: since, log: slog.New(slog.NewTextHandler(os.Stdout, nil))}, nil
}

// sinceWhen is from when on logs are wanted; nil for all that there is.
func sinceWhen(env func(string) string) (*time.Time, error) {
	if text := env(envSinceTime); text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", envSinceTime, err)
		}
		return &at, nil
	}
	if text := env(envSince); text != "" {
		span, err := time.ParseDuration(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", envSince, err)
		}
		at := time.Now().Add(-span)
		return &at, nil
	}
	return nil, nil
}
