package admission

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// keepEvery is how often the Secret and the webhook configuration are looked at: two reads of one named object each,
// so that no right to list or watch Secrets or cluster-wide objects is needed.
const keepEvery = 10 * time.Second

// Keeper holds the serving certificate. Every replica loads it; only the leader makes it, renews it and puts its CA
// bundle into the webhook configuration.
type Keeper struct {
	// Reader reads live, past the cache: a Secret made by a user carries no label of ours.
	Reader client.Reader
	Client client.Client
	Log    logr.Logger
	// Namespace and Service say where the API server reaches this server.
	Namespace, Service string
	// Directory is where somebody else may have mounted a certificate to serve with; it then wins.
	Directory string
	// Elected is closed once this process leads.
	Elected <-chan struct{}
	Now     func() time.Time

	loaded  atomic.Pointer[tls.Certificate]
	trouble string // the last error logged, so that a lasting one is told once
}

// NeedLeaderElection is false: all replicas serve.
func (k *Keeper) NeedLeaderElection() bool { return false }

// Start keeps the certificate current until the context ends.
func (k *Keeper) Start(ctx context.Context) error {
	ticker := time.NewTicker(keepEvery)
	defer ticker.Stop()
	elected := k.Elected
	for {
		k.tell(k.Keep(ctx))
		select {
		case <-ctx.Done():
			return nil
		case <-elected:
			elected = nil // act as the leader at once, then at the usual pace
		case <-ticker.C:
		}
	}
}

func (k *Keeper) tell(err error) {
	text := ""
	if err != nil && !errors.Is(err, context.Canceled) {
		text = err.Error()
	}
	switch {
	case text == k.trouble || text == "":
	case !k.leads():
		k.Log.Info("waiting for the leader to bring the admission certificate in order", "reason", text)
	default:
		k.Log.Error(err, "the admission certificate is not in order")
	}
	k.trouble = text
}

// Keep brings certificate, Secret and webhook configuration in order once.
func (k *Keeper) Keep(ctx context.Context) error {
	if there, err := k.keepMounted(); there {
		return err
	}
	p, err := k.read(ctx)
	if err != nil {
		return err
	}
	p, err = k.makeOrRenew(ctx, p)
	if err != nil {
		return err
	}
	loaded, err := p.load(k.names(), k.Now())
	if err != nil {
		return fmt.Errorf("load Secret %s: %w", names.AdmissionSecret, err)
	}
	k.loaded.Store(&loaded)
	if !k.leads() {
		return nil
	}
	if err := k.inject(ctx, p.certificate); !errors.Is(err, errNoRight) {
		return err
	}
	return nil // whoever has the right has put the bundle there by hand
}

// Certificate is the pair to serve with; nil until there is one.
func (k *Keeper) Certificate() *tls.Certificate { return k.loaded.Load() }

func (k *Keeper) names() []string { return serverNames(k.Service, k.Namespace) }

func (k *Keeper) leads() bool {
	select {
	case <-k.Elected:
		return true
	default:
		return false
	}
}

func (k *Keeper) read(ctx context.Context) (pair, error) {
	var secret corev1.Secret
	err := k.Reader.Get(ctx, types.NamespacedName{Namespace: k.Namespace, Name: names.AdmissionSecret}, &secret)
	if apierrors.IsNotFound(err) {
		return pair{}, nil
	}
	return pair{certificate: secret.Data[names.CertKey], key: secret.Data[names.PrivateKeyKey]}, err
}

// makeOrRenew returns the pair to serve: the given one, or a newly stored one when it is absent, ended, near its end
// or made for another name. Only the leader writes; the others wait for it.
func (k *Keeper) makeOrRenew(ctx context.Context, p pair) (pair, error) {
	loaded, problem := p.load(k.names(), k.Now())
	due := dueForRenewal(loaded, k.Now())
	if !k.leads() || (problem == nil && !due) {
		return p, nil
	}
	fresh, err := newPair(k.names(), k.Now())
	if err != nil {
		return p, err
	}
	if problem == nil {
		// Trusted before it is served: first the bundle with both certificates, then the Secret. Where somebody else
		// keeps the bundle, the old pair is used to its end, since replacing it would break what they pasted.
		if err := k.inject(ctx, slices.Concat(fresh.certificate, p.certificate)); err != nil {
			return p, nil //nolint:nilerr // the injection at the end of this pass meets and tells the same error
		}
	}
	return fresh, k.store(ctx, fresh)
}

func (k *Keeper) store(ctx context.Context, p pair) error {
	k.Log.Info("storing a new admission certificate", "secret", names.AdmissionSecret)
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: k.Namespace,
			Name:      names.AdmissionSecret,
			Labels:    map[string]string{names.LabelApp: names.AppValue},
		},
		Type: corev1.SecretTypeOpaque,
		Data: map[string][]byte{names.CertKey: p.certificate, names.PrivateKeyKey: p.key},
	}
	writer := kube.Writer{Client: k.Client, Manager: names.ManagerOperator}
	_, err := writer.Apply(ctx, nil, []client.Object{secret})
	return err
}
