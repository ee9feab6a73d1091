package command

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/trace"
)

// flushLimit is how long the last spans may take to be sent; it fits behind gracefulShutdown into the pod's grace period.
const flushLimit = time.Second

// runTraced runs the manager with traces, if the environment names where to send them.
func runTraced(ctx context.Context, o ManagerOptions) error {
	tracer, flush, err := trace.Start(ctx, trace.Options{Env: os.Getenv, Version: o.Version, Namespace: o.Namespace,
		Pod: os.Getenv(names.EnvPodName), Log: o.Log.WithName("trace")})
	if err != nil {
		return err
	}
	o.Tracer = tracer
	err = RunManager(ctx, o)
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushLimit)
	defer cancel()
	return errors.Join(err, flush(limited))
}
