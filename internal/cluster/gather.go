package cluster

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/tlsprofile"
)

// Credentials of the administrator and the Secret they are in. They never print their password.
type Credentials struct {
	Secret, Username, Password string
}

// String hides the password.
func (c Credentials) String() string { return c.Secret + "/" + c.Username + ":***" }

// GoString hides the password from %#v as well.
func (c Credentials) GoString() string { return "cluster.Credentials{" + c.String() + "}" }

// known tells whether there are any.
func (c Credentials) known() bool { return c.Username != "" }

// Inputs is everything that the spec refers to, read once.
type Inputs struct {
	REC      *v1.RedisEnterpriseCluster
	Platform platform.Platform
	// Kinds are the optional kinds that this Kubernetes serves.
	Kinds platform.Kinds
	// TLS is the profile that the cluster's own TLS follows; nil for none.
	TLS *tlsprofile.Profile
	// Now is when this was gathered; what follows knows no other time.
	Now time.Time
	// Credentials in use; unknown while their Secret is absent.
	Credentials Credentials
	// FreshPassword is drawn when the Secret is to be made; empty otherwise.
	FreshPassword string
	// License is the licence text, and LicensePath the field that gave it.
	License, LicensePath string
	// Second tells that the namespace has an older cluster: this one must not be built.
	Second bool
	// Problems are references that cannot be followed, each a Rejected. They stop what needs them and nothing else.
	Problems []error
}

// formed tells whether the resource has had a cluster: from then on, nothing may make another one.
func formed(rec *v1.RedisEnterpriseCluster) bool {
	return meta.IsStatusConditionTrue(rec.Status.Conditions, v1.ConditionBootstrapComplete)
}

// gather reads what the spec refers to.
func (k *Kind) gather(ctx context.Context, rec *v1.RedisEnterpriseCluster) (Inputs, error) {
	in := Inputs{REC: rec, Platform: k.Platform, Now: time.Now()}
	if k.Offer != nil {
		in.Kinds = k.Offer.Kinds()
	}
	if k.TLS != nil && rec.Annotations[names.AnnotationTLSProfile] != tlsIgnored {
		in.TLS = k.TLS.Profile()
	}
	if err := k.gatherCredentials(ctx, &in); err != nil {
		return in, err
	}
	if err := k.gatherLicense(ctx, &in); err != nil {
		return in, err
	}
	return in, k.gatherNeighbours(ctx, &in)
}

// gatherNeighbours refuses a second cluster in the namespace (rule INST-3): the older one stays.
func (k *Kind) gatherNeighbours(ctx context.Context, in *Inputs) error {
	var list v1.RedisEnterpriseClusterList
	if err := k.Client.List(ctx, &list, client.InNamespace(in.REC.Namespace)); err != nil {
		return err
	}
	for i := range list.Items {
		other := &list.Items[i]
		if other.UID != in.REC.UID && older(other, in.REC) {
			in.Second = true
			in.Problems = append(in.Problems, outcome.Reject("metadata.name", "namespace %s already has the cluster %s; use another namespace", in.REC.Namespace, other.Name))
		}
	}
	return nil
}

func older(a, b *v1.RedisEnterpriseCluster) bool {
	if a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.Name < b.Name
	}
	return a.CreationTimestamp.Before(&b.CreationTimestamp)
}

// gatherCredentials reads the administrator's Secret. The one in use may differ from the one that the spec names: the
// other is taken only once the cluster has been seen to accept it (rule REC-64).
func (k *Kind) gatherCredentials(ctx context.Context, in *Inputs) error {
	wanted := in.REC.CredentialSecretName()
	used := in.REC.Status.ClusterCredentialSecretName
	if !formed(in.REC) || used == "" {
		used = wanted
	}
	current, err := k.credentials(ctx, in.REC.Namespace, used)
	if missing(err) && used != wanted {
		// The old Secret is gone although its successor has not been tried: the successor is all there is.
		used = wanted
		current, err = k.credentials(ctx, in.REC.Namespace, used)
	}
	switch {
	case apierrors.IsNotFound(err) && !formed(in.REC):
		in.Credentials.Secret = used
		in.FreshPassword, err = newPassword()
		return err
	case missing(err):
		in.Credentials.Secret = used
		in.Problems = append(in.Problems, credentialProblem(used, err))
		return nil
	case err != nil:
		return err
	}
	in.Credentials = current
	if used != wanted {
		return k.gatherSuccessor(ctx, in, wanted)
	}
	return nil
}

// gatherSuccessor tries the credentials that the spec asks for.
func (k *Kind) gatherSuccessor(ctx context.Context, in *Inputs, wanted string) error {
	next, err := k.credentials(ctx, in.REC.Namespace, wanted)
	if missing(err) {
		in.Problems = append(in.Problems, credentialProblem(wanted, err))
		return nil
	}
	if err != nil {
		return err
	}
	accepted, err := k.Logins.try(ctx, k.Links.Get(client.ObjectKeyFromObject(in.REC)), next)
	if err != nil {
		in.Problems = append(in.Problems, err)
	}
	if accepted {
		in.Credentials = next
	}
	return nil
}

// incomplete is the error of a Secret that lacks a key.
type incomplete struct{ key string }

func (e incomplete) Error() string { return "it has no key " + e.key }

func missing(err error) bool {
	_, lacking := err.(incomplete) //nolint:errorlint // made below, never wrapped
	return lacking || apierrors.IsNotFound(err)
}

func credentialProblem(secret string, err error) error {
	if apierrors.IsNotFound(err) {
		return outcome.Missing("spec.clusterCredentialSecretName", "secret %s does not exist; put it back with the keys %s and %s", secret, names.UsernameKey, names.PasswordKey)
	}
	return outcome.Missing("spec.clusterCredentialSecretName", "secret %s cannot be used: %v", secret, err)
}

func (k *Kind) credentials(ctx context.Context, namespace, name string) (Credentials, error) {
	var secret corev1.Secret
	if err := k.Reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &secret); err != nil {
		return Credentials{}, err
	}
	for _, key := range []string{names.UsernameKey, names.PasswordKey} {
		if len(secret.Data[key]) == 0 {
			return Credentials{}, incomplete{key}
		}
	}
	return Credentials{
		Secret:   name,
		Username: strings.TrimSpace(string(secret.Data[names.UsernameKey])),
		Password: strings.TrimRight(string(secret.Data[names.PasswordKey]), "\r\n"),
	}, nil
}

// gatherLicense reads the licence text (rule REC-71).
func (k *Kind) gatherLicense(ctx context.Context, in *Inputs) error {
	if in.REC.Spec.License != "" {
		in.License, in.LicensePath = in.REC.Spec.License, "spec.license"
		return nil
	}
	name := in.REC.Spec.LicenseSecretName
	if name == "" {
		return nil
	}
	var secret corev1.Secret
	err := k.Reader.Get(ctx, client.ObjectKey{Namespace: in.REC.Namespace, Name: name}, &secret)
	switch {
	case apierrors.IsNotFound(err):
		in.Problems = append(in.Problems, outcome.Missing("spec.licenseSecretName", "secret %s does not exist", name))
	case err != nil:
		return fmt.Errorf("secret %s: %w", name, err)
	case len(secret.Data[names.LicenseKey]) == 0:
		in.Problems = append(in.Problems, outcome.Missing("spec.licenseSecretName", "secret %s has no key %s", name, names.LicenseKey))
	default:
		in.License, in.LicensePath = string(secret.Data[names.LicenseKey]), "spec.licenseSecretName"
	}
	return nil
}

const (
	passwordLength   = 32
	passwordAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

// newPassword draws a password that needs no quoting anywhere.
func newPassword() (string, error) {
	var b strings.Builder
	for range passwordLength {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(passwordAlphabet))))
		if err != nil {
			return "", err
		}
		b.WriteByte(passwordAlphabet[n.Int64()])
	}
	return b.String(), nil
}

// References are the Secrets that a cluster reads, by name: a change of one of them wakes it (rule REC-3).
func References(rec *v1.RedisEnterpriseCluster) []string {
	out := []string{rec.CredentialSecretName()}
	for _, name := range []string{rec.Status.ClusterCredentialSecretName, rec.Spec.LicenseSecretName} {
		if name != "" && name != out[0] {
			out = append(out, name)
		}
	}
	return out
}
