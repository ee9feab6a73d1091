package standin

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/open-redis-enterprise/operator/internal/command"
	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rigger"
)

// run runs the pod's containers until ctx ends or one of them fails.
func (p *pod) run(ctx context.Context, log *slog.Logger) error {
	dir := filepath.Join(p.kubelet.Dir, "pods", string(p.object.UID))
	credentials := filepath.Join(dir, "credentials")
	if err := p.mountCredentials(ctx, credentials); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.refresh(ctx, credentials) })
	for _, c := range p.object.Spec.Containers {
		switch {
		case c.Name == names.NodeContainer:
			group.Go(func() error { return p.runNode(ctx, c, dir) })
		case slices.Contains(c.Args, "bootstrapper"):
			group.Go(func() error { return p.runBootstrapper(ctx, c.Name, credentials, log) })
		case slices.Contains(c.Args, "services-rigger"):
			group.Go(func() error { return p.runRigger(ctx, c.Name, credentials, log) })
		case c.Image == ForeignImage: // looks after nothing; a test does what it would
		default:
			return fmt.Errorf("the stand-in does not know how to run container %s", c.Name)
		}
	}
	return group.Wait()
}

// refresh keeps the mounted Secret current.
func (p *pod) refresh(ctx context.Context, dir string) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(5 * poll):
		}
		if err := p.mountCredentials(ctx, dir); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

func (p *pod) runNode(ctx context.Context, c corev1.Container, dir string) error {
	volume, err := p.volume(ctx, dir)
	if err != nil {
		return err
	}
	config := emulator.Config{
		Addr:            p.address,
		Dir:             volume,
		TempDir:         filepath.Join(dir, "tmp"),
		SoftwareVersion: softwareVersion(c.Image),
		Hostname:        p.object.Name,
		OperationDelay:  50 * time.Millisecond,
		FailureTimeout:  3 * time.Second, // a busy machine is no dead node
		Logger:          p.kubelet.Log.With("node", p.object.Name),
	}
	if p.kubelet.Tune != nil {
		p.kubelet.Tune(p.object, &config)
	}
	for _, d := range []string{config.Dir, config.TempDir} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	node, err := emulator.New(config)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.emulator = node
	p.mu.Unlock()
	select {
	case <-p.killed: // before there was a node to kill
		return node.Kill()
	default:
		return node.Run(ctx)
	}
}

// volume is a directory that lives as long as the pod's claim, or as the pod where it has none.
func (p *pod) volume(ctx context.Context, dir string) (string, error) {
	for _, v := range p.object.Spec.Volumes {
		if v.PersistentVolumeClaim == nil || v.Name != names.StorageClaim {
			continue
		}
		claim, err := p.kubelet.client.CoreV1().PersistentVolumeClaims(p.object.Namespace).Get(ctx, v.PersistentVolumeClaim.ClaimName, metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		return filepath.Join(p.kubelet.Dir, "volumes", string(claim.UID)), nil
	}
	return filepath.Join(dir, "volume"), nil
}

// softwareVersion is the version inside an image tag such as 8.2.0-46.13: software build, then operator build.
func softwareVersion(image string) string {
	tag := image[strings.LastIndex(image, ":")+1:]
	if i := strings.LastIndex(tag, "."); strings.Contains(tag, "-") && i > strings.Index(tag, "-") {
		return tag[:i]
	}
	return tag
}

func (p *pod) runBootstrapper(ctx context.Context, container, credentials string, log *slog.Logger) error {
	env := p.env(container)
	client, err := kubernetes.NewForConfig(p.config())
	if err != nil {
		return err
	}
	return command.RunBootstrapper(ctx, command.BootstrapperOptions{
		Cluster:        env[names.EnvCluster],
		Namespace:      env[names.EnvPodNamespace],
		Pod:            env[names.EnvPodName],
		PodIP:          env[names.EnvPodIP],
		Loopback:       net.JoinHostPort(p.address, strconv.Itoa(names.APIPort)),
		Listen:         net.JoinHostPort(p.address, strconv.Itoa(names.ProbePort)),
		CredentialsDir: credentials,
		Client:         client,
		Log:            log,
		Kill:           p.killed,
	})
}

func (p *pod) runRigger(ctx context.Context, container, credentials string, log *slog.Logger) error {
	env := p.env(container)
	settings, err := rigger.ReadSettings(func(key string) string { return env[key] })
	if err != nil {
		return err
	}
	return command.RunRigger(ctx, command.RiggerOptions{Settings: settings, Config: p.config(), CredentialsDir: credentials,
		Listen: net.JoinHostPort(p.address, strconv.Itoa(names.ProbePort)), Log: log})
}
