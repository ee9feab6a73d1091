// Package command is the command line: one binary with a subcommand per program of the operator.
package command

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"

	configv1 "github.com/openshift/api/config/v1"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/ingress"
)

// Root is the whole command line. Without a subcommand it is the manager.
func Root(version string) *cobra.Command {
	manager := managerCommand(version)
	root := &cobra.Command{
		Use:           "manager",
		Short:         "Operator for Redis Enterprise on Kubernetes",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          manager.RunE,
	}
	root.Flags().AddFlagSet(manager.Flags())
	root.AddCommand(manager, bootstrapperCommand(), riggerCommand())
	return root
}

// Scheme knows all kinds that our programs read or write.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, appv1.AddToScheme, appv1alpha1.AddToScheme, ingress.AddToScheme, monitoringv1.AddToScheme, configv1.Install} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return scheme, nil
}

func logger() *slog.Logger { return slog.New(slog.NewJSONHandler(os.Stderr, nil)) }

// serve runs an HTTP server until ctx ends.
func serve(ctx context.Context, server *http.Server) error {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		_ = server.Close()
	}()
	err := server.ListenAndServe()
	if !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-stopped
	return nil
}
