package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/open-redis-enterprise/operator/internal/bootstrapper"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// BootstrapperOptions say whose node the bootstrapper looks after.
type BootstrapperOptions struct {
	Cluster, Namespace, Pod, PodIP string
	// Loopback is where the node's API listens for the bootstrapper, a loopback address with a port.
	Loopback string
	// Listen is where the kubelet's probes are answered.
	Listen         string
	CredentialsDir string
	Client         kubernetes.Interface
	Log            *slog.Logger
	// Kill ends everything at once when it is closed, as a lost machine would; nil is never closed.
	Kill <-chan struct{}
}

// bootstrapperCommand runs beside each node.
func bootstrapperCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "bootstrapper",
		Short: "Form or join the cluster for the node in the same pod, and answer the kubelet for it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := ctrl.GetConfig()
			if err != nil {
				return err
			}
			client, err := kubernetes.NewForConfig(config)
			if err != nil {
				return err
			}
			return RunBootstrapper(cmd.Context(), BootstrapperOptions{
				Cluster:        os.Getenv(names.EnvCluster),
				Namespace:      os.Getenv(names.EnvPodNamespace),
				Pod:            os.Getenv(names.EnvPodName),
				PodIP:          os.Getenv(names.EnvPodIP),
				Loopback:       net.JoinHostPort("127.0.0.1", strconv.Itoa(names.APIPort)),
				Listen:         ":" + strconv.Itoa(names.ProbePort),
				CredentialsDir: names.CredentialsDir,
				Client:         client,
				Log:            logger(),
			})
		},
	}
}

// RunBootstrapper runs until ctx ends, then drains the node and stays until the node is gone.
func RunBootstrapper(ctx context.Context, o BootstrapperOptions) error {
	ordinal, ok := names.Ordinal(o.Cluster, o.Pod)
	if !ok || o.Namespace == "" || o.PodIP == "" {
		return fmt.Errorf("%s=%q, %s=%q, %s=%q and %s=%q do not name a node pod", names.EnvCluster, o.Cluster,
			names.EnvPodName, o.Pod, names.EnvPodNamespace, o.Namespace, names.EnvPodIP, o.PodIP)
	}
	fqdn := names.FQDN(o.Cluster, o.Namespace)
	board := bootstrapper.NewKubeBoard(o.Client, o.Namespace, o.Cluster, o.Pod)
	node := bootstrapper.NewRESTNode(o.Loopback, fqdn, o.CredentialsDir)
	defer node.Close()
	agent := &bootstrapper.Agent{Node: node, Board: board, Pod: o.Pod, Ordinal: ordinal, Address: o.PodIP, Cluster: fqdn, Log: o.Log}

	// What runs below must outlive SIGTERM: the node is drained first, and only its end is ours.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	group, life := errgroup.WithContext(life)
	server := &http.Server{Addr: o.Listen, Handler: agent.Handler(), ReadHeaderTimeout: 10 * time.Second}
	group.Go(func() error {
		select {
		case <-o.Kill:
			end()
		case <-life.Done():
		}
		return nil
	})
	group.Go(func() error { return board.Start(life) })
	group.Go(func() error { return agent.Run(life) })
	group.Go(func() error {
		if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		select {
		case <-ctx.Done():
			agent.Finish(life)
			end()
		case <-life.Done():
		}
		return server.Close()
	})
	return group.Wait()
}
