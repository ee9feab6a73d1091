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
	"k8s.io/apimachinery/pkg/runtime"
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
	// Creates is how many databases the cluster may be asked for, successfully, in a run.
	Creates int
	// Keeps is set where the database lives on: a key written before the flow must be there after it.
	Keeps bool
}

// Stage is where a flow runs: a namespace with a cluster.
type Stage struct {
	World     *standin.World
	Namespace string
	// Created says how many databases the nodes of the namespace have created since the World began.
	Created func(namespace string) int
	// Stuck is called while an operator that brought a flow to no end is still there to be looked at.
	Stuck func()

	healthy *standin.Operator
	ending  []func(context.Context) error // what ends first, when the stage does
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

// End deletes the databases and the cluster, waits until nothing runs any more, and deletes the namespace.
func (s *Stage) End(ctx context.Context) error {
	if err := s.Heal(ctx); err != nil {
		return err
	}
	for _, end := range s.ending {
		if err := end(ctx); err != nil {
			return err
		}
	}
	for _, obj := range []client.Object{&appv1alpha1.RedisEnterpriseActiveActiveDatabase{}, &appv1alpha1.RedisEnterpriseRemoteCluster{},
		&appv1alpha1.RedisEnterpriseDatabase{}, &appv1.RedisEnterpriseCluster{}} {
		if err := s.World.Client.DeleteAllOf(ctx, obj, client.InNamespace(s.Namespace)); err != nil {
			return err
		}
	}
	if err := wait(ctx, s, nothingRuns); err != nil {
		return fmt.Errorf("end: %w", err)
	}
	return s.World.Client.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.Namespace}})
}

func nothingRuns(ctx context.Context, s *Stage) (bool, string) {
	for _, list := range []client.ObjectList{&appv1alpha1.RedisEnterpriseActiveActiveDatabaseList{}, &appv1alpha1.RedisEnterpriseRemoteClusterList{},
		&appv1.RedisEnterpriseClusterList{}, &corev1.PodList{}} {
		if err := s.World.Client.List(ctx, list, client.InNamespace(s.Namespace)); err != nil {
			return false, err.Error()
		}
		if n := meta.LenList(list); n > 0 {
			return false, fmt.Sprintf("%d left in %T", n, list)
		}
	}
	return true, ""
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

// Run runs the flow once with the injector, and returns the final state: the wanted one, or after some patience what
// there is instead.
func (s *Stage) Run(ctx context.Context, flow Flow, injector *Injector, want State) (final State, err error) {
	limit := flow.Limit
	if limit == 0 {
		limit = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := flow.Prepare(ctx, s); err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	check, err := s.before(ctx, flow)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	if err := s.Leave(); err != nil {
		return nil, fmt.Errorf("the healthy operator ended badly: %w", err)
	}
	killed := make(chan struct{})
	injector.Kill = func() { close(killed) }
	victim, err := s.World.Operator(ctx, s.Namespace, func(o *command.ManagerOptions) {
		o.Config.ContentType = runtime.ContentTypeJSON // so that two answers can be compared
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
		serr := victim.Stop()
		select {
		case <-killed: // how it ended does not matter
		default:
			if s.healthy == nil {
				err = errors.Join(err, serr)
			}
		}
	}()
	revive := func(ctx context.Context) error { return s.revive(ctx, killed, victim) }
	if err := flow.Ask(ctx, s); err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	if err := s.await(ctx, flow, revive); err != nil {
		return nil, err
	}
	if final, err = s.State(ctx, want, revive); err != nil {
		return final, err
	}
	injector.End()
	return final, check(ctx)
}

// before notes what must be true after the flow, whatever happens in it.
func (s *Stage) before(ctx context.Context, flow Flow) (check func(context.Context) error, err error) {
	created, mark := s.Created(s.Namespace), fmt.Sprint(time.Now().UnixNano())
	if flow.Keeps {
		if err := s.write(ctx, mark); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context) error {
		if made := s.Created(s.Namespace) - created; made != flow.Creates {
			return fmt.Errorf("%d databases were created, not %d", made, flow.Creates)
		}
		if flow.Keeps {
			return s.verify(ctx, mark)
		}
		return nil
	}, nil
}

// revive lets another operator take over when the victim has died, or has given up, at which its Deployment starts another.
func (s *Stage) revive(ctx context.Context, killed <-chan struct{}, victim *standin.Operator) error {
	if s.healthy != nil {
		return nil
	}
	select {
	case <-killed:
		_ = victim.Stop() // how it ends does not matter
	case <-victim.Done():
	default:
		return nil
	}
	return s.Heal(ctx)
}

// await waits for the end of the flow, and sees to it that an operator runs.
func (s *Stage) await(ctx context.Context, flow Flow, revive func(context.Context) error) error {
	for {
		if err := revive(ctx); err != nil {
			return err
		}
		done, missing := flow.Done(ctx, s)
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			s.Stuck()
			return fmt.Errorf("the flow does not end: %s", missing)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// How long a state is given to become the wanted one, and how long an unknown one must stay the same.
const (
	patience = 30 * time.Second
	settling = 3 * time.Second
)

// State is the state of the stage as soon as it is the wanted one, or once it stays the same. The operator may die in the
// middle of that, too: what a flow is done with need not be all that comes of it.
func (s *Stage) State(ctx context.Context, want State, revive func(context.Context) error) (State, error) {
	var last State
	began, since := time.Now(), time.Now()
	for {
		if err := revive(ctx); err != nil {
			return nil, err
		}
		now, err := s.look(ctx)
		if !slices.Equal(last, now) {
			last, since = now, time.Now()
		}
		switch {
		case err == nil && want != nil && slices.Equal(want, now):
			return now, nil
		case err == nil && time.Since(since) > settling && (want == nil || time.Since(began) > patience):
			return now, nil
		case ctx.Err() != nil:
			return nil, errors.Join(errors.New("the state does not settle"), err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (s *Stage) look(ctx context.Context) (State, error) {
	state, err := kubernetesState(ctx, s.World.Client, s.Namespace)
	if err != nil {
		return nil, err
	}
	api, err := s.API(ctx)
	if err != nil {
		return state, nil // a flow that ends without a cluster has no state there
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
func databaseDone(ctx context.Context, s *Stage) (bool, string) {
	var db appv1alpha1.RedisEnterpriseDatabase
	if err := s.World.Client.Get(ctx, s.Key(dbName), &db); err != nil {
		return false, err.Error()
	}
	return conditionTrue(db.Status.Conditions, db.Generation), fmt.Sprintf("redb %s %+v", db.Status.Status, db.Status.Conditions)
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
