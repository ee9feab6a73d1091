package cluster

import (
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// tagKey is what a key that becomes a label may consist of (rule REC-114).
var tagKey = regexp.MustCompile(`^[A-Za-z0-9 \-_.+@:]{1,64}$`)

// metricsTagKeysFit looks at the keys of tags that are to become labels. How many there may be is the cluster's business.
func metricsTagKeysFit(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	if rec.Spec.MetricsConfig == nil {
		return nil
	}
	seen := map[string]bool{}
	for i, key := range rec.Spec.MetricsConfig.MetricsTagKeysExposed {
		path := fmt.Sprintf("spec.metricsConfig.metricsTagKeysExposed[%d]", i)
		switch small := strings.ToLower(key); {
		case !tagKey.MatchString(key):
			return outcome.Reject(path, "%q is not 1 to 64 letters, digits, spaces or characters of -_.+@:", key)
		case strings.TrimSpace(key) == "":
			return outcome.Reject(path, "a key of spaces alone is not possible")
		case seen[small]:
			return outcome.Reject(path, "%q is there twice; small and capital letters are the same here", key)
		default:
			seen[small] = true
		}
	}
	return nil
}

// metricsNumbersFit refuses numbers that the cluster has no meaning for.
func metricsNumbersFit(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	m := rec.Spec.MetricsConfig
	if m == nil {
		return nil
	}
	for _, field := range []struct {
		name  string
		value *int
		least int
	}{
		{"maxRequestsInFlight", m.MaxRequestsInFlight, 0},
		{"localStorageMaxSizeMb", m.LocalStorageMaxSizeMb, 1},
		{"localStorageRetentionDays", m.LocalStorageRetentionDays, 1},
	} {
		if field.value != nil && *field.value < field.least {
			return outcome.Reject("spec.metricsConfig."+field.name, "%d is not possible; the least is %d", *field.value, field.least)
		}
	}
	return nil
}

// metricsAnnotationsFit looks at the annotations that say how the metrics are read.
func metricsAnnotationsFit(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	for _, name := range []string{names.AnnotationServiceMonitor, names.AnnotationPrometheusRule} {
		if value, given := rec.Annotations[name]; given && value != "true" && value != "false" {
			return outcome.Reject(annotation(name), "%q is neither true nor false", value)
		}
	}
	if _, err := children.MetricsFrom(rec.Annotations); err != nil {
		return outcome.Reject(annotation(names.AnnotationMetricsFrom), "%v", err)
	}
	if secret, given := rec.Annotations[names.AnnotationMetricsSecret]; given {
		if problems := validation.IsDNS1123Subdomain(secret); len(problems) > 0 {
			return outcome.Reject(annotation(names.AnnotationMetricsSecret), "%q is not the name of a Secret: %s", secret, problems[0])
		}
	}
	return nil
}

func annotation(name string) string { return "metadata.annotations[" + name + "]" }
