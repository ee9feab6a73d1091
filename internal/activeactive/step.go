package activeactive

import (
	"context"
	"fmt"
	"strings"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Step is one thing to do. It prints as what it does and never shows a secret.
type Step interface {
	fmt.Stringer
	do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseActiveActiveDatabase, run *Run) error
	// events tell people of the step once it is done.
	events() []kube.Event
}

// guard puts the finalizer on the resource.
type guard struct{}

func (guard) String() string       { return "put the finalizer on the resource" }
func (guard) events() []kube.Event { return nil }

// note writes a task down before it is asked for.
type note struct{ record Record }

func (s note) String() string {
	return fmt.Sprintf("write down task %d: %s", s.record.Serial, s.record.Operation)
}
func (note) events() []kube.Event { return nil }

// request asks for a task.
type request struct {
	op      operation
	record  Record
	guid    string
	body    *rest.CRDB
	add     *rest.CRDBInstance
	remove  rest.Int
	detach  []rest.Int
	upgrade *rest.UpgradeRequest
	// prints are fingerprints of the secrets in it, by purpose.
	prints map[string]string
	what   string
}

func (s request) String() string { return s.what }
func (s request) events() []kube.Event {
	switch {
	case s.record.Failures > 0:
		return nil // told the first time
	case s.op == opCreate:
		return []kube.Event{kube.Normal(names.EventCreated, s.what)}
	case s.op == opDetach:
		return []kube.Event{kube.Warning(names.EventDeleted, s.what)}
	case s.op == opDelete, s.op == opPurge:
		return []kube.Event{kube.Normal(names.EventDeleted, s.what)}
	}
	return []kube.Event{kube.Normal(names.EventUpdated, s.what)}
}

// conclude writes down how a task ended.
type conclude struct{ record Record }

func (s conclude) String() string {
	if s.record.failed() {
		return fmt.Sprintf("task %d (%s) failed: %s", s.record.Serial, s.record.Operation, s.record.Message)
	}
	return fmt.Sprintf("task %d is over", s.record.Serial)
}
func (s conclude) events() []kube.Event {
	if !s.record.failed() || s.record.Failures > 1 {
		return nil
	}
	return []kube.Event{kube.Warning(names.EventTaskFailed, fmt.Sprintf("%s: %s", s.record.Operation, s.record.Message))}
}

// adopt writes into the spec what was decided on another participant.
type adopt struct {
	spec      *v1alpha1.RedisEnterpriseActiveActiveDatabaseSpec
	base      Terms
	changed   []string
	conflicts []string
}

func (s adopt) String() string {
	return "adopt from the other clusters: " + strings.Join(s.changed, ", ")
}
func (s adopt) events() []kube.Event {
	events := []kube.Event{kube.Normal(names.EventAdopted, "changed on another participating cluster: "+strings.Join(s.changed, ", "))}
	if len(s.conflicts) > 0 {
		events = append(events, kube.Warning(names.EventMergeConflict, "changed here and on another participating cluster at the same time; the value from there counts: "+strings.Join(s.conflicts, ", ")))
	}
	return events
}

// agree remembers what is the same here and everywhere.
type agree struct{ terms Terms }

func (agree) String() string       { return "remember what all participating clusters agree on" }
func (agree) events() []kube.Event { return nil }

// makeRemote makes the remote cluster of a participant that another cluster added.
type makeRemote struct {
	remote *v1alpha1.RedisEnterpriseRemoteCluster
}

func (s makeRemote) String() string {
	return "create RedisEnterpriseRemoteCluster " + s.remote.Name + " for " + clusterOf(s.remote)
}
func (s makeRemote) events() []kube.Event {
	return []kube.Event{kube.Normal(names.EventDiscovered, fmt.Sprintf("RedisEnterpriseRemoteCluster %s was made for a participating cluster; it needs Secret %s with that cluster's credentials",
		s.remote.Name, CredentialsName(s.remote)))}
}

// changeRemote follows an edit of a remote cluster on another participant (RERC-8).
type changeRemote struct {
	before, after *v1alpha1.RedisEnterpriseRemoteCluster
}

func (s changeRemote) String() string {
	return fmt.Sprintf("RedisEnterpriseRemoteCluster %s is reached at %s and *%s", s.after.Name, urlOf(s.after), s.after.Spec.DBFQDNSuffix)
}
func (s changeRemote) events() []kube.Event {
	return []kube.Event{kube.Normal(names.EventAdopted, "changed on another participating cluster: "+s.String())}
}

// setAlerts switches alerts of the part of this cluster.
type setAlerts struct {
	uid  rest.UID
	body map[string]rest.AlertSetting
	what string
}

func (s setAlerts) String() string { return "set alerts: " + s.what }
func (s setAlerts) events() []kube.Event {
	return []kube.Event{kube.Normal(names.EventUpdated, s.what)}
}

// setRoles gives roles to the part of this cluster.
type setRoles struct {
	uid  rest.UID
	list []rest.RoleACL
}

func (s setRoles) String() string { return fmt.Sprintf("give the database %d roles", len(s.list)) }
func (s setRoles) events() []kube.Event {
	return []kube.Event{kube.Normal(names.EventUpdated, fmt.Sprintf("%s: %d roles may use the database", pathRoles, len(s.list)))}
}

// leave deletes the resource of a database that is gone from this cluster.
type leave struct{ why string }

func (s leave) String() string { return "delete the resource: " + s.why }
func (s leave) events() []kube.Event {
	return []kube.Event{kube.Normal(names.EventDeleted, "the resource is deleted: "+s.why)}
}

// release takes the finalizer off the resource.
type release struct{ why string }

func (s release) String() string       { return "release the resource: " + s.why }
func (s release) events() []kube.Event { return nil }
