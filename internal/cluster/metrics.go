package cluster

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Documented defaults of the metrics settings (rule REC-114).
const (
	defaultMetricsInFlight  = 2
	defaultMetricsStorageMB = 1024
	defaultMetricsDays      = 8
)

// MetricsSeen is what is known about the metrics of a cluster.
type MetricsSeen struct {
	// Certificate is what the exporters present: as the cluster says, or as it was said last while it cannot be asked.
	Certificate string
	// Config are the settings, read only where the spec has an opinion on them; nil while they are not known.
	Config *rest.MetricsConfig
	// TooOld is true for a cluster that has no such settings.
	TooOld bool
}

// monitored tells whether a ServiceMonitor is wanted, and alarmed a PrometheusRule: where the kind is served, unless the
// user says otherwise.
func monitored(in Inputs) bool {
	return in.Kinds.Has(platform.ServiceMonitor) && in.REC.Annotations[names.AnnotationServiceMonitor] != "false"
}

func alarmed(in Inputs) bool {
	return in.Kinds.Has(platform.PrometheusRule) && in.REC.Annotations[names.AnnotationPrometheusRule] != "false"
}

// observeMetrics reads what concerns the metrics and is wanted. What cannot be read now is read by the next run.
func (k *Kind) observeMetrics(ctx context.Context, in Inputs, o *Observed) {
	if monitored(in) {
		o.Metrics.Certificate = k.knownCertificate(ctx, in.REC)
	}
	l := k.Links.Get(client.ObjectKeyFromObject(in.REC))
	if l == nil || !o.reached() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readingLimit)
	defer cancel()
	if monitored(in) {
		certificate, err := l.Client().GetMetricsCertificate(ctx)
		if err == nil {
			o.Metrics.Certificate = certificate
		} else {
			log.FromContext(ctx).Info("certificate of the metrics not read; the next run asks again", "error", err.Error())
		}
	}
	if in.REC.Spec.MetricsConfig != nil {
		config, err := l.Client().GetMetricsConfig(ctx)
		switch {
		case err == nil:
			o.Metrics.Config = config
		case rest.IsNotFound(err):
			o.Metrics.TooOld = true
		default:
			log.FromContext(ctx).Info("metrics settings of the cluster not read; the next run asks again", "error", err.Error())
		}
	}
}

// knownCertificate is the certificate that was written down last.
func (k *Kind) knownCertificate(ctx context.Context, rec *v1.RedisEnterpriseCluster) string {
	var known corev1.ConfigMap
	if err := k.Client.Get(ctx, client.ObjectKey{Namespace: rec.Namespace, Name: names.MetricsCA(rec.Name)}, &known); err != nil {
		return ""
	}
	return known.Data[names.CAKey]
}

// metricsObjects are the objects about metrics that are wanted, in the order in which they are of use.
func metricsObjects(in Inputs, c children.Cluster, o *Observed) []client.Object {
	var wanted []client.Object
	if from, err := children.MetricsFrom(in.REC.Annotations); err == nil && from != nil {
		wanted = append(wanted, children.MetricsPolicy(c, from))
	}
	if monitored(in) && o.Metrics.Certificate != "" {
		scrape := children.Scrape{
			CA:         o.Metrics.Certificate,
			ServerName: certificateName(o.Metrics.Certificate, names.FQDN(in.REC.Name, in.REC.Namespace)),
			Secret:     scrapeSecret(in, o),
		}
		wanted = append(wanted, children.MetricsCA(c, scrape), children.ServiceMonitor(c, scrape))
	}
	if alarmed(in) {
		wanted = append(wanted, children.PrometheusRule(c))
	}
	if in.REC.Annotations[names.AnnotationDashboards] == "true" {
		if dashboards, err := children.Dashboards(c); err == nil { // they are built in, and a test reads them
			wanted = append(wanted, dashboards)
		}
	}
	return wanted
}

// scrapeSecret holds the credentials to scrape with, where the cluster asks for some: those that the user names, or else
// the administrator's.
func scrapeSecret(in Inputs, o *Observed) string {
	if o.Snapshot == nil || o.Snapshot.Cluster == nil || !rest.Value(o.Snapshot.Cluster.MetricsAuth) {
		return ""
	}
	return cmp.Or(in.REC.Annotations[names.AnnotationMetricsSecret], in.Credentials.Secret)
}

// certificateName is the name to expect in a certificate that is trusted as it is: the cluster's own if the certificate
// has it, as those that the cluster makes do, or else the first name that it has.
func certificateName(text, cluster string) string {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return cluster
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil || certificate.VerifyHostname(cluster) == nil || len(certificate.DNSNames) == 0 {
		return cluster
	}
	if below, wildcard := strings.CutPrefix(certificate.DNSNames[0], "*."); wildcard {
		return "metrics." + below
	}
	return certificate.DNSNames[0]
}

// wantedMetricsConfig is what the spec says of the metrics settings, with the defaults of what it leaves out; nil where
// it says nothing.
func wantedMetricsConfig(rec *v1.RedisEnterpriseCluster) *rest.MetricsConfig {
	m := rec.Spec.MetricsConfig
	if m == nil {
		return nil
	}
	keys := make(rest.Strings, 0, len(m.MetricsTagKeysExposed))
	for _, key := range m.MetricsTagKeysExposed {
		keys = append(keys, strings.ToLower(key))
	}
	slices.Sort(keys)
	return &rest.MetricsConfig{
		ExposeDBTags:              ptr.To(ptr.Deref(m.ExposeDatabaseTags, false)),
		MetricsTagKeysExposed:     &keys,
		MaxRequestsInFlight:       number(m.MaxRequestsInFlight, defaultMetricsInFlight),
		KeyDistributionEnabled:    ptr.To(ptr.Deref(m.KeyDistributionEnabled, false)),
		KeySizeBuckets:            ptr.To(ptr.Deref(m.KeySizeBuckets, "")),
		KeyItemsBuckets:           ptr.To(ptr.Deref(m.KeyItemsBuckets, "")),
		LocalStorageMaxSizeMB:     number(m.LocalStorageMaxSizeMb, defaultMetricsStorageMB),
		LocalStorageRetentionDays: number(m.LocalStorageRetentionDays, defaultMetricsDays),
	}
}

func number(given *int, standard int) *rest.Int { return ptr.To(rest.Int(ptr.Deref(given, standard))) }

// metricsUpdate is the part of the wanted settings that differs, and what to say of it; nil for no difference.
func metricsUpdate(have, want *rest.MetricsConfig) (*rest.MetricsConfig, []string) {
	update, changes := &rest.MetricsConfig{}, []string(nil)
	settle(&changes, "exposeDatabaseTags (expose_db_tags)", have.ExposeDBTags, want.ExposeDBTags, &update.ExposeDBTags)
	is := slices.Sorted(slices.Values(rest.Value(have.MetricsTagKeysExposed)))
	if wish := rest.Value(want.MetricsTagKeysExposed); !slices.Equal(is, wish) {
		update.MetricsTagKeysExposed = want.MetricsTagKeysExposed
		changes = append(changes, fmt.Sprintf("spec.metricsConfig.metricsTagKeysExposed (metrics_tag_keys_exposed): %v → %v", is, []string(wish)))
	}
	settle(&changes, "maxRequestsInFlight (max_requests_in_flight)", have.MaxRequestsInFlight, want.MaxRequestsInFlight, &update.MaxRequestsInFlight)
	settle(&changes, "keyDistributionEnabled (key_distribution_enabled)", have.KeyDistributionEnabled, want.KeyDistributionEnabled, &update.KeyDistributionEnabled)
	settle(&changes, "keySizeBuckets (key_size_buckets)", have.KeySizeBuckets, want.KeySizeBuckets, &update.KeySizeBuckets)
	settle(&changes, "keyItemsBuckets (key_items_buckets)", have.KeyItemsBuckets, want.KeyItemsBuckets, &update.KeyItemsBuckets)
	settle(&changes, "localStorageMaxSizeMb (local_storage_max_size_mb)", have.LocalStorageMaxSizeMB, want.LocalStorageMaxSizeMB, &update.LocalStorageMaxSizeMB)
	settle(&changes, "localStorageRetentionDays (local_storage_retention_days)", have.LocalStorageRetentionDays, want.LocalStorageRetentionDays, &update.LocalStorageRetentionDays)
	if changes == nil {
		return nil, nil
	}
	return update, changes
}

// settle takes one setting into the update if it differs.
func settle[T comparable](changes *[]string, name string, have, want *T, into **T) {
	if have != nil && *have == *want {
		return
	}
	was := "unset"
	if have != nil {
		was = fmt.Sprintf("%v", *have)
	}
	*into = want
	*changes = append(*changes, fmt.Sprintf("spec.metricsConfig.%s: %s → %v", name, was, *want))
}
