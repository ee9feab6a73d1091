package cluster

import (
	"strings"

	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// foundEvents tell of objects that were there before the cluster was, from an earlier installation or made by hand, and
// that belong to it from now on (rule REC-11).
func foundEvents(run Run) []kube.Event {
	var found []string
	for _, change := range run.Changes {
		if change.Verb == kube.Adopted {
			found = append(found, change.Kind+" "+change.Name.Name)
		}
	}
	if found == nil {
		return nil
	}
	return []kube.Event{kube.Normal(names.EventFound, "was there already and belongs to the cluster from now on: "+strings.Join(found, ", "))}
}
