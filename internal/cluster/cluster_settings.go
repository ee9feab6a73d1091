package cluster

import (
	"context"
	"strings"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// clusterSettings are what the spec may say of the cluster itself (rules REC-82, REC-115, and the address of REC-103).
var clusterSettings = []setting[rest.Cluster]{
	at("spec.encryptPkeys", "encrypt_pkeys", func(c *rest.Cluster) **bool { return &c.EncryptPkeys }),
	at("spec.dmcExternalCBAAuthentication", "dmc_external_cba_authentication", func(c *rest.Cluster) **bool { return &c.DMCExternalCBAAuthentication }),
	at("spec.backup.s3.url", "s3_url", func(c *rest.Cluster) **string { return &c.S3URL }),
}

// wantedCluster is what the spec says of the cluster; what it does not mention stays unset and is left alone (rule REC-2).
func wantedCluster(rec *v1.RedisEnterpriseCluster) rest.Cluster {
	c := rest.Cluster{EncryptPkeys: rec.Spec.EncryptPkeys, DMCExternalCBAAuthentication: rec.Spec.DMCExternalCBAAuthentication}
	if b := rec.Spec.Backup; b != nil && b.S3 != nil && b.S3.URL != "" {
		c.S3URL = rest.Ptr(b.S3.URL)
	}
	return c
}

// clusterSteps change the cluster where it differs from what is wanted.
func clusterSteps(want rest.Cluster, o *Observed) []Step {
	if o.Snapshot.Cluster == nil {
		return nil
	}
	if update, changes := difference(clusterSettings, o.Snapshot.Cluster, want); update != nil {
		return []Step{putCluster{update, changes}}
	}
	return nil
}

// putCluster changes settings of the cluster.
type putCluster struct {
	update  *rest.Cluster
	changes []string
}

func (s putCluster) String() string { return "cluster: " + strings.Join(s.changes, ", ") }

func (s putCluster) perform(ctx context.Context, h *hands) error {
	err := h.api.UpdateCluster(ctx, s.update)
	if rest.IsRefused(err) {
		return outcome.Refused(pathOf(s.changes), "the cluster refuses %s: %s", strings.Join(s.changes, ", "), answer(err))
	}
	return h.did(s.String(), err)
}
