package activeactive

import (
	"maps"
	"slices"
	"strings"
	"time"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// planChange covers a database that is there. First what changed elsewhere is taken in, then what changed here is passed
// on: settings in one task, participants one at a time (AA-14). Those that leave go before everything else, which one that
// has failed would hold up.
func planChange(in Inputs, obs Observed, now time.Time) Plan {
	terms, err := negotiate(in, obs.CRDB)
	if err != nil {
		return stop(err)
	}
	if terms.Adopts() {
		return planAdoption(in, obs, terms)
	}
	if err := differsTooMuch(in, terms); err != nil {
		return stop(err)
	}
	if p, going := planLeavers(in, obs, now, terms); going {
		return p
	}
	want := desired(in, obs.CRDB, terms.Merged.Sites)
	if err := certificatesAreThere(in); err != nil {
		return stop(err) // with a part of them this cluster would turn clients away, and with none let all in
	}
	next, err := want.changes(obs)
	switch {
	case err != nil:
		return stop(err)
	case next.body != nil:
		sent := want.credentialsOf(rest.Value(next.body.Instances)...)
		ask := request{op: opUpdate, guid: guid(obs), body: next.body, prints: sent, what: strings.Join(next.changes, "; ")}
		return planRequest(in, now, ask, digest(next.changes, want.password.print, sent))
	}
	if p, going := planJoiners(in, obs, now, terms, want); going {
		return p
	}
	if next.upgrade != nil {
		return planRequest(in, now, request{op: opUpgrade, guid: guid(obs), upgrade: next.upgrade, what: strings.Join(next.changes, "; ")}, digest(next.upgrade))
	}
	return planRest(in, obs, now, terms, want)
}

func guid(obs Observed) string { return rest.Value(obs.CRDB.GUID) }

// planAdoption writes what other clusters decided into the resources here.
func planAdoption(in Inputs, obs Observed, terms Negotiation) Plan {
	var steps []Step
	for _, cluster := range slices.Sorted(maps.Keys(terms.Merged.Sites)) {
		site, remote := terms.Merged.Sites[cluster], in.remoteOf(cluster)
		switch {
		case remote == nil:
			made, err := remoteFor(in, obs.CRDB, cluster, site)
			if err != nil {
				return stop(err)
			}
			steps = append(steps, makeRemote{made})
		case urlOf(remote) != site.URL || remote.Spec.DBFQDNSuffix != site.Suffix:
			after, err := follow(remote, site)
			if err != nil {
				return stop(err)
			}
			steps = append(steps, changeRemote{before: remote, after: after})
		}
	}
	if len(steps) > 0 {
		return act(outcome.Wait(v1alpha1.ReasonChanging, atOnce, "the remote clusters here follow what was changed on another participating cluster"), steps...)
	}
	spec, err := adopted(in, terms)
	if err != nil {
		return stop(err)
	}
	base := terms.Server
	if in.Agreed != nil {
		base.Secrets, base.Generation = in.Agreed.Secrets, in.Agreed.Generation
	}
	return act(outcome.Wait(v1alpha1.ReasonChanging, atOnce, "the resource follows what was changed on another participating cluster"),
		adopt{spec: spec, base: base, changed: differences(terms), conflicts: terms.Conflicts})
}

// adopted is the spec that says what was merged. The order of the participants stays, and new ones come last.
func adopted(in Inputs, terms Negotiation) (*v1alpha1.RedisEnterpriseActiveActiveDatabaseSpec, error) {
	spec := in.Database.Spec.DeepCopy()
	global, err := globalOf(terms.Merged.Global, pathGlobal)
	if err != nil {
		return nil, err
	}
	if !same(terms.Merged.Global, terms.Local.Global) {
		spec.GlobalConfigurations = global
	}
	sites := maps.Clone(terms.Merged.Sites)
	var list []v1alpha1.ParticipatingCluster
	for _, p := range spec.ParticipatingClusters {
		remote := in.remote(p.Name)
		site, stays := sites[clusterOf(remote)]
		if !stays {
			continue
		}
		delete(sites, clusterOf(remote))
		if site.Port != terms.Local.Sites[clusterOf(remote)].Port {
			p.ExternalReplicationPort = rest.Ptr(site.Port)
		}
		if site.Namespace != "" && site.Namespace != terms.Local.Sites[clusterOf(remote)].Namespace && clusterOf(remote) != in.own() {
			p.Namespace = site.Namespace // it was taken out and has come back elsewhere
		}
		list = append(list, p)
	}
	for _, cluster := range slices.Sorted(maps.Keys(sites)) {
		list = append(list, participantOf(in.remoteOf(cluster), sites[cluster]))
	}
	spec.ParticipatingClusters = list
	return spec, nil
}

// participantOf is the entry of a site in a spec, without what is the default.
func participantOf(remote *v1alpha1.RedisEnterpriseRemoteCluster, site Site) v1alpha1.ParticipatingCluster {
	p := v1alpha1.ParticipatingCluster{Name: remote.Name}
	if site.Port != defaultReplicationPort && site.Port != 0 {
		p.ExternalReplicationPort = rest.Ptr(site.Port)
	}
	if site.Namespace != remote.Spec.RECNamespace {
		p.Namespace = site.Namespace
	}
	return p
}

// differences names the fields that are taken in.
func differences(terms Negotiation) []string {
	var out []string
	for key := range union(terms.Local.Global, terms.Merged.Global) {
		if !same(terms.Local.Global[key], terms.Merged.Global[key]) {
			out = append(out, pathGlobal+"."+key)
		}
	}
	if !same(terms.Local.tree()["sites"], terms.Merged.tree()["sites"]) {
		out = append(out, pathClusters)
	}
	slices.Sort(out)
	return out
}

// differsTooMuch refuses what no task could do, or should (AA-15).
func differsTooMuch(in Inputs, terms Negotiation) error {
	was, is := slices.Sorted(maps.Keys(terms.Server.Sites)), slices.Sorted(maps.Keys(terms.Local.Sites))
	if err := keepsEnough(was, is, func(cluster string) bool { return failed(in.Remotes, cluster) }); err != nil {
		return err
	}
	for cluster, site := range terms.Local.Sites {
		if was, there := terms.Server.Sites[cluster]; there && was.Namespace != "" && was.Namespace != site.Namespace {
			return outcome.Reject(pathClusters, "the namespace of %s cannot change: it is %s, not %s", in.nameOf(cluster), was.Namespace, site.Namespace)
		}
	}
	return nil
}

func (in Inputs) nameOf(cluster string) string {
	if remote := in.remoteOf(cluster); remote != nil {
		return remote.Name
	}
	return cluster
}

// planJoiners adds one participant (AA-14). The others must all be up and in sync for that.
func planJoiners(in Inputs, obs Observed, now time.Time, terms Negotiation, want Desired) (Plan, bool) {
	for _, cluster := range slices.Sorted(maps.Keys(terms.Local.Sites)) {
		if _, there := terms.Server.Sites[cluster]; there {
			continue
		}
		if err := firstOf(hostsAreNames(in, obs), reachable(in, map[string]Site{cluster: {}}), want.password.problem); err != nil {
			return stop(err), true
		}
		inst, err := want.instance(cluster)
		if err != nil {
			return stop(err), true
		}
		ask := request{op: opAdd, guid: guid(obs), add: inst, prints: want.credentialsOf(*inst), what: "add participating cluster " + in.nameOf(cluster)}
		return planRequest(in, now, ask, digest(cluster, terms.Local.Sites[cluster])), true
	}
	return Plan{}, false
}

// planLeavers takes out one of the participants that are listed no more (AA-14).
func planLeavers(in Inputs, obs Observed, now time.Time, terms Negotiation) (Plan, bool) {
	var leavers []rest.CRDBInstance
	for _, inst := range rest.Value(obs.CRDB.Instances) {
		if _, stays := terms.Local.Sites[inst.ClusterName()]; !stays {
			leavers = append(leavers, inst)
		}
	}
	if len(leavers) == 0 {
		return Plan{}, false
	}
	return planLeaving(in, obs, now, leavers), true
}

// giveUpAfter is how many attempts to take a participant out in order must fail before it is done without asking it.
const giveUpAfter = 3

// planLeaving takes the first of the leavers out: in order, so that it drops its data; and by force when it does not answer,
// so that those who stay are not held up by one that is gone. Then all go that have failed, since each would hold up the
// others.
func planLeaving(in Inputs, obs Observed, now time.Time, leavers []rest.CRDBInstance) Plan {
	inst := leavers[0]
	name, id := in.nameOf(inst.ClusterName()), rest.Value(inst.ID)
	wish := digest(inst.ClusterName(), inst.ID)
	tried := (in.Task.Operation == opRemove && in.Task.Failures >= giveUpAfter || in.Task.Operation == opDetach) && in.Task.Wish == wish && in.Task.failed()
	if tried && failed(in.Remotes, inst.ClusterName()) {
		var gone []rest.Int
		var called []string
		for _, one := range leavers {
			if failed(in.Remotes, one.ClusterName()) {
				gone, called = append(gone, rest.Value(one.ID)), append(called, in.nameOf(one.ClusterName()))
			}
		}
		ask := request{op: opDetach, guid: guid(obs), detach: gone, what: "take participating cluster " + strings.Join(called, ", ") +
			" out without asking it, since it does not answer; it keeps its data until that is purged there"}
		return planRequest(in, now, ask, wish)
	}
	return planRequest(in, now, request{op: opRemove, guid: guid(obs), remove: id, what: "remove participating cluster " + name}, wish)
}
