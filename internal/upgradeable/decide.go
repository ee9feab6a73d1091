package upgradeable

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// DefaultLimit is how long something that does not move holds an upgrade back.
const DefaultLimit = time.Hour

// Seen are the resources that the operator takes care of, as they were last read. Decide changes none of them.
type Seen struct {
	Clusters     []appv1.RedisEnterpriseCluster
	Databases    []v1alpha1.RedisEnterpriseDatabase
	ActiveActive []v1alpha1.RedisEnterpriseActiveActiveDatabase
}

// Verdict is the answer, with a reason and a sentence that names the object. It depends on nothing that changes while
// the same thing goes on, so that it is told once.
type Verdict struct {
	Upgradeable     bool
	Reason, Message string
	// Until is when the answer changes if nothing moves; zero for never.
	Until time.Time
}

// obstacle is one object that speaks against an upgrade.
type obstacle struct {
	reason, sentence string
	since            time.Time // when something last moved
	pinned           bool      // it holds for as long as it lasts
}

// Decide says whether the operator may be replaced now. limit is how long something that does not move holds an upgrade
// back; zero is for ever.
func Decide(seen Seen, now time.Time, limit time.Duration) Verdict {
	holding, given := sift(obstacles(seen), now, limit)
	switch {
	case len(holding) > 0:
		v := Verdict{Reason: holding[0].reason, Message: sentence(holding)}
		for _, o := range holding {
			if until := o.since.Add(limit); limit > 0 && !o.pinned && (v.Until.IsZero() || until.Before(v.Until)) {
				v.Until = until
			}
		}
		return v
	case len(given) > 0:
		return Verdict{Upgradeable: true, Reason: ReasonDegraded,
			Message: fmt.Sprintf("%s; nothing has moved for %s, so that this holds no upgrade back", sentence(given), limit)}
	default:
		return Verdict{Upgradeable: true, Reason: ReasonSafe, Message: "no cluster and no database is being changed or lacks anything"}
	}
}

// sift parts what holds from what has not moved for longer than the limit.
func sift(all []obstacle, now time.Time, limit time.Duration) (holding, given []obstacle) {
	for _, o := range all {
		if limit > 0 && !o.pinned && now.Sub(o.since) >= limit {
			given = append(given, o)
		} else {
			holding = append(holding, o)
		}
	}
	return holding, given
}

// sentence names the first obstacle. It does not count the others, which come and go.
func sentence(of []obstacle) string {
	if len(of) == 1 {
		return of[0].sentence
	}
	return of[0].sentence + ", and others are not safe either"
}

// obstacles lists what speaks against an upgrade: clusters first, each kind by name.
func obstacles(seen Seen) []obstacle {
	return slices.Concat(among("cluster", seen.Clusters), among("database", seen.Databases), among("Active-Active database", seen.ActiveActive))
}

// resource is what all kinds have in common here.
type resource[T any] interface {
	*T
	client.Object
	GetConditions() []metav1.Condition
}

func among[T any, P resource[T]](kind string, list []T) []obstacle {
	var found []obstacle
	for i := range list {
		obj := P(&list[i])
		why := ReasonOf(obj)
		if why.Reason == "" {
			continue
		}
		found = append(found, obstacle{
			reason:   why.Reason,
			sentence: fmt.Sprintf("%s %s/%s %s", kind, obj.GetNamespace(), obj.GetName(), why.words),
			since:    lastMoved(obj, obj.GetConditions()),
			pinned:   obj.GetAnnotations()[names.AnnotationHoldUpgrade] == "true",
		})
	}
	slices.SortFunc(found, func(a, b obstacle) int { return cmp.Compare(a.sentence, b.sentence) })
	return found
}

// lastMoved is when a condition of the object last turned. A roll that gets on turns one for each node.
func lastMoved(obj client.Object, conditions []metav1.Condition) time.Time {
	last := obj.GetCreationTimestamp().Time
	for _, c := range conditions {
		if c.LastTransitionTime.After(last) {
			last = c.LastTransitionTime.Time
		}
	}
	return last
}

// Why is what one object has to say against an upgrade; the zero value is nothing.
type Why struct{ Reason, words string }

// ReasonOf says why one object speaks against an upgrade. Objects of other kinds never do.
func ReasonOf(obj client.Object) Why {
	var why Why
	switch o := obj.(type) {
	case *appv1.RedisEnterpriseCluster:
		if o.DeletionTimestamp == nil {
			why.Reason, why.words = first(clusterRules, o)
		}
	case *v1alpha1.RedisEnterpriseDatabase:
		why.Reason, why.words = first(databaseRules, o)
	case *v1alpha1.RedisEnterpriseActiveActiveDatabase:
		why.Reason, why.words = first(activeActiveRules, o)
	}
	return why
}
