package cluster

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// reportCluster writes what is known of the cluster itself. What was not seen this time stays as it was.
func reportCluster(rec *v1.RedisEnterpriseCluster, run Run) {
	o := run.Observed
	if o == nil {
		return
	}
	status := &rec.Status
	if run.Inputs.Credentials.known() && o.Formed {
		status.ClusterCredentialSecretName = run.Inputs.Credentials.Secret
	}
	status.PersistenceStatus = persistenceStatus(rec, o)
	if o.Snapshot == nil || !o.Snapshot.Known() {
		return
	}
	if o.Snapshot.License != nil {
		status.LicenseStatus = licenseStatus(o.Snapshot)
	}
	if o.Snapshot.Modules != nil {
		status.Modules = modules(o.Snapshot.Modules)
	}
	if versions := databaseVersions(o.Snapshot.Nodes); versions != nil {
		status.BundledDatabaseVersions = versions
	}
}

// licenseStatus is rule REC-72.
func licenseStatus(s *link.Snapshot) *v1.LicenseStatus {
	l := s.License
	out := &v1.LicenseStatus{
		LicenseState:     v1.LicenseStateValid,
		ActivationDate:   l.ActivationDate,
		ExpirationDate:   l.ExpirationDate,
		Owner:            l.Owner,
		Features:         l.Features,
		ShardsLimit:      int(rest.Value(l.ShardsLimit)),
		FlashShards:      int32(rest.Value(l.FlashShardsInUse)), //nolint:gosec // a number of shards
		RAMShardsLimit:   limit(l.RAMShardsLimit),
		FlashShardsLimit: limit(l.FlashShardsLimit),
	}
	if l.Expired {
		out.LicenseState = v1.LicenseStateExpired
	}
	// The licence is read seldom, the shards are read often: counting these is never behind.
	out.RAMShards = int32(max(0, len(s.Shards)-int(out.FlashShards))) //nolint:gosec // as above
	if out.ShardsLimit > 0 {
		out.ShardsUsage = fmt.Sprintf("%d/%d", len(s.Shards), out.ShardsLimit)
	}
	return out
}

func limit(i *rest.Int) *int32 {
	if i == nil {
		return nil
	}
	n := int32(*i) //nolint:gosec // a number of shards
	return &n
}

// modules lists each module once, with its versions.
func modules(list []rest.Module) []v1.Module {
	var out []v1.Module
	for _, m := range list {
		version := or(m.SemanticVersion, fmt.Sprint(m.Version))
		i := slices.IndexFunc(out, func(o v1.Module) bool { return o.Name == m.ModuleName })
		if i < 0 {
			out = append(out, v1.Module{Name: m.ModuleName, DisplayName: m.DisplayName, Versions: []string{version}})
			continue
		}
		if !slices.Contains(out[i].Versions, version) {
			out[i].Versions = append(out[i].Versions, version)
			slices.Sort(out[i].Versions)
		}
	}
	slices.SortFunc(out, func(a, b v1.Module) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// databaseVersions are those that every node can run: in a cluster of mixed versions a database may land on any.
func databaseVersions(nodes []rest.Node) []v1.BundledDatabaseVersion {
	var out []v1.BundledDatabaseVersion
	for i, node := range nodes {
		var of []v1.BundledDatabaseVersion
		for _, v := range node.SupportedDatabaseVersions {
			of = append(of, v1.BundledDatabaseVersion{DBType: v.DBType, Version: or(v.Version, v.RedisVersion), Major: v.Major})
		}
		if i == 0 {
			out = of
			continue
		}
		out = slices.DeleteFunc(out, func(v v1.BundledDatabaseVersion) bool { return !slices.Contains(of, v) })
	}
	slices.SortFunc(out, func(a, b v1.BundledDatabaseVersion) int {
		return cmp.Or(cmp.Compare(a.DBType, b.DBType), cmp.Compare(a.Version, b.Version))
	})
	return out
}

// persistenceStatus counts the volume claims that are as they should be (rule REC-51).
func persistenceStatus(rec *v1.RedisEnterpriseCluster, o *Observed) *v1.PersistenceStatus {
	if o.Set == nil || len(o.Set.Spec.VolumeClaimTemplates) == 0 {
		return nil
	}
	bound, wanted := 0, rec.Spec.NodeCount()
	size := o.Set.Spec.VolumeClaimTemplates[0].Spec.Resources.Requests[corev1.ResourceStorage]
	if size.IsZero() {
		size = children.VolumeSize(&rec.Spec)
	}
	for n := range wanted {
		for i := range o.Claims {
			claim := &o.Claims[i]
			if claim.Name == names.Claim(rec.Name, int(n)) && claim.Status.Phase == corev1.ClaimBound && claim.Status.Capacity.Storage().Cmp(size) >= 0 {
				bound++
			}
		}
	}
	out := &v1.PersistenceStatus{Status: v1.PersistenceProvisioned, Succeeded: fmt.Sprintf("%d/%d", bound, wanted)}
	if bound < int(wanted) {
		out.Status = v1.PersistenceProvisioning
	}
	return out
}
