// Command images builds the project's container images without a container
// engine, as archives that any engine, containerd or registry client loads.
//
// An image is a list of files with fixed times and owners, so an unchanged
// build gives the same digest; an archive that is up to date is left alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sort"
	"syscall"
)

// command is one subcommand: it registers its flags and returns what to run.
type command struct {
	summary string
	flags   func(*flag.FlagSet) func(context.Context) error
}

var commands = map[string]command{
	"operator":    {"the operator's image", operatorCommand},
	"emulator":    {"the emulator's image, with redis-server from Debian", emulatorCommand},
	"node":        {"the images the local cluster itself needs", nodeCommand},
	"must-gather": {"what oc adm must-gather is given", mustGatherCommand},
	"olm":         {"OLM and what it needs, for the suite with a real OLM", olmCommand},
	"parts":       {"proxies and Prometheus for the end-to-end suite", partsCommand},
	"redis":       {"redis-server from Debian, unpacked to run on this machine", redisCommand},
	"scorecard":   {"our scorecard tests", scorecardCommand},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			os.Exit(2)
		}
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		usage()
		return flag.ErrHelp
	}
	chosen, ok := commands[args[0]]
	if !ok {
		usage()
		return flag.ErrHelp
	}
	flags := flag.NewFlagSet("images "+args[0], flag.ContinueOnError)
	build := chosen.flags(flags)
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%s takes no argument %q", args[0], flags.Arg(0))
	}
	return build(ctx)
}

func usage() {
	names := make([]string, 0, len(commands))
	for name := range commands {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Fprintln(os.Stderr, "usage: images COMMAND [flags]   (COMMAND -h lists its flags)")
	for _, name := range names {
		fmt.Fprintf(os.Stderr, "  %-10s %s\n", name, commands[name].summary)
	}
}
