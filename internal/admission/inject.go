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
	var failed []error
	kept, foreign := false, false
	for _, name := range []string{names.AdmissionWebhook, names.AdmissionWebhook + "-" + k.Namespace} {
		there, err := k.injectInto(ctx, name, bundle)
		switch {
		case errors.Is(err, errNoRight):
			foreign = true
		case err != nil:
			failed = append(failed, fmt.Errorf("put the CA bundle into ValidatingWebhookConfiguration %s: %w", name, err))
		}
		kept = kept || there && err == nil
	}
	if foreign && !kept && len(failed) == 0 {
		failed = append(failed, errNoRight)
	}
	return errors.Join(failed...)
}

// injectInto reports whether there is such a configuration.
func (k *Keeper) injectInto(ctx context.Context, name string, bundle []byte) (bool, error) {
	var configuration admissionregistrationv1.ValidatingWebhookConfiguration
	err := k.Reader.Get(ctx, types.NamespacedName{Name: name}, &configuration)
	switch {
	case apierrors.IsNotFound(err):
		return false, nil
	case apierrors.IsForbidden(err):
		return false, errNoRight
	case err != nil:
		return false, err
	}
	before := configuration.DeepCopy()
	if !setBundle(configuration.Webhooks, k.Service, k.Namespace, bundle) {
		return true, nil
	}
	k.Log.Info("putting the CA bundle into the webhook configuration", "name", name)
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	err = k.Client.Patch(ctx, &configuration, patch, client.FieldOwner(names.ManagerOperator))
	if apierrors.IsForbidden(err) {
		return true, errNoRight
	}
	return true, client.IgnoreNotFound(err)
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
