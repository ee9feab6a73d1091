package command

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// finder lists the namespaces that a label selects, in order.
type finder func(ctx context.Context) ([]string, error)

// labelled ends the program once a label selects other namespaces than it was started with: it is started anew, and serves
// those.
type labelled struct {
	had   []string
	find  finder
	every time.Duration
	log   logr.Logger
	end   func()
}

// withLabel adds the namespaces that have the label (rules MNS-2, MNS-3), and returns what looks after them; nil without a
// label. A name alone selects the namespaces that have such a label, name=value those where it has the value. What may not
// be listed adds nothing, and is asked for again.
func (o *ManagerOptions) withLabel(ctx context.Context, end func()) (*labelled, error) {
	if o.Label == "" {
		return nil, nil
	}
	selector, err := labels.Parse(o.Label)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", names.EnvDatabaseLabel, err)
	}
	api, err := kubernetes.NewForConfig(o.Config)
	if err != nil {
		return nil, err
	}
	l := &labelled{every: cmp.Or(o.AskAgain, askAgain), log: o.Log, end: end, find: func(ctx context.Context) ([]string, error) {
		list, err := api.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
		if err != nil {
			return nil, err
		}
		var found []string
		for i := range list.Items {
			if ns := &list.Items[i]; ns.DeletionTimestamp == nil && ns.Name != o.Namespace {
				found = append(found, ns.Name)
			}
		}
		slices.Sort(found)
		return found, nil
	}}
	if l.had, err = l.find(ctx); err != nil {
		o.Log.Info("namespaces with databases were not found; is there the ClusterRole for that?", "label", o.Label, "error", err.Error())
	}
	for _, namespace := range l.had {
		if !slices.Contains(o.Watch, namespace) {
			o.Watch = append(o.Watch, namespace)
		}
	}
	return l, nil
}

// NeedLeaderElection is false: every replica has caches.
func (*labelled) NeedLeaderElection() bool { return false }

// Start runs until ctx ends.
func (l *labelled) Start(ctx context.Context) error {
	ticker := time.NewTicker(l.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if now, err := l.find(ctx); err == nil && !slices.Equal(now, l.had) {
			l.log.Info("other namespaces have databases now; starting anew", "were", l.had, "are", now)
			l.end()
			return nil
		}
	}
}
