package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	clientrest "k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/controllers"
	"github.com/open-redis-enterprise/operator/internal/activeactive"
	"github.com/open-redis-enterprise/operator/internal/admission"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/metrics"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/reach"
	"github.com/open-redis-enterprise/operator/internal/remotecluster"
	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/internal/tlsprofile"
	"github.com/open-redis-enterprise/operator/internal/trace"
	"github.com/open-redis-enterprise/operator/internal/upgradeable"
)

// ManagerOptions configure one replica of the operator.
type ManagerOptions struct {
	Config *clientrest.Config
	// Namespace is the operator's own; Watch are all namespaces it reads (empty: all of the cluster).
	Namespace string
	Watch     []string
	// Label selects further namespaces to read, by a label of theirs; empty for none.
	Label string
	// AskAgain is how often it is asked whether other namespaces could be served; zero is a minute.
	AskAgain time.Duration
	Images   controllers.Images
	// Proxy is handed on to the nodes of clusters that ask for it.
	Proxy []corev1.EnvVar
	// Gate is how the operator tells OLM whether it may be upgraded.
	Gate controllers.Gate
	// LeaderElection is off only where no second replica can be.
	LeaderElection bool
	// Addresses to listen on; "0" switches one off.
	HealthAddress, MetricsAddress, AdmissionAddress string
	// AdmissionDirectory may hold a mounted certificate of the admission server.
	AdmissionDirectory string
	// MetricsSecure serves the metrics over TLS, and only to whom Kubernetes lets read /metrics.
	MetricsSecure bool
	// Tracer makes spans of the reconciles; nil makes none.
	Tracer *trace.Tracer
	// PollIdle and PollBusy pace the readings of each cluster; zero is the default of package link.
	PollIdle, PollBusy time.Duration
	// Wrap, if set, wraps the client that writes to Kubernetes; Middleware wraps the calls of the admin API.
	Wrap       func(client.Client) client.Client
	Middleware func(types.NamespacedName) []rest.Middleware
	// Dial, if set, opens the connections to clusters from outside.
	Dial reach.Dial
	Log  logr.Logger
	// Version is told in the metrics.
	Version string
}

func managerCommand(version string) *cobra.Command {
	o := ManagerOptions{}
	cmd := &cobra.Command{
		Use:   "manager",
		Short: "Reconcile the custom resources and answer admission reviews (the default)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Log = zap.New(zap.JSONEncoder())
			ctrl.SetLogger(o.Log)
			klog.SetLogger(o.Log) // client-go logs too, and all of it is JSON
			var err error
			if o.Config, err = ctrl.GetConfig(); err != nil {
				return err
			}
			o.readEnvironment(os.Getenv)
			o.Proxy = platform.Proxy(os.LookupEnv)
			if o.Namespace == "" {
				return fmt.Errorf("%s must name the operator's namespace", names.EnvPodNamespace)
			}
			o.Version = version
			o.Log.Info("starting", "version", version, "namespace", o.Namespace, "watching", o.Watch)
			return runTraced(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.LeaderElection, "leader-elect", true, "let one of several replicas lead")
	cmd.Flags().StringVar(&o.HealthAddress, "health-address", fmt.Sprintf(":%d", names.HealthPort), "where /healthz and /readyz are served")
	cmd.Flags().StringVar(&o.MetricsAddress, "metrics-address", fmt.Sprintf(":%d", names.OperatorMetric), "where /metrics is served; 0 for nowhere")
	cmd.Flags().BoolVar(&o.MetricsSecure, "metrics-secure", false, "serve /metrics over TLS and ask Kubernetes who may read it")
	cmd.Flags().StringVar(&o.AdmissionAddress, "admission-address", fmt.Sprintf(":%d", names.WebhookPort), "where admission reviews are answered; 0 for nowhere")
	cmd.Flags().DurationVar(&o.Gate.Limit, "upgrade-hold-limit", upgradeable.DefaultLimit,
		"how long a cluster that is not as it should be, and does not move, holds back an upgrade of the operator by OLM; 0 for as long as it lasts")
	cmd.Flags().StringVar(&o.AdmissionDirectory, "admission-certificate-dir", admission.MountedDirectory,
		"where a mounted tls.crt and tls.key are looked for; without them the operator makes its own")
	return cmd
}

// readEnvironment fills what the Deployment gives in its environment.
func (o *ManagerOptions) readEnvironment(env func(string) string) {
	o.Namespace = env(names.EnvPodNamespace)
	o.Gate.Condition = env(names.EnvOperatorCondition)
	if text := env(names.EnvMetricsSecure); text != "" {
		secure, err := strconv.ParseBool(text)
		o.MetricsSecure = o.MetricsSecure || secure || err != nil // whoever sets it wants it
	}
	o.Watch = listed(env("WATCH_NAMESPACE"))
	if len(o.Watch) > 0 { // else it is all of them
		more := listed(env(names.EnvDatabaseNamespaces))
		o.Watch = append(o.Watch, more...)
		if len(more) == 0 {
			o.Label = strings.TrimSpace(env(names.EnvDatabaseLabel))
		}
	}
	o.Images = controllers.Images{
		Node:         env("RELATED_IMAGE_REDIS_ENTERPRISE"),
		Bootstrapper: env("RELATED_IMAGE_BOOTSTRAPPER"),
		Rigger:       env("RELATED_IMAGE_SERVICES_RIGGER"),
	}
}

// RunManager runs one replica until ctx ends.
func RunManager(ctx context.Context, o ManagerOptions) error {
	scheme, err := Scheme()
	if err != nil {
		return err
	}
	figures, err := metrics.New(ctrlmetrics.Registry)
	if err != nil {
		return err
	}
	figures.Version(o.Version)
	ask, err := askKubernetes(o.Config)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	labelled, err := o.withLabel(ctx, end)
	if err != nil {
		return err
	}
	var left map[string]string
	o.Watch, left = servable(ctx, o.Namespace, o.Watch, ask, o.Log)
	serving := &serving{}
	var kept *platform.Cache
	mgr, err := ctrl.NewManager(o.Config, ctrl.Options{
		Scheme: scheme,
		Logger: o.Log,
		Cache:  cacheOptions(o),
		NewCache: func(config *clientrest.Config, options cache.Options) (cache.Cache, error) {
			var err error
			kept, err = platform.NewCache(config, options, platform.Selection{Namespace: o.Namespace, Labels: ours()})
			return kept, err
		},
		NewClient:                     o.newClient,
		LeaderElection:                o.LeaderElection,
		LeaderElectionID:              names.Owner + ".open-redis-enterprise.io",
		LeaderElectionNamespace:       o.Namespace,
		LeaderElectionReleaseOnCancel: true,
		HealthProbeBindAddress:        o.HealthAddress,
		Metrics:                       o.metricsServer(serving),
		GracefulShutdownTimeout:       ptr.To(gracefulShutdown),
		Controller:                    config.Controller{SkipNameValidation: ptr.To(true)}, // tests run several managers
	})
	if err != nil {
		return err
	}
	links := link.NewRegistry(link.Options{Idle: o.PollIdle, Busy: o.PollBusy, Middleware: o.middleware(figures)})
	defer links.Close()
	entrances := reach.New(reach.Options{Dial: o.Dial})
	defer entrances.Close()
	prober := remotecluster.NewProber(remotecluster.ProberOptions{Dial: o.Dial})
	defer prober.Close()
	pulse := activeactive.NewPulse(nil)
	defer pulse.Close()
	defer figures.Follow(metrics.State{Reader: mgr.GetClient(), Namespace: o.Namespace, Links: links, Elected: mgr.Elected(), AdmissionEnds: serving.ends})()
	secrets, err := secretNames(mgr, o)
	if err != nil {
		return err
	}
	events, stop, err := recorder(mgr)
	if err != nil {
		return err
	}
	defer stop()
	if labelled != nil {
		if err := mgr.Add(labelled); err != nil {
			return err
		}
	}
	if len(left) > 0 {
		if err := mgr.Add(leftOut{own: o.Namespace, left: left, ask: ask, every: cmp.Or(o.AskAgain, askAgain), events: events, log: o.Log, end: end}); err != nil {
			return err
		}
	}
	teardown := &controllers.Teardown{Live: mgr.GetAPIReader(), Client: mgr.GetClient()}
	if err := teardown.Add(mgr); err != nil {
		return err
	}
	discoverer, err := discover(ctx, mgr, o)
	if err != nil {
		return err
	}
	profile, err := watchProfile(mgr, discoverer)
	if err != nil {
		return err
	}
	serving.profile.Store(profile)
	shared := controllers.Shared{Manager: mgr, Discoverer: discoverer, TLS: profile, Reach: entrances, Prober: prober, Pulse: pulse, Cache: kept, Events: events, Links: links, SecretNames: secrets, Teardown: teardown, Metrics: figures, Tracer: o.Tracer, Namespace: o.Namespace, Gate: o.Gate, Proxy: o.Proxy, Defaults: o.Images}
	for _, c := range controllers.All {
		if err := c.Add(ctx, shared); err != nil {
			return fmt.Errorf("controller of %s: %w", c.Kind, err)
		}
	}
	if err := addAdmission(mgr, shared, serving, o); err != nil {
		return err
	}
	if err := addHealth(mgr); err != nil {
		return err
	}
	// Told to stop: perhaps because the whole namespace is being deleted, pods first. That is looked at at once, beside
	// the shutdown: the namespace's next step comes five seconds later, and must find no pod with a year of grace. And it
	// is looked at again at the end, when no controller of ours writes any more.
	letGo := func() {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
		defer cancel()
		if err := teardown.Insist(limited, o.Namespace); err != nil {
			o.Log.Info("namespace not let go", "error", err.Error())
		}
	}
	looked := make(chan struct{})
	unlook := context.AfterFunc(ctx, func() { defer close(looked); letGo() })
	err = mgr.Start(ctx)
	if !unlook() {
		<-looked
		letGo()
	}
	return err
}

// gracefulShutdown and lastWords fit together into the pod's grace period of ten seconds.
const (
	gracefulShutdown = 5 * time.Second
	lastWords        = 4 * time.Second
)

func (o ManagerOptions) newClient(config *clientrest.Config, options client.Options) (client.Client, error) {
	c, err := client.New(config, options)
	if err != nil || o.Wrap == nil {
		return c, err
	}
	return o.Wrap(c), nil
}

// discover looks for the optional kinds, once before the controllers start and then for as long as the manager runs.
func discover(ctx context.Context, mgr manager.Manager, o ManagerOptions) (*platform.Discoverer, error) {
	discoverer, err := platform.DiscovererFor(o.Config)
	if err != nil {
		return nil, err
	}
	if err := discoverer.Look(logr.NewContext(ctx, o.Log)); err != nil {
		o.Log.Info("the kinds of this Kubernetes were not read; asking again", "error", err.Error())
	}
	return discoverer, mgr.Add(discoverer)
}

// watchProfile follows the TLS profile of an OpenShift for as long as the manager runs.
func watchProfile(mgr manager.Manager, discoverer *platform.Discoverer) (*tlsprofile.Watcher, error) {
	api, err := client.NewWithWatch(mgr.GetConfig(), client.Options{HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return nil, err
	}
	watcher := tlsprofile.NewWatcher(api, discoverer)
	return watcher, mgr.Add(watcher)
}

// ours selects what the operator and its programs make.
func ours() labels.Selector {
	return labels.SelectorFromSet(labels.Set{names.LabelApp: names.AppValue})
}

// cacheOptions keep only what is ours in memory: objects with our label. Databases and their Secrets may be in all watched
// namespaces; clusters and what belongs to them are in the operator's own, and need no rights elsewhere (rule MNS-7).
func cacheOptions(o ManagerOptions) cache.Options {
	own := map[string]cache.Config{o.Namespace: {}}
	labelled := cache.ByObject{Label: ours(), Namespaces: own}
	options := cache.Options{DefaultNamespaces: namespaces(o), ByObject: map[client.Object]cache.ByObject{}, DefaultTransform: cache.TransformStripManagedFields()}
	options.ByObject[&corev1.Secret{}] = cache.ByObject{Label: ours()}
	options.ByObject[&appv1.RedisEnterpriseCluster{}] = cache.ByObject{Namespaces: own}
	options.ByObject[&appv1alpha1.RedisEnterpriseRemoteCluster{}] = cache.ByObject{Namespaces: own}
	for _, kind := range []client.Object{&corev1.ConfigMap{}, &corev1.Pod{}, &corev1.Service{}, &corev1.ServiceAccount{},
		&corev1.PersistentVolumeClaim{}, &appsv1.StatefulSet{}, &appsv1.Deployment{}, &rbacv1.Role{}, &rbacv1.RoleBinding{}, &policyv1.PodDisruptionBudget{}} {
		options.ByObject[kind] = labelled
	}
	return options
}

func namespaces(o ManagerOptions) map[string]cache.Config {
	if len(o.Watch) == 0 {
		return nil
	}
	all := map[string]cache.Config{o.Namespace: {}}
	for _, namespace := range o.Watch {
		all[namespace] = cache.Config{}
	}
	return all
}

// secretNames watches all Secrets by name and version only.
func secretNames(mgr manager.Manager, o ManagerOptions) (cache.Cache, error) {
	c, err := cache.New(o.Config, cache.Options{
		Scheme:            mgr.GetScheme(),
		Mapper:            mgr.GetRESTMapper(),
		DefaultNamespaces: namespaces(o),
		DefaultTransform: func(obj any) (any, error) {
			if m, ok := obj.(*metav1.PartialObjectMetadata); ok {
				m.Labels, m.Annotations, m.ManagedFields, m.OwnerReferences = nil, nil, nil, nil
			}
			return obj, nil
		},
	})
	if err != nil {
		return nil, err
	}
	return c, mgr.Add(c)
}

// recorder sends events through the core API, which is the one that the documented Role grants.
func recorder(c cluster.Cluster) (record.EventRecorder, func(), error) {
	client, err := kubernetes.NewForConfigAndClient(c.GetConfig(), c.GetHTTPClient())
	if err != nil {
		return nil, nil, err
	}
	broadcaster := record.NewBroadcaster()
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	return broadcaster.NewRecorder(c.GetScheme(), corev1.EventSource{Component: names.Owner}), broadcaster.Shutdown, nil
}

func addAdmission(mgr manager.Manager, shared controllers.Shared, serving *serving, o ManagerOptions) error {
	if o.AdmissionAddress == "0" || o.AdmissionAddress == "" {
		return nil
	}
	log := o.Log.WithName("admission")
	keeper := &admission.Keeper{Reader: mgr.GetAPIReader(), Client: mgr.GetClient(), Log: log, Namespace: o.Namespace,
		Service: names.AdmissionService, Directory: o.AdmissionDirectory, Elected: mgr.Elected(), Now: time.Now}
	serving.keeper.Store(keeper)
	server := &admission.Server{Keeper: keeper, Handler: admission.NewHandler(log, shared.Metrics.Reviewed(controllers.Admission(shared))...), Log: log, Profile: shared.TLS.Serve, Address: o.AdmissionAddress}
	for _, runnable := range []manager.Runnable{keeper, server} {
		if err := mgr.Add(runnable); err != nil {
			return err
		}
	}
	return mgr.AddReadyzCheck("admission", server.Ready)
}

// addHealth makes readiness mean that the caches are filled, so that a replica that cannot read Kubernetes is not ready.
func addHealth(mgr manager.Manager) error {
	if err := mgr.AddHealthzCheck("alive", healthz.Ping); err != nil {
		return err
	}
	synced := make(chan struct{})
	if err := mgr.Add(unelected(func(ctx context.Context) error {
		if mgr.GetCache().WaitForCacheSync(ctx) {
			close(synced)
		}
		<-ctx.Done()
		return nil
	})); err != nil {
		return err
	}
	return mgr.AddReadyzCheck("caches", func(*http.Request) error {
		select {
		case <-synced:
			return nil
		default:
			return errors.New("the caches are not filled yet")
		}
	})
}

// unelected is a runnable that runs in every replica.
type unelected func(context.Context) error

// Start runs it.
func (u unelected) Start(ctx context.Context) error { return u(ctx) }

// NeedLeaderElection is false.
func (unelected) NeedLeaderElection() bool { return false }
