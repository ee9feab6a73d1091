package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// pod is one running pod.
type pod struct {
	kubelet *Kubelet
	object  *corev1.Pod
	address string
	end     context.CancelFunc // ends it without grace
	ending  chan struct{}      // closed when it is being deleted
	once    sync.Once
	killed  chan struct{} // closed when it ends without grace
	death   sync.Once

	mu       sync.Mutex
	emulator *emulator.Node
}

func (p *pod) stop() { p.once.Do(func() { close(p.ending) }) }

// kill ends the containers without grace, all at once: none of them learns of the end of another.
func (p *pod) kill() {
	p.death.Do(func() { close(p.killed) })
	if node := p.node(); node != nil {
		_ = node.Kill() // an abrupt end leaves nothing to report
	}
}

func (p *pod) node() *emulator.Node {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.emulator
}

// live runs the pod from its binding to its removal.
func (p *pod) live(ctx context.Context) {
	log := p.kubelet.Log.With("pod", p.object.Namespace+"/"+p.object.Name)
	p.address = nextAddress()
	if err := p.bind(ctx); err != nil {
		log.Warn("pod not bound", "error", err)
		return
	}
	if err := p.status(ctx, corev1.PodRunning, false); err != nil {
		log.Warn("pod status not written", "error", err)
	}
	containers, stopAll := context.WithCancel(context.WithoutCancel(ctx))
	defer stopAll()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := p.run(containers, log); err != nil && containers.Err() == nil {
			log.Warn("pod failed", "error", err)
		}
	}()
	p.watchReadiness(ctx, done)
	if ctx.Err() == nil { // it is being deleted, with grace
		p.preStop(ctx)
	} else {
		p.kill()
	}
	stopAll()
	<-done
	p.remove(context.WithoutCancel(ctx))
}

func (p *pod) bind(ctx context.Context) error {
	if p.object.Spec.NodeName != "" {
		return nil
	}
	binding := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: p.object.Name, Namespace: p.object.Namespace, UID: p.object.UID},
		Target: corev1.ObjectReference{Kind: "Node", Name: NodeName}}
	return p.kubelet.client.CoreV1().Pods(p.object.Namespace).Bind(ctx, binding, metav1.CreateOptions{})
}

// watchReadiness keeps the pod's Ready condition true to its readiness probe until the pod ends.
func (p *pod) watchReadiness(ctx context.Context, done <-chan struct{}) {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	was, failures := false, int32(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.ending:
			return
		case <-done:
			return
		case <-ticker.C:
		}
		is := p.probe(ctx)
		if is {
			failures = 0
		} else if failures++; was && failures < p.patience() {
			continue // a kubelet asks again before it believes in the worst
		}
		if is != was && p.status(ctx, corev1.PodRunning, is) == nil {
			was = is
		}
	}
}

// patience is how often a readiness probe has to fail before the pod is no longer ready.
func (p *pod) patience() int32 {
	for _, c := range p.object.Spec.Containers {
		if c.ReadinessProbe != nil && c.ReadinessProbe.FailureThreshold > 0 {
			return c.ReadinessProbe.FailureThreshold
		}
	}
	return 1
}

func (p *pod) probe(ctx context.Context) bool {
	for _, c := range p.object.Spec.Containers {
		if c.ReadinessProbe == nil || c.ReadinessProbe.HTTPGet == nil {
			continue
		}
		if err := p.get(ctx, c.ReadinessProbe.HTTPGet, &c, 3*time.Second); err != nil {
			return false
		}
	}
	return true
}

// preStop calls the hooks of the containers and waits for them as long as the pod has grace.
func (p *pod) preStop(ctx context.Context) {
	grace := time.Duration(0)
	if fresh, err := p.kubelet.client.CoreV1().Pods(p.object.Namespace).Get(ctx, p.object.Name, metav1.GetOptions{}); err == nil && fresh.DeletionGracePeriodSeconds != nil {
		grace = time.Duration(*fresh.DeletionGracePeriodSeconds) * time.Second
	}
	for _, c := range p.object.Spec.Containers {
		if c.Lifecycle != nil && c.Lifecycle.PreStop != nil && c.Lifecycle.PreStop.HTTPGet != nil {
			if err := p.get(ctx, c.Lifecycle.PreStop.HTTPGet, &c, grace); err != nil {
				p.kubelet.Log.Warn("preStop", "pod", p.object.Name, "error", err)
			}
		}
	}
}

func (p *pod) get(ctx context.Context, action *corev1.HTTPGetAction, c *corev1.Container, limit time.Duration) error {
	port := action.Port.IntValue()
	for _, container := range append([]corev1.Container{*c}, p.object.Spec.Containers...) {
		for _, declared := range container.Ports {
			if port == 0 && declared.Name == action.Port.StrVal {
				port = int(declared.ContainerPort)
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(p.address, strconv.Itoa(port))+action.Path, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= 400 {
		return fmt.Errorf("%s: %s", action.Path, resp.Status)
	}
	return nil
}

// status writes what a kubelet would.
func (p *pod) status(ctx context.Context, phase corev1.PodPhase, ready bool) error {
	truth := corev1.ConditionFalse
	if ready {
		truth = corev1.ConditionTrue
	}
	now := metav1.Now()
	status := corev1.PodStatus{Phase: phase, PodIP: p.address, PodIPs: []corev1.PodIP{{IP: p.address}}, HostIP: "127.0.0.1", StartTime: &now,
		Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: now},
			{Type: corev1.PodReady, Status: truth, LastTransitionTime: now},
			{Type: corev1.ContainersReady, Status: truth, LastTransitionTime: now},
		}}
	for _, c := range p.object.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{Name: c.Name, Image: c.Image, Ready: ready,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}}})
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": p.object.UID}, "status": status})
	if err != nil {
		return err
	}
	_, err = p.kubelet.client.CoreV1().Pods(p.object.Namespace).Patch(ctx, p.object.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

// remove takes the pod out of the API server, as the kubelet does once its containers have ended.
func (p *pod) remove(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	now := int64(0)
	err := p.kubelet.client.CoreV1().Pods(p.object.Namespace).Delete(ctx, p.object.Name,
		metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &p.object.UID}})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		p.kubelet.Log.Debug("pod not removed", "pod", p.object.Name, "error", err)
	}
}

// env resolves the environment of a container as far as our pods use it.
func (p *pod) env(container string) map[string]string {
	out := map[string]string{}
	for _, c := range p.object.Spec.Containers {
		if c.Name != container {
			continue
		}
		for _, e := range c.Env {
			out[e.Name] = e.Value
			if e.ValueFrom == nil || e.ValueFrom.FieldRef == nil {
				continue
			}
			switch e.ValueFrom.FieldRef.FieldPath {
			case "metadata.name":
				out[e.Name] = p.object.Name
			case "metadata.namespace":
				out[e.Name] = p.object.Namespace
			case "status.podIP":
				out[e.Name] = p.address
			}
		}
	}
	return out
}

// config acts as the pod's service account, so that its rights are tested too.
func (p *pod) config() *rest.Config {
	config := rest.CopyConfig(p.kubelet.Config)
	config.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + p.object.Namespace + ":" + p.object.Spec.ServiceAccountName,
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + p.object.Namespace, "system:authenticated"},
	}
	return config
}

// mountCredentials keeps the mounted Secret's files equal to the Secret.
func (p *pod) mountCredentials(ctx context.Context, dir string) error {
	secret := ""
	for _, v := range p.object.Spec.Volumes {
		for _, c := range p.object.Spec.Containers {
			for _, m := range c.VolumeMounts {
				if m.Name == v.Name && m.MountPath == names.CredentialsDir && v.Secret != nil {
					secret = v.Secret.SecretName
				}
			}
		}
	}
	if secret == "" {
		return fmt.Errorf("no Secret is mounted at %s", names.CredentialsDir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for {
		s, err := p.kubelet.client.CoreV1().Secrets(p.object.Namespace).Get(ctx, secret, metav1.GetOptions{})
		if err == nil {
			for key, value := range s.Data {
				if err := replace(filepath.Join(dir, key), value); err != nil {
					return err
				}
			}
			return nil
		}
		select { // a pod waits for its Secret
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(poll):
		}
	}
}

// replace gives a file its content at once, as a kubelet does: nobody reads half of a password.
func replace(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	next := path + ".next"
	if err := os.WriteFile(next, content, 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}
