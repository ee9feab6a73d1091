package database

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Desired is what the database should be, with every reference looked up.
type Desired struct {
	inputs bdb.Inputs
	// advanced is true when the spec has something that was not sent yet, so that a difference is the user's wish.
	advanced bool
}

// desired looks up what the spec refers to. A Secret that is absent or lacks a key is for a person to mend (REDB-14).
func desired(in Inputs) (Desired, error) {
	db := in.Database
	for _, ref := range References(db) {
		if err := usable(ref, in.Secrets[ref.Secret], db.Namespace); err != nil {
			return Desired{}, err
		}
	}
	want := Desired{
		inputs: bdb.Inputs{
			Name:          db.Name,
			Spec:          &db.Spec,
			Tags:          bdb.OwnTags(db.Namespace, db.Name, &db.Spec),
			ManagedTags:   db.Status.ManagedTags,
			ManagedFields: db.Status.ManagedFields,
			Salt:          string(db.UID),
			Recorded:      in.Sent,
		},
		advanced: db.Generation != db.Status.ObservedGeneration,
	}
	if value := exposure(db); value != "" {
		want.inputs.Tags[names.TagExpose] = value
	}
	if usesSecret(&db.Spec) {
		want.inputs.Password = rest.Ptr(string(in.Secrets[db.SecretName()].Data[names.PasswordKey]))
	}
	if name := db.Spec.MemcachedSASLSecretName; name != "" && db.Spec.Type == v1alpha1.DatabaseMemcached {
		data := in.Secrets[name].Data
		want.inputs.SASL = &bdb.SASL{Username: string(data[names.UsernameKey]), Password: string(data[names.PasswordKey])}
	}
	for _, name := range db.Spec.ClientAuthenticationCertificates {
		want.inputs.ClientCertificates = append(want.inputs.ClientCertificates, string(in.Secrets[name].Data[names.CertKey]))
	}
	return want, nil
}

func usable(ref Reference, secret *corev1.Secret, namespace string) error {
	if secret == nil {
		return outcome.Missing(ref.Path, "Secret %s was not found in namespace %s", ref.Secret, namespace)
	}
	for _, key := range ref.Keys {
		if _, there := secret.Data[key]; !there {
			return outcome.Missing(ref.Path, "Secret %s has no key %s", ref.Secret, key)
		}
	}
	return nil
}

// creation is the step that makes the database.
func (d Desired) creation() (Step, error) {
	body, err := bdb.Create(d.inputs)
	if err != nil {
		return nil, rejected(err)
	}
	prints, err := bdb.Fingerprints(d.inputs)
	return create{body: body, sent: prints}, rejected(err)
}

// changes are the steps that bring an existing database to what is desired; an error when one cannot be taken. The
// cluster works on one change at a time, so they are taken one per pass.
func (d Desired) changes(obs Observed) ([]Step, error) {
	refusals, err := bdb.Refusals(d.inputs, obs.BDB)
	if err != nil {
		return nil, rejected(err)
	}
	if len(refusals) > 0 {
		return nil, reject(refusals)
	}
	body, changes, err := bdb.Diff(d.inputs, obs.BDB)
	if err != nil {
		return nil, rejected(err)
	}
	prints, err := bdb.Fingerprints(d.inputs)
	if err != nil {
		return nil, rejected(err)
	}
	var steps []Step
	uid := rest.Value(obs.BDB.UID)
	if body != nil {
		steps = append(steps, update{uid: uid, body: body, changes: changes, sent: prints, drift: !d.advanced && !fromSecrets(changes)})
	}
	upgradeTo, changes, err := bdb.Upgrade(d.inputs, obs.BDB)
	if err != nil {
		return nil, rejected(err)
	}
	if upgradeTo != nil {
		steps = append(steps, upgrade{uid: uid, body: upgradeTo, changes: changes})
	}
	alerts, changes, err := bdb.Alerts(d.inputs, obs.Snapshot.Alerts[uid])
	if err != nil {
		return nil, rejected(err)
	}
	if alerts != nil {
		steps = append(steps, setAlerts{uid: uid, body: alerts, changes: changes, drift: !d.advanced})
	}
	return steps, nil
}

// secretSettings come from Secrets, which change without the resource.
var secretSettings = []string{
	"authentication_redis_pass", "authentication_sasl_uname", "authentication_sasl_pass", "authentication_ssl_client_certs",
}

func fromSecrets(changes []bdb.Change) bool {
	return !slices.ContainsFunc(changes, func(c bdb.Change) bool { return !slices.Contains(secretSettings, c.Setting) })
}

// readable returns a password that the cluster shows; empty when it hides it or has none.
func readable(password *string) string {
	text := rest.Value(password)
	for _, r := range text {
		if r != '*' {
			return text
		}
	}
	return ""
}
