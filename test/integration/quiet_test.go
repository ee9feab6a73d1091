package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
)

// windows is how often something may be tried again because the cluster itself was in trouble meanwhile.
const windows = 6

// undisturbed does something of which an operator at rest makes no writes, and says what went wrong. When the cluster
// did not answer, or lost a node, while it was done, the operator has to write that down: then it is done again.
func (s *scene) undisturbed(what string, try func() (wrong string)) {
	s.t.Helper()
	for range windows {
		s.settle()
		s.traffic.reset()
		wrong := try()
		if wrong == "" {
			return
		}
		trouble := s.traffic.trouble()
		if len(trouble) == 0 {
			s.t.Fatalf("%s: %s", what, wrong)
		}
		s.t.Logf("%s: tried again, the cluster was in trouble (%s): %s", what, trouble[0], wrong)
	}
	s.t.Fatalf("%s: the cluster was never left alone", what)
}

// settle waits until the operator and its cluster have been silent for a second.
func (s *scene) settle() {
	s.t.Helper()
	s.eventually(60*time.Second, "silence", func(context.Context) string {
		s.traffic.reset()
		time.Sleep(time.Second)
		return strings.Join(append(s.traffic.writes(kubernetesSide, redisSide), s.traffic.trouble()...), "\n")
	})
}

// restful counts the reads of the admin API in a span of time in which nothing is written, although the operator is woken:
// somebody else notes something on its objects, which is none of its business.
func (s *scene) restful(span time.Duration) (reads int) {
	s.t.Helper()
	round := time.Now().Format(time.StampNano)
	s.undisturbed("REC-12 writes at rest", func() string {
		edit(s, &appsv1.StatefulSet{ObjectMeta: s.meta("rec")}, func(set *appsv1.StatefulSet) {
			metav1.SetMetaDataAnnotation(&set.ObjectMeta, "example.org/note", round)
		})
		edit(s, &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: s.meta("quiet")}, func(db *appv1alpha1.RedisEnterpriseDatabase) {
			db.Labels = map[string]string{"note": fmt.Sprint(len(round))}
		})
		round += "."
		time.Sleep(span) // the span is what is measured
		reads = len(s.traffic.reads(redisSide))
		return strings.Join(s.traffic.writes(kubernetesSide, redisSide), "\n")
	})
	return reads
}

// quiet tests an operator with nothing to do.
func quiet(t *testing.T, s *scene) {
	s.database("quiet", appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "100MB"})
	few := s.restful(3 * time.Second)
	s.database("quiet-too", appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "100MB"})
	many := s.restful(3 * time.Second)
	if many > few+few/2 {
		t.Errorf("reads of the admin API grow with the number of databases: %d, then %d", few, many)
	}
}

func TestOperatorRestartChangesNothing(t *testing.T) {
	s := newScene(t)
	rec := &appv1.RedisEnterpriseCluster{ObjectMeta: s.meta("rec"), Spec: appv1.RedisEnterpriseClusterSpec{Nodes: ptr.To[int32](3)}}
	s.create(rec)
	s.ready(rec, limitCluster)
	db := s.database("orders", appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "100MB"})
	s.undisturbed("a restart of the operator", func() string {
		s.ready(rec, limitCluster)
		version := rec.ResourceVersion
		s.restart()
		s.settleWrites()
		s.ready(rec, limitCluster)
		s.ready(db, limitDatabase)
		wrong := s.traffic.writes(redisSide)
		if rec.ResourceVersion != version {
			wrong = append(wrong, fmt.Sprintf("the REC was written: %s, then %s", version, rec.ResourceVersion))
		}
		return strings.Join(wrong, "\n")
	})
}

// settleWrites waits until the operator has written nothing to Kubernetes for a second, and forgets nothing of what it
// sent before.
func (s *scene) settleWrites() {
	s.t.Helper()
	before := -1
	s.eventually(60*time.Second, "no more writes", func(context.Context) string {
		if now := len(s.traffic.writes(kubernetesSide)); now != before {
			before = now
			time.Sleep(time.Second)
			return fmt.Sprintf("%d writes", now)
		}
		return ""
	})
}
