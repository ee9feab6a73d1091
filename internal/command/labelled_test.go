package command

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	clientrest "k8s.io/client-go/rest"
)

func TestMNS2_MNS3_NamespacesByLabel(t *testing.T) {
	now := metav1.Now()
	all := []corev1.Namespace{
		{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{"team": "shop"}}},
		{ObjectMeta: metav1.ObjectMeta{Name: "bank", Labels: map[string]string{"team": "bank"}}},
		{ObjectMeta: metav1.ObjectMeta{Name: "redis", Labels: map[string]string{"team": "shop"}}},
		{ObjectMeta: metav1.ObjectMeta{Name: "ends", Labels: map[string]string{"team": "shop"}, DeletionTimestamp: &now}},
		{ObjectMeta: metav1.ObjectMeta{Name: "other"}},
	}
	forbidden := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
		if err != nil || forbidden || r.URL.Path != "/api/v1/namespaces" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		list := corev1.NamespaceList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "NamespaceList"}}
		for _, ns := range all {
			if selector.Matches(labels.Set(ns.Labels)) {
				list.Items = append(list.Items, ns)
			}
		}
		if err := json.NewEncoder(w).Encode(list); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	for _, c := range []struct {
		name, label string
		forbidden   bool
		want        []string
	}{
		{"no label", "", false, []string{"redis"}},
		{"a name: all that have it", "team", false, []string{"redis", "bank", "shop"}},
		{"a name and a value", "team=shop", false, []string{"redis", "shop"}},
		{"nobody may list them", "team", true, []string{"redis"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			forbidden = c.forbidden
			o := ManagerOptions{Namespace: "redis", Watch: []string{"redis"}, Label: c.label, Config: &clientrest.Config{Host: server.URL}, Log: logr.Discard()}
			l, err := o.withLabel(t.Context(), nil)
			if err != nil || (l == nil) != (c.label == "") || !slices.Equal(o.Watch, c.want) {
				t.Errorf("%v, %v", o.Watch, err)
			}
		})
	}
	t.Run("no label can be like that", func(t *testing.T) {
		o := ManagerOptions{Namespace: "redis", Label: "a b", Config: &clientrest.Config{Host: server.URL}}
		if _, err := o.withLabel(t.Context(), nil); err == nil {
			t.Error("it was taken")
		}
	})
}

func TestMNS2_TheProgramEndsWhenTheLabelIsElsewhere(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	looks, ended := 0, 0
	l := &labelled{had: []string{"shop"}, every: time.Millisecond, log: logr.Discard(), end: func() { ended++ }, find: func(context.Context) ([]string, error) {
		switch looks++; looks {
		case 1:
			return []string{"shop"}, nil
		case 2:
			return nil, errors.New("no answer")
		}
		return []string{"bank", "shop"}, nil
	}}
	if err := l.Start(ctx); err != nil || looks != 3 || ended != 1 || l.NeedLeaderElection() {
		t.Errorf("%v, %d looks, ended %d times", err, looks, ended)
	}
}
