package remotecluster

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/admission"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// maxNameLen leaves room for the prefix in the name of a Secret (RERC-10).
const maxNameLen = validation.DNS1123SubdomainMaxLength - len(names.RemoteSecretPrefix)

// defaultAPIPort is the port of the API when the spec gives none.
const defaultAPIPort = 443

// Validate lists what is wrong with a resource, judged by itself alone.
func Validate(remote *v1alpha1.RedisEnterpriseRemoteCluster) []error {
	var errs []error
	add := func(path, format string, args ...any) { errs = append(errs, outcome.Reject(path, format, args...)) }
	spec := &remote.Spec
	if len(remote.Name) > maxNameLen {
		add("metadata.name", "must have at most %d characters, so that %s<name> can be a Secret", maxNameLen, names.RemoteSecretPrefix)
	}
	if want := names.RemoteSecretPrefix + remote.Name; spec.SecretName != "" && spec.SecretName != want {
		add("spec.secretName", "must be %s, not %s", want, spec.SecretName)
	}
	if len(validation.IsDNS1123Subdomain(strings.ToLower(spec.APIFQDNURL))) > 0 {
		add("spec.apiFqdnUrl", "must be a host name without scheme, port and path, not %q", spec.APIFQDNURL)
	}
	if spec.DBFQDNSuffix != "" && len(validation.IsDNS1123Subdomain("db"+strings.ToLower(spec.DBFQDNSuffix))) > 0 {
		add("spec.dbFqdnSuffix", "must make a host name when it follows the name of a database, such as -db.example.com, not %q", spec.DBFQDNSuffix)
	}
	if spec.APIPort != nil && len(validation.IsValidPortNum(*spec.APIPort)) > 0 {
		add("spec.apiPort", "must be from 1 to 65535, not %d", *spec.APIPort)
	}
	if spec.RECName == "" {
		add("spec.recName", "must not be empty")
	}
	if spec.RECNamespace == "" {
		add("spec.recNamespace", "must not be empty")
	}
	return errs
}

// ValidateChange lists what an edit changes and must not: a remote cluster stands for one cluster for all its life.
func ValidateChange(old, remote *v1alpha1.RedisEnterpriseRemoteCluster) []error {
	var errs []error
	if old.Spec.RECName != remote.Spec.RECName {
		errs = append(errs, outcome.Reject("spec.recName", "cannot change: it is %s, not %s", old.Spec.RECName, remote.Spec.RECName))
	}
	if old.Spec.RECNamespace != remote.Spec.RECNamespace {
		errs = append(errs, outcome.Reject("spec.recNamespace", "cannot change: it is %s, not %s", old.Spec.RECNamespace, remote.Spec.RECNamespace))
	}
	return errs
}

// Unique lists what another resource has already (RERC-4, ADM-8): the cluster it stands for, and the way to its API.
func Unique(remote *v1alpha1.RedisEnterpriseRemoteCluster, others []v1alpha1.RedisEnterpriseRemoteCluster) []error {
	var errs []error
	for _, other := range others {
		if other.Name == remote.Name || !other.DeletionTimestamp.IsZero() {
			continue
		}
		if other.Spec.RECName == remote.Spec.RECName && other.Spec.RECNamespace == remote.Spec.RECNamespace {
			errs = append(errs, outcome.Reject("spec.recName", "cluster %s of namespace %s is described by %s already",
				remote.Spec.RECName, remote.Spec.RECNamespace, other.Name))
		}
		if strings.EqualFold(other.Spec.APIFQDNURL, remote.Spec.APIFQDNURL) && portOf(&other) == portOf(remote) {
			errs = append(errs, outcome.Reject("spec.apiFqdnUrl", "%s is the API of %s already", remote.Spec.APIFQDNURL, other.Name))
		}
	}
	return errs
}

func portOf(remote *v1alpha1.RedisEnterpriseRemoteCluster) int {
	if remote.Spec.APIPort == nil {
		return defaultAPIPort
	}
	return *remote.Spec.APIPort
}

// Reviewer decides for the webhook.
type Reviewer struct {
	// Cached reads from the cache.
	Cached client.Reader
}

// Kind makes the reviewer part of the admission server.
func (r Reviewer) Kind() admission.Kind {
	return admission.For("redisenterpriseremoteclusters",
		func() *v1alpha1.RedisEnterpriseRemoteCluster { return &v1alpha1.RedisEnterpriseRemoteCluster{} }, r.review)
}

func (r Reviewer) review(ctx context.Context, old, remote *v1alpha1.RedisEnterpriseRemoteCluster) admission.Verdict {
	errs := Validate(remote)
	if old != nil {
		errs = append(errs, ValidateChange(old, remote)...)
	}
	var others v1alpha1.RedisEnterpriseRemoteClusterList
	if err := r.Cached.List(ctx, &others, client.InNamespace(remote.Namespace)); err == nil {
		errs = append(errs, Unique(remote, others.Items)...)
	}
	var verdict admission.Verdict
	for _, err := range errs {
		verdict.Denials = append(verdict.Denials, err.Error())
	}
	return verdict
}
