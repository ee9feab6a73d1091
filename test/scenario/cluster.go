// Package scenario holds the steps of a run on a real Kubernetes cluster, with progress for whoever is watching: the demo
// and the end-to-end suite are made of the same steps.
package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/ingress"
)

// FieldOwner is the field manager of what a scenario applies.
const FieldOwner = "scenario"

// Cluster is a Kubernetes cluster with the operator on it.
type Cluster struct {
	client.Client
	Config    *rest.Config
	Core      kubernetes.Interface
	Namespace string
	Out       io.Writer // progress
	// PodsAreHere says that pod addresses can be reached from this process.
	PodsAreHere bool
}

// Connect reads the kubeconfig as kubectl does.
func Connect(namespace string, out io.Writer) (*Cluster, error) {
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
	if err != nil {
		return nil, err
	}
	return New(config, namespace, out)
}

// New makes a cluster of a configuration at hand.
func New(config *rest.Config, namespace string, out io.Writer) (*Cluster, error) {
	config.QPS, config.Burst = 50, 100
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, appv1.AddToScheme, appv1alpha1.AddToScheme, ingress.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	core, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &Cluster{Client: c, Config: config, Core: core, Namespace: namespace, Out: out}, nil
}

// In returns the same cluster seen from another namespace.
func (c *Cluster) In(namespace string) *Cluster {
	other := *c
	other.Namespace = namespace
	return &other
}

// ApplyFile applies every object of a YAML file, in its order, in the cluster's namespace unless the file says another.
func (c *Cluster) ApplyFile(ctx context.Context, path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return c.ApplyYAML(ctx, content)
}

// ApplyYAML is ApplyFile for text at hand.
func (c *Cluster) ApplyYAML(ctx context.Context, content []byte) error {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if len(object.Object) == 0 {
			continue
		}
		if err := c.settle(object); err != nil {
			return err
		}
		if err := c.apply(ctx, object); err != nil {
			return err
		}
	}
}

func (c *Cluster) apply(ctx context.Context, object *unstructured.Unstructured) error {
	what := object.GetKind() + " " + object.GetName()
	if err := c.admitted(ctx, what, func() error {
		return c.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(FieldOwner), client.ForceOwnership)
	}); err != nil {
		return fmt.Errorf("apply %s: %w", what, err)
	}
	return nil
}

// unasked is in the error of a write that was not made because the admission server could not be asked.
const unasked = "failed calling webhook"

// admitted repeats a write, for a minute, while the admission server cannot be reached: a machine under load counts its
// pods as not ready for a while. What the admission server refuses is not repeated.
func (c *Cluster) admitted(ctx context.Context, what string, write func() error) error {
	var last error
	err := c.Await(ctx, what, time.Minute, func() (bool, string, error) {
		if last = write(); last != nil && strings.Contains(last.Error(), unasked) {
			return notYet("not taken yet: " + last.Error())
		}
		return true, "", last
	})
	if err != nil && last != nil {
		return last
	}
	return err
}

// settle puts an object that names no namespace into the cluster's, if objects of its kind are in one.
func (c *Cluster) settle(object *unstructured.Unstructured) error {
	if object.GetNamespace() != "" {
		return nil
	}
	namespaced, err := c.IsObjectNamespaced(object)
	if err != nil {
		return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
	}
	if namespaced {
		object.SetNamespace(c.Namespace)
	}
	return nil
}

// EnsureNamespace makes the namespace, with the restricted Pod Security standard enforced.
func (c *Cluster) EnsureNamespace(ctx context.Context) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.Namespace, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}}
	err := c.Create(ctx, ns)
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// quietly is the same cluster without progress.
func (c *Cluster) quietly() *Cluster {
	other := *c
	other.Out = io.Discard
	return &other
}

// Key is the key of an object in the cluster's namespace.
func (c *Cluster) Key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: c.Namespace, Name: name}
}

// Progress is called while something is waited for; the text is printed when it changes.
type Progress func() (done bool, now string, err error)

// Await calls look every half second until it says done, prints what changes, and fails when the limit has passed.
func (c *Cluster) Await(ctx context.Context, what string, limit time.Duration, look Progress) error {
	started, last := time.Now(), ""
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		done, now, err := look()
		if now != "" && now != last {
			c.Sayf("    %6.1fs  %s: %s", time.Since(started).Seconds(), what, now)
			last = now
		}
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not within %s (last seen: %s)", what, limit, last)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// notYet is what a Progress returns that cannot see yet what it waits for.
func notYet(why string) (bool, string, error) { return false, why, nil }

// Sayf prints a line of progress.
func (c *Cluster) Sayf(format string, args ...any) {
	_, _ = fmt.Fprintf(c.Out, format+"\n", args...)
}

// AwaitCluster waits for the REC's Ready condition.
func (c *Cluster) AwaitCluster(ctx context.Context, name string, limit time.Duration) error {
	return c.Await(ctx, "rec/"+name, limit, func() (bool, string, error) {
		var rec appv1.RedisEnterpriseCluster
		if err := c.Get(ctx, c.Key(name), &rec); err != nil {
			return notYet(err.Error())
		}
		return ready(rec.Status.Conditions, rec.Generation), describe(string(rec.Status.State), rec.Status.Conditions), nil
	})
}

// AwaitDatabase waits for the REDB's Ready condition.
func (c *Cluster) AwaitDatabase(ctx context.Context, name string, limit time.Duration) error {
	return c.Await(ctx, "redb/"+name, limit, func() (bool, string, error) {
		var db appv1alpha1.RedisEnterpriseDatabase
		if err := c.Get(ctx, c.Key(name), &db); err != nil {
			return notYet(err.Error())
		}
		return ready(db.Status.Conditions, db.Generation), describe(string(db.Status.Status), db.Status.Conditions), nil
	})
}

// AwaitDeployment waits until all replicas are up to date and available.
func (c *Cluster) AwaitDeployment(ctx context.Context, name string, limit time.Duration) error {
	return c.Await(ctx, "deployment/"+name, limit, func() (bool, string, error) {
		d, err := c.Core.AppsV1().Deployments(c.Namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return notYet(err.Error())
		}
		want := int32(1)
		if d.Spec.Replicas != nil {
			want = *d.Spec.Replicas
		}
		done := d.Status.ObservedGeneration >= d.Generation && d.Status.UpdatedReplicas == want && d.Status.AvailableReplicas == want && d.Status.Replicas == want
		return done, fmt.Sprintf("%d/%d available", d.Status.AvailableReplicas, want), nil
	})
}

// AwaitGone waits until the object is no longer there.
func (c *Cluster) AwaitGone(ctx context.Context, obj client.Object, limit time.Duration) error {
	return c.Await(ctx, obj.GetName(), limit, func() (bool, string, error) {
		err := c.Get(ctx, client.ObjectKeyFromObject(obj), obj)
		switch {
		case apierrors.IsNotFound(err):
			return true, "gone", nil
		case err != nil:
			return notYet(err.Error())
		}
		return false, "deleting", nil
	})
}

func ready(conditions []metav1.Condition, generation int64) bool {
	c := meta.FindStatusCondition(conditions, appv1.ConditionReady)
	return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == generation
}

func describe(state string, conditions []metav1.Condition) string {
	c := meta.FindStatusCondition(conditions, appv1.ConditionReady)
	switch {
	case c == nil:
		return state
	case c.Status == metav1.ConditionTrue:
		return state + " (Ready)"
	case c.Message != "":
		return state + " - " + c.Message
	}
	return state + " - " + c.Reason
}
