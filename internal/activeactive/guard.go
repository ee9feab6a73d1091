package activeactive

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// keepsEnough guards against an edit that would take everything away by mistake (AA-15): a merge patch with nothing but a
// newcomer replaces the list. Whoever replaces participants that have failed means it.
func keepsEnough(was, is []string, failed func(string) bool) error {
	var leaving []string
	kept := 0
	for _, one := range was {
		if slices.Contains(is, one) {
			kept++
		} else {
			leaving = append(leaving, one)
		}
	}
	added := len(is) > kept
	healthy := slices.ContainsFunc(leaving, func(one string) bool { return !failed(one) })
	if !added || kept >= fewest || !healthy {
		return nil
	}
	return outcome.Reject(pathClusters, "the edit adds a cluster and leaves %d of the %d that take part: a patch replaces the list, so give it as a whole", kept, len(was))
}

// failed tells whether a remote cluster does not answer, or is described no more. One that answers is there, whatever is
// wrong with the certificate or the credentials: a person has to look, and its data must not be left behind for that.
func failed(remotes []v1alpha1.RedisEnterpriseRemoteCluster, cluster string) bool {
	remote := describing(remotes, cluster)
	return remote == nil || remote.Status.Status == v1alpha1.RemoteClusterError && !answers(remote)
}

func answers(remote *v1alpha1.RedisEnterpriseRemoteCluster) bool {
	c := meta.FindStatusCondition(remote.Status.Conditions, v1alpha1.ConditionReachable)
	return c != nil && slices.Contains([]string{appv1.ReasonForeignCertificate, v1alpha1.ReasonAccessDenied, v1alpha1.ReasonWrongCluster}, c.Reason)
}

// Replaces judges an edit like that before it is made. What the operator takes in from another participant was judged there.
func Replaces(old, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, remotes []v1alpha1.RedisEnterpriseRemoteCluster) error {
	if adopts(old, db) {
		return nil
	}
	clusters := func(of *v1alpha1.RedisEnterpriseActiveActiveDatabase) (out []string) {
		for _, p := range of.Spec.ParticipatingClusters {
			name := p.Name
			if i := slices.IndexFunc(remotes, func(r v1alpha1.RedisEnterpriseRemoteCluster) bool { return r.Name == p.Name }); i >= 0 {
				name = clusterOf(&remotes[i])
			}
			out = append(out, name)
		}
		return out
	}
	return keepsEnough(clusters(old), clusters(db), func(cluster string) bool { return failed(remotes, cluster) })
}
