package cluster

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// AnnotationRollout on the StatefulSet tells what the last change of its pods was: an upgrade or any other change.
const AnnotationRollout = children.AnnotationTemplate + "-change"

// Desired is what the spec comes down to.
type Desired struct {
	// Secret to be made with fresh credentials; nil when one is there.
	Secret *corev1.Secret
	// Base are the objects that pods need before they start; Rigger comes after them.
	Base   []client.Object
	Rigger *appsv1.Deployment
	// Kept are objects to be left as they are for now, although nothing asks for them.
	Kept []client.Object
	// Set is the StatefulSet; its partition is decided by the plan.
	Set *appsv1.StatefulSet
	// VersionTag to be written in the spec; empty for nothing to write (rules REC-6, REC-37).
	VersionTag string
	// License, Policy, Modes and Cluster are settings of the cluster itself; empty ones are left alone (rule REC-2).
	License string
	Policy  rest.ClusterPolicy
	Modes   rest.ServicesConfiguration
	Cluster rest.Cluster
	// Metrics are the settings of the metrics; nil to leave them alone.
	Metrics *rest.MetricsConfig
}

// desired turns inputs into objects and settings. live is the StatefulSet as it is, of which some things must stay.
func desired(in Inputs, live *appsv1.StatefulSet) Desired {
	c := childrenOf(in, live)
	d := Desired{
		Set:        children.StatefulSet(c),
		Rigger:     children.Rigger(c),
		VersionTag: versionTag(in, live),
		License:    in.License,
		Policy:     wantedPolicy(in.REC),
		Modes:      wantedModes(in.REC),
		Cluster:    wantedCluster(in.REC),
		Metrics:    wantedMetricsConfig(in.REC),
	}
	keepBuilt(d.Set, live)
	if in.FreshPassword != "" && !foreign(live) {
		d.Secret = children.CredentialSecret(c, in.FreshPassword)
	}
	d.Base = present(children.ServiceAccount(c), children.Role(c), children.RoleBinding(c),
		children.APIService(c), children.UIService(c), children.MetricsService(c), children.PodDisruptionBudget(c))
	if monitored(in) {
		d.Base = append(d.Base, children.MetricsLeaderService(c))
	}
	return d
}

// childrenOf is what the builders need to know. The images stay as they run until the user upgrades: a new operator must
// not roll the nodes (rule REC-36).
func childrenOf(in Inputs, live *appsv1.StatefulSet) children.Cluster {
	c := children.Cluster{REC: in.REC, Platform: in.Platform, CredentialSecret: in.Credentials.Secret,
		OpenShift: in.Kinds.Has(platform.Route)}
	if live == nil {
		return c
	}
	if len(live.Spec.VolumeClaimTemplates) > 0 {
		c.Claim = live.Spec.VolumeClaimTemplates[0].DeepCopy()
	}
	if runs := imageOf(live, names.NodeContainer); keepsNodeImage(in, live, runs) {
		c.NodeImage = runs
	}
	runs := imageOf(live, names.BootstrapperContainer)
	unasked := in.REC.Spec.BootstrapperImageSpec == nil || asksFor(runs, func(p platform.Platform) string { return children.WantedBootstrapperImage(in.REC, p) })
	if !foreign(live) && c.NodeImage != "" && unasked {
		c.BootstrapperImage = runs
	}
	return c
}

// keepsNodeImage tells whether the nodes stay with the image they run: while the spec asks for no other one, whatever this
// operator would give to a new cluster.
func keepsNodeImage(in Inputs, live *appsv1.StatefulSet, runs string) bool {
	standard := children.WantedNodeImage(in.REC, in.Platform)
	switch {
	case tagOf(in) == "" || standard == runs:
		return true
	case unborn(in.REC, live): // nothing to lose, and a registry that was named wrong can be put right
		return false
	case autoUpgrade(in.REC) && in.REC.Spec.RedisEnterpriseImageSpec.DigestHash == "" && moved(runs, standard):
		return false
	}
	return asksFor(runs, func(p platform.Platform) string { return children.WantedNodeImage(in.REC, p) })
}

// asksFor tells whether a spec, laid over the image that runs, comes down to just that. What the spec leaves open is then
// as it runs and not as this operator's default has it.
func asksFor(runs string, wanted func(platform.Platform) string) bool {
	image, err := platform.ParseImage(runs)
	return err == nil && wanted(platform.Platform{Node: image, Bootstrapper: image}) == runs
}

// unborn tells whether no node has ever come up.
func unborn(rec *v1.RedisEnterpriseCluster, live *appsv1.StatefulSet) bool {
	state := rec.Status.State
	return live.Status.ReadyReplicas == 0 && (state == v1.ClusterPendingCreation || state == v1.ClusterBootstrappingFirstPod)
}

// moved tells whether two images are known to be different ones, and do not only come from different registries.
func moved(runs, standard string) bool {
	a, errA := platform.ParseImage(runs)
	b, errB := platform.ParseImage(standard)
	return errA == nil && errB == nil && a.Digest != "" && b.Digest != "" && a.Digest != b.Digest
}

// tagOf is the tag that the spec gives to the node image.
func tagOf(in Inputs) string {
	if s := in.REC.Spec.RedisEnterpriseImageSpec; s != nil {
		return s.VersionTag
	}
	return ""
}

// versionTag is what must be written in the spec: the default where it was absent at creation, and the operator's own
// version where automatic upgrades are on.
func versionTag(in Inputs, live *appsv1.StatefulSet) string {
	tag := tagOf(in)
	if live == nil && tag == "" || live != nil && autoUpgrade(in.REC) && tag != in.Platform.Node.Tag {
		return in.Platform.Node.Tag
	}
	return ""
}

func imageOf(set *appsv1.StatefulSet, container string) string {
	for _, c := range set.Spec.Template.Spec.Containers {
		if c.Name == container {
			return c.Image
		}
	}
	return ""
}

// present drops the builders' nils. An interface around a nil pointer is not nil, hence the switch.
func present(objects ...client.Object) []client.Object {
	var out []client.Object
	for _, o := range objects {
		switch o := o.(type) {
		case *corev1.Service:
			if o == nil {
				continue
			}
		case *corev1.ServiceAccount:
			if o == nil {
				continue
			}
		}
		out = append(out, o)
	}
	return out
}

func replicas(set *appsv1.StatefulSet) int32 { return ptr.Deref(set.Spec.Replicas, 1) }

func partition(set *appsv1.StatefulSet) int32 {
	if set.Spec.UpdateStrategy.RollingUpdate == nil {
		return 0
	}
	return ptr.Deref(set.Spec.UpdateStrategy.RollingUpdate.Partition, 0)
}
