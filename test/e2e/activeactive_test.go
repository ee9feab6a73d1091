//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/test/load"
)

const (
	// noticed is how long it may take until a cut link is told, and until a healed one is.
	noticed = 90 * time.Second
	// converged is how long the sides may differ once nobody writes and every link is up.
	converged = time.Minute
)

// three is the Active-Active step: the sites of the page that it follows, and who writes to them.
type three struct {
	s       *suite
	page    page
	chicago *site
	// arlington is behind another kind of proxy than the others.
	arlington, boston *site
}

// activeActive types what docs/active-active-walkthrough.md says, while clients write to all sides, links are cut and an operator
// dies, and looks at the data.
func activeActive(t *testing.T, s *suite) {
	if !*withParts || setting("NODE_EXEC", "") == "" {
		t.Log("left out: it needs -parts, and NODE_EXEC to cut links")
		return
	}
	at := func(name, namespace, rec, remote, proxy string) *site {
		return &site{Cluster: s.In(namespace), name: name, rec: rec, remote: remote, proxy: proxy}
	}
	a := &three{s: s, page: s.page(t, "docs/active-active-walkthrough.md"),
		chicago:   at("chicago", "ns-illinois", "rec-chicago", "rerc-ohare", "openshift-router"),
		arlington: at("arlington", "ns-virginia", "rec-arlington", "rerc-raegan", "haproxy-ingress"),
		boston:    at("boston", "ns-massachusetts", "rec-boston", "rerc-logan", "openshift-router"),
	}
	a.clear(t)
	t.Cleanup(func() { a.explain(t) })
	for _, step := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"INST-22 an operator for each namespace", func(t *testing.T) { a.page.run(t, "operators") }},
		{"three clusters with ways in", a.clusters},
		{"RERC-6 described to each other", func(t *testing.T) { a.page.run(t, "credentials"); a.page.run(t, "remotes") }},
		{"AA-3 AA-5 RERC-7 applied on one side, it is on both", a.database},
		{"AA-23 a cut link is told, and catches up; AA-14 another joins while an operator dies; nothing is lost", a.disturbed},
		{"its dashboard has data", func(t *testing.T) { prometheus{s.parts()}.globalDashboardHasData(t) }},
		{"AA-12 another password, on all sides", a.password},
		{"AA-14 one leaves", a.leave},
		{"AA-25 deleted on one side, it is gone on all", a.delete},
		{"INST-28 nothing stays behind", a.cleanup},
	} {
		began := time.Now()
		if !t.Run(step.name, step.run) {
			return // each builds on the one before
		}
		t.Logf("%s: %.0f s", step.name, time.Since(began).Seconds())
	}
}

func (a *three) sites() []*site { return []*site{a.chicago, a.arlington, a.boston} }

func (a *three) clusters(t *testing.T) {
	a.page.run(t, "clusters")
	a.page.run(t, "ways")
	for _, each := range a.sites() {
		each.find(t, a.s)
	}
}

func (a *three) database(t *testing.T) {
	a.page.run(t, "database")
	a.page.run(t, "try")
	for _, each := range []*site{a.chicago, a.arlington} {
		for _, other := range []*site{a.chicago, a.arlington} {
			must(t, each.Await(t.Context(), "rerc/"+other.remote+" at "+each.name, noticed, func() (bool, string, error) {
				var remote appv1alpha1.RedisEnterpriseRemoteCluster
				if err := each.Get(t.Context(), each.Key(other.remote), &remote); err != nil {
					return notYet(err)
				}
				right := remote.Status.Status == appv1alpha1.RemoteClusterActive && remote.Status.Local == (each == other)
				return right, fmt.Sprintf("%s, local %t", remote.Status.Status, remote.Status.Local), nil
			}))
		}
	}
}

// disturbed writes to all sides while things go wrong, and then looks for every acknowledged write on every side.
func (a *three) disturbed(t *testing.T) {
	w := a.write(t, a.chicago, a.arlington)
	if !t.Run("cut", func(t *testing.T) { a.cutBoth(t, w) }) {
		return
	}
	if !t.Run("join", func(t *testing.T) {
		a.page.run(t, "join")
		killed(t, a.chicago)
		a.page.run(t, "joined")
		w.add(t, a.boston)
		w.goOn(t)
	}) {
		return
	}
	if !t.Run("cut in one direction", func(t *testing.T) { a.cutOne(t, w) }) {
		return
	}
	w.end(t)
	a.same(t, w, a.sites()...)
}

// cutBoth cuts the only link, in both directions. Each side goes on alone, and neither says that it is ready.
func (a *three) cutBoth(t *testing.T, w *writing) {
	heals := []func(){cut(t, a.chicago, a.arlington), cut(t, a.arlington, a.chicago)}
	for _, each := range []*site{a.chicago, a.arlington} {
		each.awaitReady(t, metav1.ConditionFalse, noticed)
	}
	w.goOn(t)
	for _, each := range []*site{a.chicago, a.arlington} { // still, after all these writes
		if ready, words, err := each.ready(t.Context()); err != nil || ready == nil || ready.Status != metav1.ConditionFalse {
			t.Errorf("%s while the link is cut: %s %v", each.name, words, err)
		}
	}
	for _, heal := range heals {
		heal()
	}
	for _, each := range []*site{a.chicago, a.arlington} {
		each.awaitReady(t, metav1.ConditionTrue, noticed)
	}
}

// cutOne keeps one of three from hearing of the other two, which hear of it.
func (a *three) cutOne(t *testing.T, w *writing) {
	heal := cut(t, a.arlington, a.boston) // chicago is behind the same proxy
	a.arlington.awaitReady(t, metav1.ConditionFalse, noticed)
	w.goOn(t)
	heal()
	for _, each := range a.sites() {
		each.awaitReady(t, metav1.ConditionTrue, noticed)
	}
}

// killed ends the operator of a site on the spot; its Deployment brings another.
func killed(t *testing.T, at *site) {
	t.Helper()
	must(t, at.DeleteAllOf(t.Context(), &corev1.Pod{}, client.InNamespace(at.Namespace), client.MatchingLabels{"name": operator}, client.GracePeriodSeconds(0)))
}

// same waits until all sites hold the same, and finds every acknowledged write on each.
func (a *three) same(t *testing.T, w *writing, sites ...*site) {
	t.Helper()
	must(t, a.s.Await(t.Context(), "the same data everywhere", converged, func() (bool, string, error) {
		var first map[string]string
		for i, each := range sites {
			all, err := each.contents(t.Context(), each.password(t))
			if err != nil {
				return notYet(err)
			}
			if i == 0 {
				first = all
			} else if !maps.Equal(first, all) {
				return false, fmt.Sprintf("%s has %d keys, %s has %d", sites[0].name, len(first), each.name, len(all)), nil
			}
		}
		return true, fmt.Sprintf("%d keys", len(first)), nil
	}))
	for _, each := range sites {
		for _, by := range w.own {
			lost, err := load.Verify(t.Context(), each.load(t, ""), by.writer.History())
			must(t, err)
			if len(lost) > 0 {
				t.Errorf("%s lacks %d writes that %s acknowledged: %v", each.name, len(lost), by.at.name, lost[:min(len(lost), 5)])
			}
		}
	}
}

// password changes it while nobody writes: clients cannot know the new one before it is there.
func (a *three) password(t *testing.T) {
	old := a.chicago.password(t)
	a.page.run(t, "password")
	for _, each := range a.sites() {
		fresh := each.password(t)
		if fresh == old {
			t.Fatalf("%s still has the old password", each.name)
		}
		must(t, each.Await(t.Context(), each.name+", the new password", noticed, func() (bool, string, error) {
			if err := each.answers(t.Context(), fresh); err != nil {
				return notYet(err)
			}
			if each.answers(t.Context(), old) == nil {
				return false, "the old one is good as well", nil
			}
			return true, "taken", nil
		}))
		each.awaitReady(t, metav1.ConditionTrue, noticed)
	}
	w := a.write(t, a.sites()...)
	w.goOn(t)
	w.end(t)
	a.same(t, w, a.sites()...)
}

func (a *three) leave(t *testing.T) {
	w := a.write(t, a.chicago, a.boston)
	a.page.run(t, "leave")
	a.arlington.nothingLeft(t, a.s)
	w.goOn(t)
	w.end(t)
	a.same(t, w, a.chicago, a.boston)
}

func (a *three) delete(t *testing.T) {
	a.page.run(t, "delete")
	for _, each := range a.sites() {
		each.nothingLeft(t, a.s)
	}
}

func (a *three) cleanup(t *testing.T) {
	if *keep {
		t.Log("left out: -keep")
		return
	}
	a.page.run(t, "cleanup")
	for _, each := range a.sites() {
		must(t, each.AwaitGone(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: each.Namespace}}, gone))
	}
}

// clear removes what an earlier run left, as the page says.
func (a *three) clear(t *testing.T) {
	t.Helper()
	left := 0
	for _, each := range a.sites() {
		err := a.s.Get(t.Context(), client.ObjectKey{Name: each.Namespace}, &corev1.Namespace{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Fatal(err)
		}
		if err == nil {
			left++
		}
	}
	if left == 0 {
		return
	}
	if left == len(a.sites()) {
		_ = a.page.try(t.Context(), t, "delete") // there may be no database
	}
	must(t, a.page.try(t.Context(), t, "cleanup"))
}

// explain prints what the resources and the operators say when the step has failed.
func (a *three) explain(t *testing.T) {
	if !t.Failed() {
		return
	}
	ctx := context.WithoutCancel(t.Context())
	for _, each := range a.sites() {
		_, words, err := each.ready(ctx)
		t.Logf("%s: %s %v", each.name, words, err)
		pods, err := each.Core.CoreV1().Pods(each.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "name=" + operator})
		if err != nil {
			continue
		}
		for _, pod := range pods.Items {
			logs, _ := each.Logs(ctx, pod.Name)
			t.Logf("%s, operator:\n%s", each.name, logs[max(0, len(logs)-4000):])
		}
	}
}
