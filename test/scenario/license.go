package scenario

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// shards is what the licence allows: the trial's four are too few for replicas and a second database.
const shards = 30

// EnsureLicense makes the Secret with a licence that the emulator takes. One that is there already is kept.
func (c *Cluster) EnsureLicense(ctx context.Context, rec, secret string) error {
	now := time.Now()
	text, err := schema.LicenseText(schema.Object{
		"cluster_name": names.FQDN(rec, c.Namespace), "owner": "scenario", "shards_limit": shards,
		"activation_date": schema.Timestamp(now.Add(-time.Hour)), "expiration_date": schema.Timestamp(now.AddDate(1, 0, 0)),
	})
	if err != nil {
		return err
	}
	err = c.Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: secret},
		StringData: map[string]string{names.LicenseKey: text}})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
