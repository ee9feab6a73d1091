package command

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	clientrest "k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// listed reads a list with commas.
func listed(text string) []string {
	var list []string
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" && !slices.Contains(list, word) {
			list = append(list, word)
		}
	}
	return list
}

// asker tells which right this program lacks in a namespace; empty for none.
type asker func(ctx context.Context, namespace string) (missing string, err error)

// neededElsewhere are the rights without which the caches of a namespace with databases would never fill.
func neededElsewhere() []authorizationv1.ResourceAttributes {
	var all []authorizationv1.ResourceAttributes
	for _, verb := range []string{"list", "watch"} {
		all = append(all,
			authorizationv1.ResourceAttributes{Verb: verb, Group: "app.redislabs.com", Resource: "redisenterprisedatabases"},
			authorizationv1.ResourceAttributes{Verb: verb, Group: "app.redislabs.com", Resource: "redisenterpriseactiveactivedatabases"},
			authorizationv1.ResourceAttributes{Verb: verb, Resource: "secrets"})
	}
	return all
}

// askKubernetes asks the API server, which answers everybody about themselves. A namespace that does not exist has no
// rights in it.
func askKubernetes(config *clientrest.Config) (asker, error) {
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, namespace string) (string, error) {
		for _, right := range neededElsewhere() {
			right.Namespace = namespace
			review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &right}}
			answer, err := api.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
			if err != nil {
				return "", err
			}
			if !answer.Status.Allowed {
				return right.Verb + " " + right.Resource, nil
			}
		}
		return "", nil
	}, nil
}

// servable parts the namespaces into those that can be served and those that are left out, with what is missing there
// (rule MNS-5): one that may not be read would keep the whole operator from starting. What cannot be asked is taken to be
// allowed.
func servable(ctx context.Context, own string, watch []string, ask asker, log logr.Logger) (served []string, left map[string]string) {
	left = map[string]string{}
	for _, namespace := range watch {
		if namespace != own {
			missing, err := ask(ctx, namespace)
			if err != nil {
				log.Info("rights not asked for; they are taken to be there", "namespace", namespace, "error", err.Error())
			}
			if missing != "" {
				left[namespace] = missing
				continue
			}
		}
		served = append(served, namespace)
	}
	return served, left
}

// leftOut tells of the namespaces that are left out, and ends the program once one of them can be served: it is started
// anew, and takes it in.
type leftOut struct {
	own    string
	left   map[string]string
	ask    asker
	every  time.Duration
	events record.EventRecorder
	log    logr.Logger
	end    func()
}

// askAgain is how often rights that were missing are asked for.
const askAgain = time.Minute

// NeedLeaderElection is false: every replica has caches.
func (leftOut) NeedLeaderElection() bool { return false }

// Start runs until ctx ends.
func (l leftOut) Start(ctx context.Context) error {
	deployment := &corev1.ObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Namespace: l.own, Name: names.Owner}
	for namespace, missing := range l.left {
		sentence := fmt.Sprintf("databases in namespace %s are not served: the operator may not %s there, or there is no such namespace", namespace, missing)
		l.log.Info(sentence)
		l.events.Event(deployment, corev1.EventTypeWarning, names.EventNamespaceLeftOut, sentence)
	}
	ticker := time.NewTicker(l.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		for namespace := range l.left {
			if missing, err := l.ask(ctx, namespace); err == nil && missing == "" {
				l.log.Info("a namespace that was left out can be served now; starting anew", "namespace", namespace)
				l.end()
				return nil
			}
		}
	}
}
