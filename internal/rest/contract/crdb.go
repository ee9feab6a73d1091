package contract

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// RunActiveActive runs the part of the suite about Active-Active databases: the first target is asked, all take part. Each
// target must reach the others under URL.
func RunActiveActive(t *testing.T, targets ...Target) {
	t.Helper()
	a := &active{}
	for _, target := range targets {
		s := &suite{Target: target}
		s.client = s.as(t, target.Credentials)
		c, err := s.client.GetCluster(t.Context())
		must(t, err)
		a.sites = append(a.sites, s)
		a.names = append(a.names, rest.Value(c.Name))
	}
	t.Run("refusals", a.refusals)
	t.Run("life cycle", a.lifeCycle)
	if targets[0].Spoil != nil {
		t.Run("lost answers", a.lostAnswers)
	}
}

// active is a set of clusters that share databases.
type active struct {
	sites []*suite
	names []string
}

func (a *active) instance(i int) rest.CRDBInstance {
	s := a.sites[i]
	return rest.CRDBInstance{Cluster: &rest.CRDBCluster{
		Name: a.names[i], URL: s.URL,
		Credentials: &rest.BootstrapCredential{Username: s.Credentials.Username, Password: s.Credentials.Password},
	}}
}

func (a *active) body(name string, sites ...int) *rest.CRDB {
	var instances []rest.CRDBInstance
	for _, i := range sites {
		instances = append(instances, a.instance(i))
	}
	return &rest.CRDB{
		Name: &name, Instances: &instances, Encryption: rest.Ptr(true),
		DefaultDBConfig: &rest.BDB{MemorySize: rest.Ptr(rest.Int(100 * mb)), Replication: rest.Ptr(false)},
	}
}

// over waits for the end of a task.
func (a *active) over(t *testing.T, i int, task *rest.CRDBTask, err error) *rest.CRDBTask {
	t.Helper()
	must(t, err)
	until(t, "the end of "+task.Operation, func(ctx context.Context) (bool, error) {
		now, err := a.sites[i].client.GetCRDBTask(ctx, task.ID)
		if err != nil {
			return false, err
		}
		task = now
		return task.Phase() != rest.Running, nil
	})
	return task
}

func (a *active) succeeds(t *testing.T, i int, task *rest.CRDBTask, err error) string {
	t.Helper()
	task = a.over(t, i, task, err)
	if task.Phase() != rest.Succeeded || task.GUID == "" {
		t.Fatalf("%s: %s", task.Operation, task.Message())
	}
	return task.GUID
}

func (a *active) refusals(t *testing.T) {
	ctx, c := t.Context(), a.sites[0].client
	_, err := c.GetCRDB(ctx, "e58b4461-5a8d-4b17-8c1e-e7b5b2ad1f27")
	wants(t, "a database that does not exist", err, rest.IsNotFound)
	_, err = c.GetCRDBTask(ctx, "e58b4461-5a8d-4b17-8c1e-e7b5b2ad1f27")
	wants(t, "a task that does not exist", err, rest.IsNotFound)
	nameless := a.body("x", 0, 1)
	nameless.Name = nil
	_, err = c.CreateCRDB(ctx, "", nameless)
	wants(t, "a database without a name", err, rest.IsRefused)

	wrong := a.body(unique("wrong"), 0, 1)
	(*wrong.Instances)[1].Cluster.Credentials.Password = "wrong"
	task, err := c.CreateCRDB(ctx, "", wrong)
	task = a.over(t, 0, task, err)
	if task.Phase() != rest.Failed || len(task.Errors) != 1 || task.Errors[0].Cluster != a.names[1] || task.Message() == "" {
		t.Errorf("a wrong password for a participant: %+v", task)
	}
	a.nothingIsLeft(t, rest.Value(wrong.Name))
}

func (a *active) nothingIsLeft(t *testing.T, name string) {
	t.Helper()
	for i, s := range a.sites {
		b, err := s.client.FindBDB(t.Context(), name)
		if err != nil || b != nil {
			t.Errorf("cluster %d has database %v, %v", i, b, err)
		}
		list, err := s.client.ListCRDBs(t.Context())
		must(t, err)
		for _, c := range list {
			if rest.Value(c.Name) == name {
				t.Errorf("cluster %d knows %s", i, c)
			}
		}
	}
}

func (a *active) lifeCycle(t *testing.T) {
	ctx, c, name := t.Context(), a.sites[0].client, unique("active")
	must(t, c.CheckCreateCRDB(ctx, a.body(name, 0, 1)))
	a.nothingIsLeft(t, name)
	task, err := c.CreateCRDB(ctx, "", a.body(name, 0, 1))
	guid := a.succeeds(t, 0, task, err)
	t.Cleanup(func() { a.remove(context.WithoutCancel(ctx), t, guid) })
	for i, s := range a.sites {
		crdb, err := s.client.GetCRDB(ctx, guid)
		must(t, err)
		if len(rest.Value(crdb.Instances)) != 2 || crdb.LocalUID() == 0 {
			t.Errorf("cluster %d knows %s with instances %v", i, crdb, rest.Value(crdb.Instances))
		}
		b := s.settle(t, crdb.LocalUID())
		if !rest.Value(b.CRDT) || rest.Value(b.CRDTGUID) != guid || rest.Value(b.Name) != name {
			t.Errorf("the database of cluster %d is %s", i, b)
		}
	}
	a.healthy(t, guid)

	last := len(a.sites) - 1
	change := &rest.CRDB{DefaultDBConfig: &rest.BDB{MemorySize: rest.Ptr(rest.Int(200 * mb))}}
	task, err = a.sites[last].client.UpdateCRDB(ctx, guid, "", change)
	a.succeeds(t, last, task, err)
	for i, s := range a.sites {
		b, err := s.client.FindBDB(ctx, name)
		must(t, err)
		if rest.Value(b.MemorySize) != 200*mb || rest.Value(b.Replication) {
			t.Errorf("after a change of the memory alone cluster %d has %d, replication %v", i, rest.Value(b.MemorySize), rest.Value(b.Replication))
		}
	}
	task, err = c.FlushCRDB(ctx, guid, "")
	a.succeeds(t, 0, task, err)
}

// healthy waits until every cluster says that it hears from all others.
func (a *active) healthy(t *testing.T, guid string) {
	t.Helper()
	until(t, "all links are up", func(ctx context.Context) (bool, error) {
		reports, err := a.sites[0].client.CRDBHealth(ctx, guid)
		if err != nil || len(reports) != len(a.sites) {
			return false, err
		}
		for _, r := range reports {
			if r.ConnectionError != "" || len(r.Connections) != len(a.sites)-1 {
				return false, fmt.Errorf("%+v", r)
			}
			for _, c := range r.Connections {
				if !c.Up() {
					return false, nil
				}
			}
		}
		return true, nil
	})
}

// remove deletes a database and waits for the end.
func (a *active) remove(ctx context.Context, t *testing.T, guid string) {
	t.Helper()
	task, err := a.sites[0].client.DeleteCRDB(ctx, guid, "")
	if err != nil {
		t.Error(err)
		return
	}
	for ctx.Err() == nil {
		now, err := a.sites[0].client.GetCRDBTask(ctx, task.ID)
		if err != nil || now.Phase() == rest.Failed {
			t.Errorf("deleting: %v %v", err, now)
			return
		}
		if now.Phase() == rest.Succeeded {
			return
		}
	}
}

// lostAnswers: a request that is sent again with its task id finds what the first one began.
func (a *active) lostAnswers(t *testing.T) {
	ctx, c, name := t.Context(), a.sites[0].client, unique("again")
	id := rand.Text()
	a.sites[0].Spoil(t, "POST", "/v1/crdbs")
	_, err := c.CreateCRDB(ctx, id, a.body(name, 0, 1))
	wants(t, "a create whose answer is lost", err, rest.MaybeApplied)
	task, err := c.CreateCRDB(ctx, id, a.body(name, 0, 1))
	if err == nil && task.ID != id {
		t.Errorf("the task is %s, not %s", task.ID, id)
	}
	guid := a.succeeds(t, 0, task, err)
	a.remove(ctx, t, guid)
	a.nothingIsLeft(t, name)
}
