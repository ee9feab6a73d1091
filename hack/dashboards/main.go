// Command dashboards writes the Grafana dashboards of this project from Go, and draws them.
//
//	dashboards generate --out config/grafana                     write one JSON file per dashboard
//	dashboards record --data DIR [--minutes 10]                  let an emulated cluster work while Prometheus looks
//	dashboards render --prometheus URL --out docs/dashboards     draw the dashboards with the figures of a Prometheus
//	dashboards render --data DIR --out docs/dashboards           the same with what record has left
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("say generate, record or render")

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	f := flag.NewFlagSet(args[0], flag.ContinueOnError)
	out := f.String("out", "", "directory to write to")
	data := f.String("data", "", "directory with what Prometheus has recorded")
	program := f.String("program", "prometheus", "the Prometheus to run")
	url := f.String("prometheus", "", "URL of a running Prometheus")
	minutes := f.Float64("minutes", 10, "how long to record, or to look back")
	end := f.String("end", "", "end of the time drawn (RFC 3339; default now, or the end of the record)")
	only := f.String("only", "", "names of the dashboards to draw, separated by commas (default all)")
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	last := time.Duration(*minutes * float64(time.Minute))
	switch args[0] {
	case "generate":
		return generate(*out)
	case "record":
		return record(ctx, *program, *data, last)
	case "render":
		w := window{length: last, end: time.Now()}
		if *end != "" {
			var err error
			if w.end, err = time.Parse(time.RFC3339, *end); err != nil {
				return err
			}
		}
		return drawing{url: *url, data: *data, program: *program, out: *out, window: w, only: names(*only)}.run(ctx)
	}
	return errUsage
}

func names(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// generate writes all dashboards.
func generate(out string) error {
	for _, d := range All() {
		raw, err := grafana(d)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(out, d.Name+".json"), raw, 0o644); err != nil { //nolint:gosec // a page for everybody
			return err
		}
	}
	return nil
}
