package metrics

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/link"
)

// State is where the figures come from that are read when somebody scrapes.
type State struct {
	// Reader reads from the cache, so that a scrape costs no request.
	Reader client.Reader
	// Namespace is where the clusters of this operator are; empty is everywhere.
	Namespace string
	// Links knows how the clusters are reached.
	Links *link.Registry
	// Elected is closed once this replica leads; another one tells nothing of the resources.
	Elected <-chan struct{}
	// AdmissionEnds is when the certificate of the admission server ends; zero while there is none.
	AdmissionEnds func() time.Time
}

// Follow adds a source of state until the returned function is called.
func (m *Metrics) Follow(s State) (stop func()) {
	source := &s
	m.states.mu.Lock()
	defer m.states.mu.Unlock()
	m.states.sources = append(m.states.sources, source)
	return func() {
		m.states.mu.Lock()
		defer m.states.mu.Unlock()
		m.states.sources = slices.DeleteFunc(m.states.sources, func(o *State) bool { return o == source })
	}
}

// scrapeLimit keeps a scrape from waiting for a cache that is not filled yet.
const scrapeLimit = 2 * time.Second

// stateMetrics are told by the collector below.
var stateMetrics = []string{Resources, ClusterReady, ClusterReachable, ClusterReading, ClusterLicense, DatabaseBackup, BackupInterval, BackupFailed, AdmissionExpiry}

// states reads its sources at each scrape.
type states struct {
	descs   map[string]*prometheus.Desc
	mu      sync.Mutex
	sources []*State
}

func newStates() *states {
	s := &states{descs: map[string]*prometheus.Desc{}}
	for _, name := range stateMetrics {
		s.descs[name] = define(name).desc()
	}
	return s
}

// Describe names the metrics.
func (s *states) Describe(to chan<- *prometheus.Desc) {
	for _, name := range stateMetrics {
		to <- s.descs[name]
	}
}

// Collect reads the figures.
func (s *states) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	told := map[string]bool{}
	for _, source := range s.sources {
		tell := func(name string, value float64, labels ...string) {
			// Two managers in one process share what has no label for either; a figure told twice fails the whole scrape.
			key := strings.Join(append([]string{name}, labels...), "\xff")
			if told[key] {
				return
			}
			told[key] = true
			to <- prometheus.MustNewConstMetric(s.descs[name], prometheus.GaugeValue, value, labels...)
		}
		source.tellAdmission(tell)
		select {
		case <-source.Elected:
			source.tellClusters(ctx, tell)
			source.tellOthers(ctx, tell)
		default:
		}
	}
}

type teller func(name string, value float64, labels ...string)

func (s *State) tellAdmission(tell teller) {
	if s.AdmissionEnds == nil {
		return
	}
	if end := s.AdmissionEnds(); !end.IsZero() {
		tell(AdmissionExpiry, float64(end.Unix()))
	}
}

// tellClusters tells of each cluster, and how many there are of each state. What cannot be read is left out: a scrape
// that fails as a whole would take all the rest with it.
func (s *State) tellClusters(ctx context.Context, tell teller) {
	var list v1.RedisEnterpriseClusterList
	if err := s.Reader.List(ctx, &list, client.InNamespace(s.Namespace)); err != nil {
		return
	}
	words := tally{}
	for i := range list.Items {
		rec := &list.Items[i]
		words.add(rec.Namespace, string(rec.Status.State))
		tell(ClusterReady, number(meta.IsStatusConditionTrue(rec.Status.Conditions, v1.ConditionReady)), rec.Namespace, rec.Name)
		if l := rec.Status.LicenseStatus; l != nil {
			if end, err := time.Parse(time.RFC3339, l.ExpirationDate); err == nil {
				tell(ClusterLicense, float64(end.Unix()), rec.Namespace, rec.Name)
			}
		}
		s.tellLink(rec, tell)
	}
	words.tell("RedisEnterpriseCluster", tell)
}

func (s *State) tellLink(rec *v1.RedisEnterpriseCluster, tell teller) {
	if s.Links == nil {
		return
	}
	l := s.Links.Get(client.ObjectKeyFromObject(rec))
	if l == nil {
		return
	}
	snapshot := l.Latest()
	tell(ClusterReachable, number(snapshot.Up()), rec.Namespace, rec.Name)
	if snapshot.Known() {
		tell(ClusterReading, float64(snapshot.Time.UnixMilli())/1000, rec.Namespace, rec.Name)
		tellBackups(snapshot, tell, rec.Namespace, rec.Name)
	}
}

func (s *State) tellOthers(ctx context.Context, tell teller) {
	var databases v1alpha1.RedisEnterpriseDatabaseList
	if s.Reader.List(ctx, &databases) == nil {
		words := tally{}
		for i := range databases.Items {
			words.add(databases.Items[i].Namespace, string(databases.Items[i].Status.Status))
		}
		words.tell("RedisEnterpriseDatabase", tell)
	}
	var remotes v1alpha1.RedisEnterpriseRemoteClusterList
	if s.Reader.List(ctx, &remotes) == nil {
		words := tally{}
		for i := range remotes.Items {
			words.add(remotes.Items[i].Namespace, string(remotes.Items[i].Status.Status))
		}
		words.tell("RedisEnterpriseRemoteCluster", tell)
	}
	var active v1alpha1.RedisEnterpriseActiveActiveDatabaseList
	if s.Reader.List(ctx, &active) == nil {
		words := tally{}
		for i := range active.Items {
			words.add(active.Items[i].Namespace, string(active.Items[i].Status.Status))
		}
		words.tell("RedisEnterpriseActiveActiveDatabase", tell)
	}
}

// tally counts resources by namespace and status word.
type tally map[[2]string]int

func (t tally) add(namespace, status string) {
	if status == "" {
		status = "unknown"
	}
	t[[2]string{namespace, status}]++
}

func (t tally) tell(kind string, tell teller) {
	for key, n := range t {
		tell(Resources, float64(n), kind, key[0], key[1])
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
