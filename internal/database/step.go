package database

import (
	"context"
	"fmt"
	"strings"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Step is one thing to do. It prints as what it does, the same in the log, in tests and in events, and never shows a
// secret.
type Step interface {
	fmt.Stringer
	do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseDatabase, run *Run) error
	// event tells people of the step once it is done; nil when they need not know.
	event() *kube.Event
}

// Steps prints a plan.
func Steps(steps []Step) string {
	lines := make([]string, 0, len(steps))
	for _, s := range steps {
		lines = append(lines, s.String())
	}
	return strings.Join(lines, "\n")
}

// guard puts the finalizer on the resource, before anything exists that deleting it must clear away.
type guard struct{}

func (guard) String() string     { return "put the finalizer on the resource" }
func (guard) event() *kube.Event { return nil }

// makeSecret creates the Secret with a password.
type makeSecret struct {
	name string
	// password to write; empty means a new one.
	password string
}

func (s makeSecret) String() string { return "create Secret " + s.name + " with a password" }
func (s makeSecret) event() *kube.Event {
	e := kube.Normal(names.EventCreated, "Secret "+s.name+" created with the password of the default user")
	return &e
}

// nameSecret writes the Secret's name into the spec, as documented.
type nameSecret struct{ name string }

func (s nameSecret) String() string     { return "set " + pathSecret + " to " + s.name }
func (s nameSecret) event() *kube.Event { return nil }

// publish writes port and Service names into the Secret, and where cluster-aware clients outside begin.
type publish struct {
	how  reach
	name string
}

func (s publish) String() string {
	text := fmt.Sprintf("tell port %d in Secret %s", s.how.port, s.name)
	if len(s.how.startup) > 0 {
		text += " and startup nodes " + strings.Join(s.how.startup, ", ")
	}
	return text
}
func (s publish) event() *kube.Event { return nil }

// create makes the database.
type create struct {
	body *rest.BDB
	sent map[string]string // fingerprints of the secrets in it
}

func (s create) String() string { return "create database " + rest.Value(s.body.Name) }
func (s create) event() *kube.Event {
	e := kube.Normal(names.EventCreated, "database "+rest.Value(s.body.Name)+" is being created")
	return &e
}

// update sends the settings that differ.
type update struct {
	uid     rest.UID
	body    *rest.BDB
	changes []bdb.Change
	sent    map[string]string // fingerprints of the secrets
	drift   bool              // nobody asked for a change here: the database was changed elsewhere
}

func (s update) String() string {
	return fmt.Sprintf("update database %s: %s", s.uid, bdb.Print(s.changes))
}
func (s update) event() *kube.Event { return told(s.changes, s.drift) }

// upgrade brings the database to another Redis version.
type upgrade struct {
	uid     rest.UID
	body    *rest.UpgradeRequest
	changes []bdb.Change
}

func (s upgrade) String() string {
	return fmt.Sprintf("upgrade database %s: %s", s.uid, bdb.Print(s.changes))
}
func (s upgrade) event() *kube.Event { return told(s.changes, false) }

// setAlerts switches alerts and their thresholds.
type setAlerts struct {
	uid     rest.UID
	body    map[string]rest.AlertSetting
	changes []bdb.Change
	drift   bool
}

func (s setAlerts) String() string {
	return fmt.Sprintf("set alerts of database %s: %s", s.uid, bdb.Print(s.changes))
}
func (s setAlerts) event() *kube.Event { return told(s.changes, s.drift) }

func told(changes []bdb.Change, drift bool) *kube.Event {
	e := kube.Normal(names.EventUpdated, bdb.Print(changes))
	if drift {
		e = kube.Normal(names.EventDrift, "the database was changed elsewhere and is put back: "+bdb.Print(changes))
	}
	return &e
}

// clearFailed removes a database whose creation failed; it never held data.
type clearFailed struct{ uid rest.UID }

func (s clearFailed) String() string {
	return "clear away the failed creation of database " + s.uid.String()
}
func (s clearFailed) event() *kube.Event { return nil }

// remove deletes the database and its data.
type remove struct{ uid rest.UID }

func (s remove) String() string { return "delete database " + s.uid.String() }
func (s remove) event() *kube.Event {
	e := kube.Normal(names.EventDeleted, "database with uid "+s.uid.String()+" is being deleted")
	return &e
}

// release takes the finalizer off the resource.
type release struct{ why string }

func (s release) String() string     { return "release the resource: " + s.why }
func (s release) event() *kube.Event { return nil }
