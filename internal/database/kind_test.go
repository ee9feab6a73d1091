package database

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func TestREDB1_ADatabaseComesToBe(t *testing.T) {
	w := newWorld(t, runningCluster(), database())
	db := w.settle()
	secret := w.secret("redb-orders")
	t.Run("REDB-1 it is created once", func(t *testing.T) {
		if got := w.cluster.written(); !slices.Equal(got, []string{"POST /v1/bdbs"}) {
			t.Errorf("writes: %q", got)
		}
	})
	t.Run("REDB-10 the Secret has the documented keys", func(t *testing.T) {
		if secret == nil {
			t.Fatal("no Secret redb-orders")
		}
		if len(secret.Data["password"]) < 16 || string(secret.Data["port"]) != "12001" || string(secret.Data["service_names"]) != "orders,orders-headless" {
			t.Errorf("keys: password of %d bytes, port %s, service_names %s", len(secret.Data["password"]), secret.Data["port"], secret.Data["service_names"])
		}
		if w.cluster.get(1, "authentication_redis_pass") != string(secret.Data["password"]) {
			t.Error("the database has another password")
		}
		if db.Spec.DatabaseSecretName != "redb-orders" {
			t.Errorf("spec.databaseSecretName = %q", db.Spec.DatabaseSecretName)
		}
	})
	t.Run("REDB-15 the Secret goes with the resource", func(t *testing.T) {
		if secret == nil || !metav1.IsControlledBy(secret, db) {
			t.Error("no owner")
		}
	})
	t.Run("REDB-22 the status is filled", func(t *testing.T) {
		s := db.Status
		if s.Status != v1alpha1.DatabaseActive || s.SpecStatus != appv1.SpecValid || s.DatabaseUID != "1" || s.Version != "8.2.1" ||
			s.RedisEnterpriseCluster != "rec" || s.LastActionUID != "action-1" || s.LastActionStatus != "completed" ||
			s.CreatedTime == "" || s.LastUpdated == "" || s.ShardStatuses["active"] != 1 {
			t.Errorf("status: %+v", s)
		}
		if len(s.InternalEndpoints) != 1 || s.InternalEndpoints[0].Host != "redis-12001.rec" || s.InternalEndpoints[0].Port != 12001 {
			t.Errorf("endpoints: %+v", s.InternalEndpoints)
		}
		if s.ObservedGeneration != db.Generation || ready(db) != "True Ready" || !meta.IsStatusConditionTrue(s.Conditions, v1alpha1.ConditionDatabaseActive) {
			t.Errorf("generation %d of %d, ready %s", s.ObservedGeneration, db.Generation, ready(db))
		}
	})
	t.Run("REDB-41 the finalizer is on", func(t *testing.T) {
		if !slices.Contains(db.Finalizers, names.DatabaseFinalizer) {
			t.Errorf("finalizers: %q", db.Finalizers)
		}
	})
	t.Run("converged means no writes at all, and no events", func(t *testing.T) {
		w.writes, w.events = 0, nil
		db.Labels = map[string]string{"team": "a"}
		if err := w.client.Update(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := w.pass(); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.cluster.written(); w.writes != 0 || len(got) != 0 || len(w.events) != 0 {
			t.Errorf("%d writes to Kubernetes, %q to the cluster, events %v", w.writes, got, w.events)
		}
	})
}

func TestREDB5_DriftIsPutBack(t *testing.T) {
	w := newWorld(t, runningCluster(), database())
	w.settle()
	w.elsewhere(func() {
		w.cluster.bdbs[1]["eviction_policy"] = "noeviction"
		w.cluster.bdbs[1]["tags"] = append(w.cluster.bdbs[1]["tags"].([]any), map[string]any{"key": "theirs", "value": "1"})
		w.cluster.bdbs[1]["some_new_setting"] = true
		w.cluster.writes = nil
	})
	w.settle()
	if got := w.cluster.written(); !slices.Equal(got, []string{"PUT /v1/bdbs/1"}) {
		t.Errorf("writes: %q", got)
	}
	if w.cluster.get(1, "eviction_policy") != "volatile-lru" || w.cluster.get(1, "some_new_setting") != true {
		t.Errorf("after: %v", w.cluster.bdbs[1])
	}
	if !w.told(names.EventDrift, "spec.evictionPolicy") {
		t.Errorf("events: %v", w.events)
	}
}

func TestREDB7_AnUpdateSendsWhatDiffersAndAdvancesTheGeneration(t *testing.T) {
	w := newWorld(t, runningCluster(), database())
	w.settle()
	w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.MemorySize = "200MB" })
	if err := w.pass(); err == nil {
		t.Fatal("an update is waited for")
	}
	db := w.db()
	if db.Status.Status != v1alpha1.DatabaseActiveChangePending || db.Status.ObservedGeneration != db.Generation || db.Status.LastActionUID == "action-1" {
		t.Errorf("status: %+v", db.Status)
	}
	db = w.settle()
	if got := w.cluster.get(1, "memory_size"); got != float64(200<<20) {
		t.Errorf("memory_size = %v", got)
	}
	if w.told(names.EventDrift, "") || !w.told(names.EventUpdated, "100MB → 200MB") {
		t.Errorf("events: %v", w.events)
	}
	if ready(db) != "True Ready" {
		t.Error(ready(db))
	}
}

func TestREDB11_APasswordOfTheUser(t *testing.T) {
	theirs := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "mine"}, Data: map[string][]byte{"password": []byte("one"), "note": []byte("x")}}
	w := newWorld(t, runningCluster(), theirs, database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.DatabaseSecretName = "mine" }))
	w.settle()
	secret := w.secret("mine")
	if string(secret.Data["port"]) != "12001" || string(secret.Data["service_names"]) == "" || string(secret.Data["note"]) != "x" {
		t.Errorf("data: %q", secret.Data)
	}
	if len(secret.OwnerReferences) != 0 || len(secret.Labels) != 0 {
		t.Errorf("REDB-15: a user's Secret must stay: %+v", secret.ObjectMeta)
	}
	if w.secret("redb-orders") != nil {
		t.Error("a second Secret was made")
	}
	t.Run("REDB-11 a changed password reaches the database and nobody's edit is undone", func(t *testing.T) {
		secret.Data["password"] = []byte("two")
		if err := w.client.Update(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		w.cluster.written()
		if err := w.pass(); err == nil || w.db().Status.Status != v1alpha1.DatabaseActiveChangePending {
			t.Errorf("err %v, status %q", err, w.db().Status.Status)
		}
		w.settle()
		if w.cluster.get(1, "authentication_redis_pass") != "two" || string(w.secret("mine").Data["password"]) != "two" {
			t.Error("the password did not change")
		}
		if got := w.cluster.written(); len(got) != 1 {
			t.Errorf("writes: %q", got)
		}
		if w.told(names.EventDrift, "") {
			t.Errorf("a new password is no drift: %v", w.events)
		}
		for _, e := range w.events {
			if strings.Contains(e.Message, "two") {
				t.Errorf("a password in an event: %v", e)
			}
		}
	})
}

func TestREDB11_ASecretInOtherHandsIsLeftAlone(t *testing.T) {
	yes := true
	for name, meta := range map[string]corev1.Secret{
		"immutable":           {Immutable: &yes},
		"of another operator": {ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "X", Name: "x", UID: "x", Controller: &yes}}}},
	} {
		t.Run(name, func(t *testing.T) {
			theirs := meta.DeepCopy()
			theirs.Namespace, theirs.Name, theirs.Data = "ns", "mine", map[string][]byte{"password": []byte("one")}
			w := newWorld(t, runningCluster(), theirs, database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.DatabaseSecretName = "mine" }))
			w.settle()
			if got := w.secret("mine").Data; len(got) != 1 {
				t.Errorf("keys were added: %q", got)
			}
		})
	}
}

func TestREDB10_AnEditedPasswordSurvivesAPortChange(t *testing.T) {
	w := newWorld(t, runningCluster(), database())
	w.settle()
	secret := w.secret("redb-orders")
	secret.Data["password"] = []byte("edited")
	if err := w.client.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	port := 7777
	w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.DatabaseServicePort = &port })
	w.settle()
	secret = w.secret("redb-orders")
	if string(secret.Data["password"]) != "edited" || string(secret.Data["port"]) != "7777" {
		t.Errorf("data: %q", secret.Data)
	}
	t.Run("a lost Secret comes back with the password in force", func(t *testing.T) {
		if err := w.client.Delete(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if got := w.secret("redb-orders"); got == nil || string(got.Data["password"]) != "edited" {
			t.Errorf("Secret: %v", got)
		}
	})
}

func TestREDB12_NoDefaultUserNoSecret(t *testing.T) {
	no := false
	w := newWorld(t, runningCluster(), database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.DefaultUser = &no }))
	db := w.settle()
	if w.secret("redb-orders") != nil || db.Spec.DatabaseSecretName != "" || w.cluster.get(1, "default_user") != false {
		t.Errorf("secret %v, spec %q, default_user %v", w.secret("redb-orders"), db.Spec.DatabaseSecretName, w.cluster.get(1, "default_user"))
	}
}

func TestREDB14_AMissingSecretIsNamedAndHeals(t *testing.T) {
	w := newWorld(t, runningCluster(), database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.DatabaseSecretName = "mine" }))
	for range 4 {
		if err := w.pass(); err == nil {
			t.Fatal("no complaint")
		}
	}
	db := w.db()
	if db.Status.SpecStatus != appv1.SpecInvalid || ready(db) != "False MissingReference" {
		t.Errorf("specStatus %q, ready %s", db.Status.SpecStatus, ready(db))
	}
	if !w.told(names.EventInvalidConfiguration, "spec.databaseSecretName: Secret mine was not found") {
		t.Errorf("events: %v", w.events)
	}
	if n := len(slices.DeleteFunc(slices.Clone(w.events), func(e kube.Event) bool { return e.Reason != names.EventInvalidConfiguration })); n != 1 {
		t.Errorf("%d events for one finding", n)
	}
	if len(w.cluster.written()) != 0 {
		t.Error("something was written to the cluster")
	}
	if err := w.client.Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "mine"}, Data: map[string][]byte{"password": nil}}); err != nil {
		t.Fatal(err)
	}
	if db := w.settle(); db.Status.SpecStatus != appv1.SpecValid || ready(db) != "True Ready" {
		t.Errorf("not healed: %+v", db.Status)
	}
}

func TestREDB9_NeverTwoDatabases(t *testing.T) {
	t.Run("a lost answer is found again", func(t *testing.T) {
		w := newWorld(t, runningCluster(), database())
		w.cluster.with(func() { w.cluster.answer = losing(w.cluster, http.MethodPost, true) })
		w.settle()
		if got := w.cluster.names(); len(got) != 1 {
			t.Errorf("databases: %q", got)
		}
	})
	t.Run("a creation that may still be under way is not repeated before the grace is over", func(t *testing.T) {
		w := newWorld(t, runningCluster(), database())
		now := time.Now()
		w.kind.Now = func() time.Time { return now }
		w.cluster.with(func() { w.cluster.answer = losing(w.cluster, http.MethodPost, false) })
		for range 6 {
			if err := w.pass(); err == nil {
				t.Fatal("done without a database")
			}
		}
		if got := w.cluster.written(); !slices.Equal(got, []string{"POST /v1/bdbs"}) {
			t.Errorf("writes: %q", got)
		}
		now = now.Add(createGrace)
		w.settle()
		if got := w.cluster.names(); len(got) != 1 {
			t.Errorf("databases: %q", got)
		}
	})
	t.Run("one that carries our marks is taken over by a new process", func(t *testing.T) {
		w := newWorld(t, runningCluster(), database())
		w.settle()
		db := w.db()
		db.Status = v1alpha1.RedisEnterpriseDatabaseStatus{}
		if err := w.client.Status().Update(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		w.kind = NewKind(w.client, w.client, w.links, "ns")
		if db := w.settle(); db.Status.DatabaseUID != "1" || len(w.cluster.names()) != 1 {
			t.Errorf("uid %q, databases %q", db.Status.DatabaseUID, w.cluster.names())
		}
	})
	t.Run("one of the same name that is not ours is refused and left alone", func(t *testing.T) {
		w := newWorld(t, runningCluster(), database())
		w.cluster.with(func() {
			w.cluster.bdbs[7] = map[string]any{"uid": 7, "name": "orders", "status": "active", "memory_size": 1}
		})
		for range 4 {
			if err := w.pass(); err == nil {
				t.Fatal("no complaint")
			}
		}
		db := w.db()
		if ready(db) != "False NameTaken" || db.Status.DatabaseUID != "" || len(w.cluster.written()) != 0 {
			t.Errorf("ready %s, uid %q", ready(db), db.Status.DatabaseUID)
		}
	})
}

// losing drops the answer to the first request of a method, with or without letting it take effect.
func losing(c *cluster, method string, applied bool) func(http.ResponseWriter, *http.Request) bool {
	left := 1
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != method || left == 0 {
			return false
		}
		left--
		if applied {
			c.serve(discard{http.Header{}}, r)
		}
		w.WriteHeader(statusLost)
		return true
	}
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

func TestALostDatabaseIsReportedAndNotMadeAnew(t *testing.T) {
	w := newWorld(t, runningCluster(), database())
	w.settle()
	w.elsewhere(func() { w.cluster.bdbs = map[int64]map[string]any{}; w.cluster.writes = nil })
	for range 3 {
		if err := w.pass(); outcome.Of(err).Kind != outcome.KindRejected {
			t.Fatalf("err = %v", err)
		}
	}
	db := w.db()
	if ready(db) != "False DatabaseMissing" || db.Status.DatabaseUID != "1" || len(w.cluster.written()) != 0 || db.Status.SpecStatus != appv1.SpecValid {
		t.Errorf("ready %s, status %+v", ready(db), db.Status)
	}
	t.Run("nor is another database that got the same uid touched", func(t *testing.T) {
		w.elsewhere(func() {
			w.cluster.bdbs[1] = map[string]any{"uid": 1, "name": "somebody-elses", "status": "active", "memory_size": 1}
		})
		if err := w.pass(); outcome.Of(err).Reason != v1alpha1.ReasonDatabaseMissing {
			t.Fatalf("err = %v", err)
		}
		if got := w.cluster.written(); len(got) != 0 {
			t.Errorf("writes: %q", got)
		}
	})
}

func TestABusyDatabaseWaits(t *testing.T) {
	w := newWorld(t, runningCluster(), database())
	w.settle()
	busy := 2
	w.cluster.with(func() {
		w.cluster.answer = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPut || busy == 0 {
				return false
			}
			busy--
			fail(rw, http.StatusConflict, "db_busy", "busy")
			return true
		}
	})
	w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.MemorySize = "200MB" })
	err := w.pass()
	if outcome.Of(err).Kind != outcome.KindWaiting || w.db().Status.ObservedGeneration == w.db().Generation {
		t.Fatalf("err %v, observed %d", err, w.db().Status.ObservedGeneration)
	}
	if db := w.settle(); db.Status.ObservedGeneration != db.Generation {
		t.Errorf("observed %d of %d", db.Status.ObservedGeneration, db.Generation)
	}
}

func TestBadInputIsNamedChangesNothingAndHeals(t *testing.T) {
	port := 12345
	cases := []struct {
		name, path string
		bad        func(*v1alpha1.RedisEnterpriseDatabase)
		good       func(*v1alpha1.RedisEnterpriseDatabase)
	}{
		{"a size nobody can read", "spec.memorySize",
			func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.MemorySize = "12XB" },
			func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.MemorySize = "120MB" }},
		{"a port of another database", "spec.databasePort",
			func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.DatabasePort = &port },
			func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.DatabasePort = nil }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, runningCluster(), database(c.bad))
			w.cluster.with(func() {
				w.cluster.bdbs[50] = map[string]any{"uid": 50, "name": "other", "status": "active", "port": port}
			})
			for range 4 {
				if err := w.pass(); err == nil {
					t.Fatal("no complaint")
				}
			}
			db := w.db()
			if db.Status.SpecStatus != appv1.SpecInvalid || !w.told(names.EventInvalidConfiguration, c.path) {
				t.Errorf("specStatus %q, events %v", db.Status.SpecStatus, w.events)
			}
			if got := w.cluster.written(); len(got) != 0 {
				t.Errorf("writes: %q", got)
			}
			w.edit(c.good)
			if db := w.settle(); db.Status.SpecStatus != appv1.SpecValid {
				t.Errorf("not healed: %+v", db.Status)
			}
		})
	}
}

func TestFixedFieldsAreRefused(t *testing.T) {
	w := newWorld(t, runningCluster(), database())
	w.settle()
	w.cluster.written()
	port := 15000
	w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.DatabasePort = &port; db.Spec.MemorySize = "300MB" })
	if err := w.pass(); outcome.Of(err).Path != "spec.databasePort" {
		t.Errorf("err = %v", err)
	}
	if got := w.cluster.written(); len(got) != 0 {
		t.Errorf("writes: %q", got)
	}
	if db := w.db(); db.Status.Status != v1alpha1.DatabaseActive || db.Status.SpecStatus != appv1.SpecInvalid {
		t.Errorf("status: %+v", db.Status)
	}
}

func TestREDB21_ChangesWaitForTheCluster(t *testing.T) {
	for _, state := range []appv1.ClusterState{appv1.ClusterUpgrade, appv1.ClusterRecoveryReset, appv1.ClusterRecoveringFirstPod} {
		t.Run(string(state), func(t *testing.T) {
			w := newWorld(t, runningCluster(), database())
			w.settle()
			w.cluster.written()
			rec := &appv1.RedisEnterpriseCluster{}
			if err := w.client.Get(t.Context(), types.NamespacedName{Namespace: "ns", Name: "rec"}, rec); err != nil {
				t.Fatal(err)
			}
			rec.Status.State = state
			if err := w.client.Status().Update(t.Context(), rec); err != nil {
				t.Fatal(err)
			}
			w.elsewhere(func() { w.cluster.bdbs[1]["status"] = "recovery" })
			w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.MemorySize = "200MB" })
			if err := w.pass(); outcome.Of(err).Kind != outcome.KindWaiting {
				t.Errorf("err = %v", err)
			}
			db := w.db()
			if got := w.cluster.written(); len(got) != 0 || db.Status.Status != v1alpha1.DatabaseRecovery || db.Status.ObservedGeneration == db.Generation {
				t.Errorf("writes %q, status %q", got, db.Status.Status)
			}
		})
	}
}

func TestREDB20_AFailedCreationIsTriedAgainWhenTheSpecChanges(t *testing.T) {
	w := newWorld(t, runningCluster(), database())
	w.cluster.with(func() { w.cluster.status = rest.BDBCreationFailed })
	for range 5 {
		if err := w.pass(); err == nil {
			t.Fatal("done with a failed creation")
		}
	}
	if db := w.db(); ready(db) != "False CreationFailed" || db.Status.Status != v1alpha1.DatabaseCreationFailed || db.Status.SpecStatus != appv1.SpecValid {
		t.Fatalf("status: %+v", db.Status)
	}
	if got := w.cluster.written(); len(got) != 1 {
		t.Errorf("writes: %q", got)
	}
	w.cluster.with(func() { w.cluster.status = rest.BDBActive })
	w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.MemorySize = "200MB" })
	if db := w.settle(); db.Status.DatabaseUID != "2" || len(w.cluster.names()) != 1 {
		t.Errorf("uid %q, databases %q", db.Status.DatabaseUID, w.cluster.names())
	}
}

func TestREDB20_ClearingAwayAFailedCreationTakesItsTime(t *testing.T) {
	w := newWorld(t, runningCluster(), database())
	w.cluster.with(func() { w.cluster.status = rest.BDBCreationFailed })
	for range 4 {
		_ = w.pass()
	}
	w.cluster.with(func() {
		w.cluster.status = rest.BDBActive
		w.cluster.answer = func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodDelete {
				w.cluster.bdbs[1]["status"] = rest.BDBDeletePending
			}
			return r.Method == http.MethodDelete
		}
	})
	w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.MemorySize = "200MB" })
	for range 3 {
		if err := w.pass(); outcome.Of(err).Kind != outcome.KindWaiting {
			t.Fatalf("err = %v", err)
		}
	}
	w.elsewhere(func() { delete(w.cluster.bdbs, 1) })
	if db := w.settle(); db.Status.DatabaseUID != "2" {
		t.Errorf("status: %+v", db.Status)
	}
}

func TestREDB7_AlertsAreSentOnceTheDatabaseIsThere(t *testing.T) {
	w := newWorld(t, runningCluster(), database(func(db *v1alpha1.RedisEnterpriseDatabase) {
		threshold := v1alpha1.AlertThreshold("80")
		db.Spec.AlertSettings = &v1alpha1.AlertSettings{Size: &v1alpha1.DatabaseAlert{Enabled: true, Threshold: &threshold}}
	}))
	db := w.settle()
	if got := w.cluster.written(); !slices.Equal(got, []string{"POST /v1/bdbs", "POST /v1/bdbs/alerts/1"}) {
		t.Errorf("writes: %q", got)
	}
	if w.told(names.EventDrift, "") || db.Status.ObservedGeneration != db.Generation {
		t.Errorf("events %v, generation %d of %d", w.events, db.Status.ObservedGeneration, db.Generation)
	}
}

func TestREDB38_WhatWentOutIsKnownAlthoughTheRestIsRefused(t *testing.T) {
	w := newWorld(t, runningCluster(), database())
	w.settle()
	w.cluster.with(func() {
		w.cluster.answer = func(answer http.ResponseWriter, r *http.Request) bool {
			refused := r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/v1/bdbs/alerts/")
			if refused {
				fail(answer, http.StatusBadRequest, "invalid_schema", "no such alert")
			}
			return refused
		}
	})
	yes := true
	w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) {
		threshold := v1alpha1.AlertThreshold("80")
		db.Spec.AlertSettings = &v1alpha1.AlertSettings{Size: &v1alpha1.DatabaseAlert{Enabled: true, Threshold: &threshold}}
		db.Spec.Tags, db.Spec.RackAware = map[string]string{"team": "a"}, &yes
	})
	for range 4 {
		_ = w.pass() // the alerts are refused
	}
	if got := fmt.Sprint(w.cluster.get(1, "tags"), w.cluster.get(1, "rack_aware")); !strings.Contains(got, "team") || !strings.Contains(got, "true") {
		t.Fatalf("the rest went out: %s", got)
	}
	w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) {
		db.Spec.AlertSettings, db.Spec.Tags, db.Spec.RackAware = nil, nil, nil
	})
	db := w.settle()
	if got := fmt.Sprint(w.cluster.get(1, "tags"), w.cluster.get(1, "rack_aware")); strings.Contains(got, "team") || strings.Contains(got, "true") {
		t.Errorf("left for ever: %s", got)
	}
	if len(db.Status.ManagedTags)+len(db.Status.ManagedFields) != 0 {
		t.Errorf("%v, %v", db.Status.ManagedTags, db.Status.ManagedFields)
	}
}

func TestAnUnreachableClusterKeepsTheLastStatus(t *testing.T) {
	w := newWorld(t, runningCluster(), database())
	w.settle()
	w.elsewhere(func() { w.cluster.down = true })
	if err := w.pass(); outcome.Of(err).Reason != appv1.ReasonClusterUnreachable {
		t.Errorf("err = %v", err)
	}
	db := w.db()
	if db.Status.Status != v1alpha1.DatabaseActive || len(db.Status.InternalEndpoints) != 1 || ready(db) != "False ClusterUnreachable" {
		t.Errorf("status: %+v", db.Status)
	}
}

func TestNotActedOnIsSaidOnce(t *testing.T) {
	w := newWorld(t, runningCluster(), database(func(db *v1alpha1.RedisEnterpriseDatabase) {
		db.Spec.Backup = &v1alpha1.BackupSpec{Mount: &v1alpha1.BackupMount{Path: "/backup"}}
	}))
	w.settle()
	for range 3 {
		if err := w.pass(); err != nil {
			t.Fatal(err)
		}
	}
	count := 0
	for _, e := range w.events {
		if e.Reason == names.EventNotActedOn && strings.Contains(e.Message, "spec.backup") && e.Warning {
			count++
		}
	}
	if count != 1 {
		t.Errorf("%d warnings; events %v", count, w.events)
	}
}
