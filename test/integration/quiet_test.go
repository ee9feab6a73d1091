package integration

import (
	"context"
	"fmt"
	"regexp"
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

// restful returns the reads of the admin API in a span of time in which nothing is written, although the operator is woken:
// somebody else notes something on its objects, which is none of its business.
func (s *scene) restful(span time.Duration) (reads []string) {
	s.t.Helper()
	round := 0
	s.undisturbed("REC-12 writes at rest", func() string {
		round++
		note := fmt.Sprint(round)
		edit(s, &appsv1.StatefulSet{ObjectMeta: s.meta("rec")}, func(set *appsv1.StatefulSet) {
			metav1.SetMetaDataAnnotation(&set.ObjectMeta, "example.org/note", note)
		})
		edit(s, &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: s.meta("quiet")}, func(db *appv1alpha1.RedisEnterpriseDatabase) {
			db.Labels = map[string]string{"note": note}
		})
		time.Sleep(span) // the span is what is measured
		reads = s.traffic.reads(redisSide)
		return strings.Join(s.traffic.writes(kubernetesSide, redisSide), "\n")
	})
	return reads
}

// oneOf is the path of a single database of the admin API.
var oneOf = regexp.MustCompile(`/bdbs/[^ ]*[0-9]`)

// quiet tests an operator with nothing to do: however many databases there are, one reading of the cluster serves them all.
// How many readings fall into the span is a matter of the machine, so each kind of read is held against that of the nodes,
// of which a reading makes one.
func quiet(t *testing.T, s *scene) {
	for _, name := range []string{"quiet", "quiet-too"} {
		s.database(name, appv1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "100MB"})
	}
	times := map[string]int{}
	for _, read := range s.restful(3 * time.Second) {
		times[strings.TrimSpace(read)]++
		if oneOf.MatchString(read) {
			t.Errorf("a read for one database: %s", read)
		}
	}
	readings := times["GET /v1/nodes"]
	if readings == 0 {
		t.Errorf("no reading of the cluster: %v", times)
	}
	for read, n := range times {
		if n > readings+1 { // a reading may have begun before the span
			t.Errorf("%s: %d times in %d readings", read, n, readings)
		}
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
