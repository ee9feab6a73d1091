// The operator for Redis Enterprise: one binary, one subcommand per program.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"context"

	"github.com/open-redis-enterprise/operator/internal/command"
)

// version is set when the binary is built.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command.Root(version).ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}
