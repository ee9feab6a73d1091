package activeactive

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// planChange covers a database that is there. First what changed elsewhere is taken in, then what changed here is passed
// on: settings in one task, participants one at a time (AA-14).
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
	want := desired(in, obs.CRDB, terms.Merged.Sites)
	if err := certificatesAreThere(in); err != nil {
		return stop(err) // with a part of them this cluster would turn clients away, and with none let all in
	}
	next, err := want.changes(obs)
	switch {
	case err != nil:
		return stop(err)
	case next.body != nil:
		wish := digest(next.changes, want.password.print, want.credentialsOf(next.body))
		return planRequest(in, now, request{op: opUpdate, guid: guid(obs), body: next.body, what: strings.Join(next.changes, "; ")}, wish)
	}
	if p, going := planParticipants(in, obs, now, terms, want); going {
		return p
	}
	if next.upgrade != nil {
		return planRequest(in, now, request{op: opUpgrade, guid: guid(obs), upgrade: next.upgrade, what: strings.Join(next.changes, "; ")}, digest(next.upgrade))
	}
	return planRest(in, obs, now, terms, want)
}

func guid(obs Observed) string { return rest.Value(obs.CRDB.GUID) }

// credentialsOf tells the fingerprints of the credentials in a request, so that another password makes another wish.
func (d Desired) credentialsOf(body *rest.CRDB) []string {
	var out []string
	for _, inst := range rest.Value(body.Instances) {
		if inst.Cluster != nil {
			out = append(out, d.credentialsPrint(inst.Cluster.Name))
		}
	}
	return out
}

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
		base.Secrets = in.Agreed.Secrets
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

// differsTooMuch guards against an edit that would take everything away by mistake (AA-15).
func differsTooMuch(in Inputs, terms Negotiation) error {
	added, kept := false, 0
	for cluster := range terms.Local.Sites {
		if _, there := terms.Server.Sites[cluster]; there {
			kept++
		} else {
			added = true
		}
	}
	if removed := len(terms.Server.Sites) - kept; added && removed > 0 && kept < 2 {
		return outcome.Reject(pathClusters, "the edit adds a cluster and leaves %d of the %d that take part: a patch replaces the list, so give it as a whole", kept, len(terms.Server.Sites))
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

// planParticipants adds or removes one participant (AA-14). The others must all be up and in sync for that.
func planParticipants(in Inputs, obs Observed, now time.Time, terms Negotiation, want Desired) (Plan, bool) {
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
		ask := request{op: opAdd, guid: guid(obs), add: inst, what: "add participating cluster " + in.nameOf(cluster)}
		return planRequest(in, now, ask, digest(cluster, terms.Local.Sites[cluster])), true
	}
	for _, inst := range rest.Value(obs.CRDB.Instances) {
		if _, stays := terms.Local.Sites[inst.ClusterName()]; stays {
			continue
		}
		return planLeaving(in, obs, now, inst), true
	}
	return Plan{}, false
}

// giveUpAfter is how many attempts to take a participant out in order must fail before it is done without asking it.
const giveUpAfter = 3

// planLeaving takes one participant out: in order, so that it drops its data; and by force when it does not answer, so that
// those who stay are not held up by one that is gone.
func planLeaving(in Inputs, obs Observed, now time.Time, inst rest.CRDBInstance) Plan {
	name, id := in.nameOf(inst.ClusterName()), rest.Value(inst.ID)
	wish := digest(inst.ClusterName(), inst.ID)
	tried := (in.Task.Operation == opRemove && in.Task.Failures >= giveUpAfter || in.Task.Operation == opDetach) && in.Task.Wish == wish && in.Task.failed()
	if remote := in.remoteOf(inst.ClusterName()); tried && (remote == nil || remote.Status.Status == v1alpha1.RemoteClusterError) {
		ask := request{op: opDetach, guid: guid(obs), detach: []rest.Int{id},
			what: "take participating cluster " + name + " out without asking it, since it does not answer; it keeps its data until that is purged there"}
		return planRequest(in, now, ask, wish)
	}
	return planRequest(in, now, request{op: opRemove, guid: guid(obs), remove: id, what: "remove participating cluster " + name}, wish)
}

// planRest is what comes when all participants know what is written here.
func planRest(in Inputs, obs Observed, now time.Time, terms Negotiation, want Desired) Plan {
	var steps []Step
	shown := certificatesPrint(obs)
	agreed := want.agreement(terms.Server)
	roles, given, missing := want.roles(obs)
	if roles != nil {
		steps = append(steps, roles)
	}
	if given != "" {
		agreed.Secrets[purposeRoles] = given
	}
	if was := in.shown(); was != "" && shown != "" && was != shown { // AA-18
		p := planRequest(in, now, request{op: opRenew, guid: guid(obs), what: "tell the other clusters of the new certificates of this one"}, digest(shown))
		if len(p.Steps) > 0 {
			agreed.Secrets[purposeCertificates] = shown // the task is written down and goes on; it is not asked for twice
			p.Steps = append(p.Steps, agree{terms: agreed})
		}
		return p
	}
	if shown != "" {
		agreed.Secrets[purposeCertificates] = shown
	}
	if in.Agreed == nil || !same(in.Agreed.tree(), agreed.tree()) || !maps.Equal(in.Agreed.Secrets, agreed.Secrets) {
		steps = append(steps, agree{terms: agreed})
	}
	if in.Task.failed() || in.Task.Under() {
		steps = append(steps, conclude{Record{Serial: in.Task.Serial, Operation: in.Task.Operation, Done: true}})
	}
	alerts, err := want.alerts(obs)
	if err != nil {
		return act(err, steps...)
	}
	if alerts != nil {
		steps = append(steps, alerts)
	}
	return Plan{Steps: steps, End: firstOf(want.password.problem, missing, settles(obs), replicates(obs)), Complete: true}
}

// shown is the fingerprint of the certificates that the others were last told of.
func (in Inputs) shown() string {
	if in.Agreed == nil {
		return ""
	}
	return in.Agreed.Secrets[purposeCertificates]
}

func certificatesPrint(obs Observed) string {
	certs := obs.Snapshot.Certificates
	if len(certs) == 0 {
		return ""
	}
	return digest(certs["proxy_cert"], certs["syncer_cert"])
}

// alerts are set on this cluster alone: each participant sets its own.
func (d Desired) alerts(obs Observed) (Step, error) {
	uid := rest.Value(obs.BDB.UID)
	body, changes, err := bdb.Alerts(d.common(), obs.Snapshot.Alerts[uid])
	if err != nil || body == nil {
		return nil, err
	}
	var texts []string
	for _, c := range changes {
		c.Path = globalPath(c.Path)
		texts = append(texts, c.String())
	}
	return setAlerts{uid: uid, body: body, what: strings.Join(texts, "; ")}, nil
}

// settles waits for the part of this cluster.
func settles(obs Observed) error {
	if !obs.BDB.Settled() {
		return outcome.Wait(v1alpha1.ReasonChanging, soon, "a change of the database is being made")
	}
	return nil
}

// replicates: the resource is ready when every link is up.
func replicates(obs Observed) error {
	switch r := obs.Replication; {
	case !r.Known:
		return outcome.Wait(v1alpha1.ReasonOutOfSync, soon, "the links between the participating clusters are being looked at")
	case r.Problem != "":
		return outcome.Wait(v1alpha1.ReasonOutOfSync, later, "%s", r.Problem)
	case len(r.Up) != len(rest.Value(obs.CRDB.Instances)):
		return outcome.Wait(v1alpha1.ReasonOutOfSync, soon, "%s", fmt.Sprintf("%d of %d participating clusters are told of", len(r.Up), len(rest.Value(obs.CRDB.Instances))))
	}
	return nil
}
