package activeactive

import (
	"fmt"
	"maps"
	"strings"
	"time"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// planRest is what comes when all participants know what is written here.
func planRest(in Inputs, obs Observed, now time.Time, terms Negotiation, want Desired) Plan {
	var steps []Step
	roles, given, missing := want.roles(obs)
	if roles != nil {
		steps = append(steps, roles)
	}
	agreed := in.certified(want.agreement(terms.Server), obs)
	if given != "" {
		agreed.Secrets[purposeRoles] = given
	}
	if in.Agreed == nil || !same(in.Agreed.tree(), agreed.tree()) || !maps.Equal(in.Agreed.Secrets, agreed.Secrets) || in.Agreed.Generation != agreed.Generation {
		steps = append(steps, agree{terms: agreed})
	}
	renewal, renews := planRenewal(in, obs, now)
	if !renews && (in.Task.failed() || in.Task.Under()) {
		steps = append(steps, conclude{Record{Serial: in.Task.Serial, Operation: in.Task.Operation, Done: true}})
	}
	alerts, err := want.alerts(obs)
	if err != nil {
		return act(err, steps...)
	}
	if alerts != nil {
		steps = append(steps, alerts)
	}
	if renews {
		return Plan{Steps: append(steps, renewal.Steps...), End: firstOf(want.password.problem, missing, renewal.End), Complete: true}
	}
	return Plan{Steps: steps, End: firstOf(want.password.problem, missing, settles(obs), replicates(obs)), Complete: true}
}

// planRenewal tells the others of new certificates of this cluster (AA-18). They count as known once the task has succeeded.
func planRenewal(in Inputs, obs Observed, now time.Time) (p Plan, renews bool) {
	was, shows := in.shown(), certificatesPrint(obs)
	if was == "" || shows == "" || was == shows {
		return Plan{}, false
	}
	ask := request{op: opRenew, guid: guid(obs), prints: map[string]string{purposeCertificates: shows},
		what: "tell the other clusters of the new certificates of this one"}
	return planRequest(in, now, ask, digest(shows)), true
}

// certified adds the certificates that the others know: those that they were told of last, and before the first time those
// that they got with the database.
func (in Inputs) certified(terms Terms, obs Observed) Terms {
	known, generation := in.shown(), max(1, in.generation())
	if known == "" {
		known = certificatesPrint(obs)
	}
	if known != "" {
		terms.Secrets[purposeCertificates], terms.Generation = known, generation
	}
	return terms
}

// passedOn is what the participants know after the task that was written down has succeeded.
func (in Inputs) passedOn() (terms Terms, learned bool) {
	if in.Agreed == nil || len(in.Task.Prints) == 0 {
		return Terms{}, false
	}
	terms = *in.Agreed
	terms.Secrets = maps.Clone(terms.Secrets)
	if terms.Secrets == nil {
		terms.Secrets = map[string]string{}
	}
	maps.Copy(terms.Secrets, in.Task.Prints)
	if terms.Secrets[purposeCertificates] != in.shown() {
		terms.Generation = in.generation() + 1
	}
	return terms, true
}

// shown is the fingerprint of the certificates that the others were last told of.
func (in Inputs) shown() string { return in.known(purposeCertificates) }

// generation counts them. An agreement that was written down before they were counted has the number in the status.
func (in Inputs) generation() int64 {
	n := in.Database.Status.ClusterCertificatesGeneration
	if in.Agreed != nil {
		n = max(n, in.Agreed.Generation)
	}
	return n
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
