package crash

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"net/http"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/command"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/test/standin"
)

// recName is the cluster of every flow.
const recName = "rec"

// Flow is something a user does, from the moment it is asked for until it is done.
type Flow struct {
	Name string
	// Prepare brings a stage to where the flow begins, with a healthy operator. It is called before each run.
	Prepare func(ctx context.Context, s *Stage) error
	// Ask makes the user's change.
	Ask func(ctx context.Context, s *Stage) error
	// Done reports whether the flow has ended, and otherwise what is missing.
	Done func(ctx context.Context, s *Stage) (bool, string)
	// Limit is how long a run may take; two minutes unless set.
	Limit time.Duration
	// Fresh flows get a namespace of their own for each run.
	Fresh bool
}

// Stage is where a flow runs: a namespace with a cluster.
type Stage struct {
	World     *standin.World
	Namespace string
	// Created counts the databases that were made, by name, as the admin API saw it.
	healthy *standin.Operator
}

// Key is the key of an object on the stage.
func (s *Stage) Key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: s.Namespace, Name: name}
}

// Heal makes sure that an operator without faults is running.
func (s *Stage) Heal(ctx context.Context) error {
	if s.healthy != nil {
		return nil
	}
	var err error
	s.healthy, err = s.World.Operator(ctx, s.Namespace)
	return err
}

// Leave stops the healthy operator.
func (s *Stage) Leave() error {
	if s.healthy == nil {
		return nil
	}
	err := s.healthy.Stop()
	s.healthy = nil
	return err
}

// Run runs the flow once with the injector, and returns the final state.
func (s *Stage) Run(ctx context.Context, flow Flow, injector *Injector) (final State, err error) {
	limit := flow.Limit
	if limit == 0 {
		limit = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := flow.Prepare(ctx, s); err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	if err := s.Leave(); err != nil {
		return nil, fmt.Errorf("the healthy operator ended badly: %w", err)
	}
	killed := make(chan struct{})
	injector.Kill = func() { close(killed) }
	victim, err := s.World.Operator(ctx, s.Namespace, func(o *command.ManagerOptions) {
		o.Config.Wrap(func(next http.RoundTripper) http.RoundTripper { return injector.Wrap("kubernetes", next) })
		o.Wrap = injector.Client
		o.Middleware = func(types.NamespacedName) []rest.Middleware {
			return []rest.Middleware{func(next http.RoundTripper) http.RoundTripper { return injector.Wrap("redis", next) }}
		}
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if !injector.Killed() {
			err = errors.Join(err, victim.Stop())
		}
	}()
	if err := flow.Ask(ctx, s); err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	if err := s.await(ctx, flow, killed, victim); err != nil {
		return nil, err
	}
	return s.State(ctx)
}

// await waits for the end of the flow; when the operator dies, another one takes over.
func (s *Stage) await(ctx context.Context, flow Flow, killed chan struct{}, victim *standin.Operator) error {
	last := ""
	for {
		done, missing := flow.Done(ctx, s)
		if done {
			return nil
		}
		last = missing
		select {
		case <-ctx.Done():
			return fmt.Errorf("the flow does not end: %s", last)
		case <-killed:
			killed = nil
			_ = victim.Stop() // it was killed: how it ends does not matter
			if err := s.Heal(ctx); err != nil {
				return err
			}
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// State is the state of the stage once it has settled: two looks in a row are the same.
func (s *Stage) State(ctx context.Context) (State, error) {
	var before State
	for {
		now, err := s.look(ctx)
		if err == nil && before != nil && slices.Equal(before, now) {
			return now, nil
		}
		if ctx.Err() != nil {
			return nil, errors.Join(fmt.Errorf("the state does not settle: %s", before.Diff(now)), err)
		}
		before = now
		time.Sleep(300 * time.Millisecond)
	}
}

func (s *Stage) look(ctx context.Context) (State, error) {
	state, err := kubernetesState(ctx, s.World.Client, s.Namespace)
	if err != nil {
		return nil, err
	}
	api, err := s.API(ctx)
	if err != nil {
		return state, nil //nolint:nilerr // a flow that ends without a cluster has no state there
	}
	defer api.Close()
	redis, err := redisState(ctx, api)
	return append(state, redis...), err
}

// API calls the admin API of the stage's cluster.
func (s *Stage) API(ctx context.Context) (*rest.Client, error) {
	var cm corev1.ConfigMap
	if err := s.World.Client.Get(ctx, s.Key(names.Board(recName)), &cm); err != nil {
		return nil, err
	}
	var secret corev1.Secret
	if err := s.World.Client.Get(ctx, s.Key(recName), &secret); err != nil {
		return nil, err
	}
	data := board.Data(cm.Data)
	credentials := rest.Credentials{Username: string(secret.Data[names.UsernameKey]), Password: string(secret.Data[names.PasswordKey])}
	var addresses []string
	for _, address := range data.Addresses() {
		addresses = append(addresses, net.JoinHostPort(address, strconv.Itoa(names.APIPort)))
	}
	return rest.New(rest.Options{
		Addresses:   func() []string { return addresses },
		ServerName:  names.FQDN(recName, s.Namespace),
		RootCAs:     data.Roots,
		Credentials: func() rest.Credentials { return credentials },
	}), nil
}

// clusterDone reports whether the REC is Ready for its generation.
func clusterDone(ctx context.Context, s *Stage) (bool, string) {
	var rec appv1.RedisEnterpriseCluster
	if err := s.World.Client.Get(ctx, s.Key(recName), &rec); err != nil {
		return false, err.Error()
	}
	return conditionTrue(rec.Status.Conditions, rec.Generation), fmt.Sprintf("rec %s %+v", rec.Status.State, rec.Status.Conditions)
}

// databaseDone reports whether the REDB is Ready for its generation.
func databaseDone(name string) func(context.Context, *Stage) (bool, string) {
	return func(ctx context.Context, s *Stage) (bool, string) {
		var db appv1alpha1.RedisEnterpriseDatabase
		if err := s.World.Client.Get(ctx, s.Key(name), &db); err != nil {
			return false, err.Error()
		}
		return conditionTrue(db.Status.Conditions, db.Generation), fmt.Sprintf("redb %s %+v", db.Status.Status, db.Status.Conditions)
	}
}

func conditionTrue(conditions []metav1.Condition, generation int64) bool {
	c := meta.FindStatusCondition(conditions, appv1.ConditionReady)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == generation
}

// wait is for preparation, where nothing is spoilt.
func wait(ctx context.Context, s *Stage, done func(context.Context, *Stage) (bool, string)) error {
	for {
		ok, missing := done(ctx, s)
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting: %s", missing)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
