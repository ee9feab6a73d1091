// Package children builds the Kubernetes objects of a cluster, one file per kind of object. It is pure: builders take a
// Cluster and return an object, or nil for one that should not exist. Golden files beside it show what comes out.
package children

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/platform"
)

// Cluster is all that the builders need to know.
type Cluster struct {
	// REC says what the user wants.
	REC *v1.RedisEnterpriseCluster
	// Platform says where it runs and what the default images are.
	Platform platform.Platform
	// CredentialSecret is the Secret in use, which a spec that names another one may still be waiting to replace.
	CredentialSecret string
	// NodeImage and BootstrapperImage replace what the spec and the defaults come down to, where a cluster must keep
	// what it runs (rule REC-36). Empty means no replacement.
	NodeImage, BootstrapperImage string
	// Claim is the template of the volume claims as it was made; nil before there is one. Nothing of it can change, and
	// neither new labels (rule REC-10) nor more memory (rule REC-34) are meant to.
	Claim *corev1.PersistentVolumeClaim
	// OpenShift tells that accounts need the right to use SecurityContextConstraints.
	OpenShift bool
	// Partition is the first pod that may have the newest template; see the StatefulSet's rolling update.
	Partition int32
}

// meta names an object of the cluster. Labels of ours win over the user's (rules REC-7, REC-10).
func (c Cluster) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: c.REC.Namespace, Name: name, Labels: c.labels(names.ClusterLabels(c.REC.Name))}
}

func (c Cluster) labels(ours map[string]string) map[string]string {
	return merged(c.REC.Spec.ExtraLabels, ours)
}

// merged copies maps over each other; the last one wins. Nothing at all gives nil.
func merged(all ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
