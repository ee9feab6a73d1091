// Command redis-scorecard is the program of our scorecard image. It runs one test and prints its result as JSON, and
// nothing else: the runner takes the whole output of a pod for the result.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	scorecard "github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/open-redis-enterprise/operator/scorecard/lifecycle"
	"github.com/open-redis-enterprise/operator/scorecard/report"
	"github.com/open-redis-enterprise/operator/scorecard/static"
)

func main() {
	quiet()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := execute(ctx, os.Stdout, os.Stderr, os.Args[1:]); err != nil {
		stop()
		os.Exit(1)
	}
}

// quiet keeps the libraries from logging: in a pod that would be part of the result. The runtime library even complains when
// nobody has told it where to log.
func quiet() {
	klog.SetLogger(logr.Discard())
	log.SetLogger(logr.Discard())
}

// execute runs the command line. Arguments that are not understood are told in a result, too.
func execute(ctx context.Context, out, progress io.Writer, args []string) error {
	command := newCommand(ctx, out, progress)
	command.SetArgs(args)
	err := command.Execute()
	if err == nil {
		return nil
	}
	return errors.Join(err, print(out, report.Status(command.Name(), func(t report.T) { t.Fatal(err) })))
}

// newCommand is the command line. Progress, when it is asked for, is the only thing that goes to the second writer.
func newCommand(ctx context.Context, out, progress io.Writer) *cobra.Command {
	var o lifecycle.Options
	var verbose bool
	command := &cobra.Command{
		Use:           "redis-scorecard TEST",
		Short:         "Run one test of the suites redis-static and redis-lifecycle and print its result",
		Long:          "The tests are " + strings.Join(tests(), ", ") + ".",
		Args:          cobra.ExactArgs(1),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	flags := command.Flags()
	flags.StringVar(&o.Bundle, "bundle", lifecycle.DefaultBundle, "folder of the bundle")
	flags.StringVar(&o.CatalogImage, "catalog-image", "", "image of a catalog that holds both releases")
	flags.StringVar(&o.CatalogAddress, "catalog-address", "", "host:port of a catalog that is served already")
	flags.StringVar(&o.From, "from", "1.0.0", "release that is installed first")
	flags.StringVar(&o.To, "to", "1.1.0", "release that it is upgraded to")
	flags.StringVar(&o.Package, "package", lifecycle.DefaultPackage, "package to subscribe to")
	flags.StringVar(&o.Channel, "channel", lifecycle.DefaultChannel, "channel to subscribe to")
	flags.StringVar(&o.Namespace, "namespace", lifecycle.DefaultNamespace, "namespace for the operator; further ones begin with its name")
	flags.StringVar(&o.NodeImage, "node-image", "", "emulator's image, as repository:tag, for the nodes of the examples; the vendor's otherwise")
	flags.DurationVar(&o.Timeout, "timeout", lifecycle.DefaultTimeout, "how long one stage may take")
	flags.BoolVarP(&verbose, "verbose", "v", false, "tell on the standard error what happens; not for pods, whose two outputs are one")
	command.RunE = func(_ *cobra.Command, args []string) error {
		if verbose {
			o.Progress = progress
		}
		return print(out, run(ctx, o, args[0]))
	}
	command.SetOut(progress)
	command.SetErr(progress)
	return command
}

// tests lists the names of all tests.
func tests() []string {
	var names []string
	for _, test := range static.Tests {
		names = append(names, test.Name)
	}
	for _, stage := range lifecycle.Stages() {
		names = append(names, lifecycle.Prefix+stage)
	}
	return names
}

// run finds a test and runs it. That a test cannot be run is a result too.
func run(ctx context.Context, o lifecycle.Options, name string) scorecard.TestStatus {
	if test, found := static.Find(name); found {
		return report.Status(name, func(t report.T) {
			bundle, err := static.Read("bundle", o.Bundle)
			if err != nil {
				t.Fatal(err)
			}
			test.Run(t, bundle)
		})
	}
	if !strings.HasPrefix(name, lifecycle.Prefix) {
		return report.Status(name, func(t report.T) { t.Fatalf("there is no test %s; there are %s", name, strings.Join(tests(), ", ")) })
	}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
	if err != nil {
		return report.Status(name, func(t report.T) { t.Fatal(err) })
	}
	o.Config = config
	return lifecycle.Run(ctx, o, name)
}

func print(out io.Writer, status scorecard.TestStatus) error {
	text, err := json.MarshalIndent(status, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, string(text))
	return err
}
