package admission

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// errNoRight: the webhook configuration is in other hands.
var errNoRight = errors.New("no right to read and patch it")

// inject makes sure that the webhook configurations which call this server trust the certificates of the bundle: the
// documented configuration, and the one of an installation that is limited to its namespace (INST-22). An absent
// configuration is no error.
func (k *Keeper) inject(ctx context.Context, bundle []byte) error {
	for _, name := range []string{names.AdmissionWebhook, names.AdmissionWebhook + "-" + k.Namespace} {
		if err := k.injectInto(ctx, name, bundle); err != nil {
			return fmt.Errorf("put the CA bundle into ValidatingWebhookConfiguration %s: %w", name, err)
		}
	}
	return nil
}

func (k *Keeper) injectInto(ctx context.Context, name string, bundle []byte) error {
	var configuration admissionregistrationv1.ValidatingWebhookConfiguration
	err := k.Reader.Get(ctx, types.NamespacedName{Name: name}, &configuration)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case apierrors.IsForbidden(err):
		return errNoRight
	case err != nil:
		return err
	}
	before := configuration.DeepCopy()
	if !setBundle(configuration.Webhooks, k.Service, k.Namespace, bundle) {
		return nil
	}
	k.Log.Info("putting the CA bundle into the webhook configuration", "name", name)
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	err = k.Client.Patch(ctx, &configuration, patch, client.FieldOwner(names.ManagerOperator))
	if apierrors.IsForbidden(err) {
		return errNoRight
	}
	return client.IgnoreNotFound(err)
}

// setBundle changes the entries that call our Service and no others: several operators may share one configuration.
func setBundle(webhooks []admissionregistrationv1.ValidatingWebhook, service, namespace string, bundle []byte) bool {
	changed := false
	for i := range webhooks {
		target := webhooks[i].ClientConfig.Service
		if target == nil || target.Name != service || target.Namespace != namespace {
			continue
		}
		if !bytes.Contains(webhooks[i].ClientConfig.CABundle, bundle) {
			webhooks[i].ClientConfig.CABundle = bundle
			changed = true
		}
	}
	return changed
}
