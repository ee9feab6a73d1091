package command

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clientrest "k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/internal/rigger"
)

// RiggerOptions say which cluster the services rigger serves.
type RiggerOptions struct {
	Settings       rigger.Settings
	Config         *clientrest.Config
	CredentialsDir string
	Listen         string // health endpoint
	Log            *slog.Logger
}

// riggerCommand runs in the Deployment <rec>-services-rigger.
func riggerCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "services-rigger",
		Short: "Make the Services of each database and point them at the pods that hold its endpoints",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := ctrl.GetConfig()
			if err != nil {
				return err
			}
			settings, err := rigger.ReadSettings(os.Getenv)
			if err != nil {
				return err
			}
			log := logger()
			ctrl.SetLogger(logr.FromSlogHandler(log.Handler()))
			return RunRigger(cmd.Context(), RiggerOptions{Settings: settings, Config: config,
				CredentialsDir: names.CredentialsDir, Listen: ":" + strconv.Itoa(names.ProbePort), Log: log})
		},
	}
}

// RunRigger serves one cluster until ctx ends.
func RunRigger(ctx context.Context, o RiggerOptions) error {
	kubernetes, optional, err := riggerCluster(o)
	if err != nil {
		return err
	}
	discoverer, err := platform.DiscovererFor(o.Config)
	if err != nil {
		return err
	}
	notes := func() board.Data { return riggerBoard(ctx, kubernetes, o) }
	credentials := func() rest.Credentials { return mountedCredentials(o.CredentialsDir) }
	api := rest.New(rest.Options{
		ServerName:  names.FQDN(o.Settings.Cluster, o.Settings.Namespace),
		Addresses:   func() []string { return notes().Addresses() },
		RootCAs:     func() *x509.CertPool { return notes().Roots() },
		Credentials: credentials,
		Timeout:     5 * time.Second,
	})
	defer api.Close()
	rec := &appv1.RedisEnterpriseCluster{}
	rec.Namespace, rec.Name, rec.UID = o.Settings.Namespace, o.Settings.Cluster, types.UID(o.Settings.ClusterUID)
	r := &rigger.Rigger{Settings: o.Settings, API: &patient{Lister: api, formed: func() bool { return notes().Formed() }, credentials: credentials}, Client: kubernetes.GetClient(), Live: kubernetes.GetAPIReader(), Kinds: discoverer.Kinds, Owner: rec, Log: o.Log}
	events, end, err := recorder(kubernetes)
	if err != nil {
		return err
	}
	defer end()
	r.Events = events

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return kubernetes.Start(ctx) })
	if kinds := ingress.Kinds(o.Settings.Ingress.Method); len(kinds) > 0 {
		followKinds(ctx, discoverer, optional, kinds, o.Log)
		group.Go(func() error { return discoverer.Start(ctx) })
	}
	group.Go(func() error {
		if !kubernetes.GetCache().WaitForCacheSync(ctx) {
			return fmt.Errorf("the Kubernetes API did not answer before the rigger ended")
		}
		return r.Run(ctx)
	})
	group.Go(func() error { return serveHealth(ctx, o.Listen, r.Healthy) })
	return group.Wait()
}

// followKinds holds the objects of the method's kinds in the cache from when they are served until they are no more.
func followKinds(ctx context.Context, discoverer *platform.Discoverer, held *platform.Cache, wanted []schema.GroupVersionKind, log *slog.Logger) {
	if err := discoverer.Look(ctx); err != nil && ctx.Err() == nil {
		log.Warn("the kinds of this Kubernetes were not read", "error", err)
	}
	discoverer.Await("services-rigger", wanted...)
	follow := func(served platform.Kinds) {
		for _, kind := range wanted {
			if !served.Has(kind) {
				held.Unfollow(kind)
			} else if err := held.Follow(ctx, kind, nil); err != nil {
				log.Warn("objects are not held", "kind", kind.String(), "error", err)
			}
		}
	}
	context.AfterFunc(ctx, discoverer.Subscribe(follow))
	follow(discoverer.Kinds())
}

// riggerCluster reads node pods, Services and the bulletin board of one cluster from a cache, and nothing else but what
// leads in from outside.
func riggerCluster(o RiggerOptions) (cluster.Cluster, *platform.Cache, error) {
	scheme, err := Scheme()
	if err != nil {
		return nil, nil, err
	}
	mine := labels.SelectorFromSet(names.ClusterLabels(o.Settings.Cluster))
	var held *platform.Cache
	made, err := cluster.New(o.Config, func(options *cluster.Options) {
		options.Scheme = scheme
		options.NewCache = func(config *clientrest.Config, cached cache.Options) (cache.Cache, error) {
			var err error
			held, err = platform.NewCache(config, cached, platform.Selection{Namespace: o.Settings.Namespace, Labels: mine})
			return held, err
		}
		options.Cache.DefaultNamespaces = map[string]cache.Config{o.Settings.Namespace: {}}
		options.Cache.ByObject = map[client.Object]cache.ByObject{
			&corev1.Pod{}:       {Label: labels.SelectorFromSet(names.NodeLabels(o.Settings.Cluster))},
			&corev1.Service{}:   {Label: mine},
			&corev1.ConfigMap{}: {Label: mine},
		}
	})
	return made, held, err
}

func riggerBoard(ctx context.Context, c cluster.Cluster, o RiggerOptions) board.Data {
	var cm corev1.ConfigMap
	if err := c.GetClient().Get(ctx, types.NamespacedName{Namespace: o.Settings.Namespace, Name: names.Board(o.Settings.Cluster)}, &cm); err != nil {
		return nil
	}
	return cm.Data
}

// mountedCredentials reads the credentials from the files of the mounted Secret; they may change at any time.
func mountedCredentials(dir string) rest.Credentials {
	user, _ := os.ReadFile(filepath.Join(dir, names.UsernameKey))
	password, _ := os.ReadFile(filepath.Join(dir, names.PasswordKey))
	return rest.Credentials{Username: strings.TrimSpace(string(user)), Password: strings.TrimRight(string(password), "\r\n")}
}

// patient asks nothing before the cluster is formed, and rests after credentials were refused.
type patient struct {
	rigger.Lister
	rest.Patience
	formed      func() bool
	credentials func() rest.Credentials
}

// ListBDBs asks unless it is too early or the credentials are known to be refused.
func (p *patient) ListBDBs(ctx context.Context, fields ...string) ([]rest.BDB, error) {
	if !p.formed() {
		return nil, errors.New("the cluster is not formed yet")
	}
	credentials := p.credentials()
	if until, resting := p.Resting(credentials, time.Now()); resting {
		return nil, fmt.Errorf("the cluster refuses the credentials; asking again at %s unless they change", until.Format(time.TimeOnly))
	}
	list, err := p.Lister.ListBDBs(ctx, fields...)
	p.Note(credentials, err, time.Now())
	return list, err
}

func serveHealth(ctx context.Context, listen string, healthy func() error) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := healthy(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok")
	})
	return serve(ctx, &http.Server{Addr: listen, Handler: mux, ReadHeaderTimeout: 10 * time.Second})
}
