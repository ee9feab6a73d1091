package database

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

func exposedAs(value string) func(*v1alpha1.RedisEnterpriseDatabase) {
	return func(db *v1alpha1.RedisEnterpriseDatabase) {
		db.Annotations = map[string]string{names.AnnotationExpose: value}
		db.Spec.TLSMode = v1alpha1.TLSEnabled
	}
}

func withWayIn(suffix string) *appv1.RedisEnterpriseCluster {
	rec := runningCluster()
	rec.Spec.IngressOrRouteSpec = &appv1.IngressOrRouteSpec{Method: appv1.ExposureOpenShiftRoute, APIFQDNURL: "api.example.com", DBFQDNSuffix: suffix}
	return rec
}

func (w *world) exposed() metav1.Condition {
	if c := meta.FindStatusCondition(w.db().Status.Conditions, v1alpha1.ConditionExposed); c != nil {
		return *c
	}
	return metav1.Condition{}
}

// tag is the one that the services rigger reads.
func (w *world) tag() string {
	for _, tag := range w.cluster.get(1, "tags").([]any) {
		if entry := tag.(map[string]any); entry["key"] == names.TagExpose {
			return fmt.Sprint(entry["value"])
		}
	}
	return ""
}

func TestNET2_AnAnnotationExposesAPlainDatabase(t *testing.T) {
	w := newWorld(t, withWayIn("-db.example.com"), database(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.TLSMode = v1alpha1.TLSEnabled }))
	w.settle()
	if got := w.tag(); got != "" || w.exposed().Type != "" {
		t.Fatalf("NET-2 nobody asked: tag %q, %+v", got, w.exposed())
	}
	w.reannotate("true")
	w.settle()
	if c := w.exposed(); w.tag() != "true" || c.Status != metav1.ConditionTrue || !strings.Contains(c.Message, "orders-db.example.com:443") {
		t.Errorf("NET-3 tag %q, %+v", w.tag(), c)
	}
	if w.told(names.EventDrift, "") {
		t.Errorf("the user's wish is called drift: %v", w.events)
	}
	w.reannotate("redis.example.org")
	w.settle()
	if c := w.exposed(); w.tag() != "redis.example.org" || !strings.Contains(c.Message, "redis.example.org:443") {
		t.Errorf("a host of its own: tag %q, %+v", w.tag(), c)
	}
	w.writes, w.cluster.writes = 0, nil
	for range 3 {
		w.settle()
	}
	if w.writes != 0 || len(w.cluster.written()) != 0 {
		t.Errorf("not quiet: %d writes, %q", w.writes, w.cluster.written())
	}
	w.elsewhere(func() { w.cluster.bdbs[1]["tags"] = []any{} })
	w.settle()
	if w.tag() != "redis.example.org" {
		t.Error("the tag is not put back")
	}
	w.reannotate("")
	w.settle()
	if w.tag() != "" || w.exposed().Type != "" {
		t.Errorf("left behind: tag %q, %+v", w.tag(), w.exposed())
	}
}

// reannotate changes the annotation alone: the generation stays.
func (w *world) reannotate(value string) {
	w.t.Helper()
	db := w.db()
	db.Annotations = nil
	if value != "" {
		db.Annotations = map[string]string{names.AnnotationExpose: value}
	}
	if err := w.client.Update(w.t.Context(), db); err != nil {
		w.t.Fatal(err)
	}
}

func TestNET2_AClusterWithoutAWayInIsTold(t *testing.T) {
	w := newWorld(t, runningCluster(), database(exposedAs("true")))
	w.settle()
	if c := w.exposed(); c.Status != metav1.ConditionFalse || c.Reason != v1alpha1.ReasonNoWayIn {
		t.Errorf("%+v", c)
	}
}

func TestNET1_ExposureThatCannotBe(t *testing.T) {
	long := "-" + strings.Repeat("s", 60) + ".example.com"
	for name, c := range map[string]struct {
		change func(*v1alpha1.RedisEnterpriseDatabase)
		suffix string
		says   []string
	}{
		"NET-1 it needs TLS with clients": {func(db *v1alpha1.RedisEnterpriseDatabase) {
			exposedAs("true")(db)
			db.Spec.TLSMode = v1alpha1.TLSReplica
		}, "-db.example.com", []string{pathExpose, "spec.tlsMode"}},
		"a host that is none":                               {exposedAs("redis.example.org:6379"), "-db.example.com", []string{pathExpose, "no host name"}},
		"NET-3 a name and suffix that are too long for DNS": {exposedAs("true"), long, []string{pathExpose, "67 characters"}},
	} {
		t.Run(name, func(t *testing.T) {
			rec, db := withWayIn(c.suffix), database(c.change)
			w := newWorld(t, rec, db)
			err := w.pass()
			verdict := ask(t, reviewer(t, rec), nil, db)
			if len(verdict.Denials) != 1 || err == nil || verdict.Denials[0] != err.Error() {
				t.Fatalf("admission: %q, loop: %v", verdict.Denials, err)
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if got := w.db().Status.SpecStatus; got != appv1.SpecInvalid || !w.told(names.EventInvalidConfiguration, c.says[1]) || len(w.cluster.written()) != 0 {
				t.Errorf("%s, %v, %q", got, w.events, w.cluster.written())
			}
		})
	}
}
