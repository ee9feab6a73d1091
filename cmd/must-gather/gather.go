package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"
)

// logLines is how many lines of each log are kept, the last ones.
const logLines int64 = 200_000

// gatherer writes what it finds below a folder, in the layout of oc adm inspect.
type gatherer struct {
	objects    dynamic.Interface
	core       kubernetes.Interface
	served     discovery.DiscoveryInterface
	out        string
	namespaces []string
	since      *time.Time
	log        *slog.Logger

	redactor  redactor
	resources map[schema.GroupResource]schema.GroupVersionResource
	problems  []string
}

// gather collects all it can. Only what keeps it from writing anything at all is an error.
func (g *gatherer) gather(ctx context.Context) error {
	if err := g.write("version", []byte("open-redis-enterprise/must-gather\n"+version+"\n")); err != nil {
		return err
	}
	if err := g.discover(); err != nil {
		return fmt.Errorf("what this Kubernetes serves was not read: %w", err)
	}
	if len(g.namespaces) == 0 {
		g.namespaces = g.findNamespaces(ctx)
	}
	g.log.Info("collecting", "namespaces", g.namespaces)
	for _, ns := range g.namespaces { // before anything is written
		g.learn(ctx, ns)
	}
	for _, k := range clusterWide {
		if err := g.collect(ctx, k, ""); err != nil {
			return err
		}
	}
	for _, ns := range g.namespaces {
		for _, k := range namespaced {
			if err := g.collect(ctx, k, ns); err != nil {
				return err
			}
		}
		if err := g.logs(ctx, ns); err != nil {
			return err
		}
	}
	return g.write("gather.log", []byte(strings.Join(append(g.problems, ""), "\n")))
}

// discover reads which version of each resource is the preferred one.
func (g *gatherer) discover() error {
	lists, err := g.served.ServerPreferredResources()
	if err != nil && len(lists) == 0 {
		return err
	}
	if err != nil {
		g.note("some groups were not discovered: %v", err)
	}
	g.resources = map[schema.GroupResource]schema.GroupVersionResource{}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return err
		}
		for _, r := range list.APIResources {
			g.resources[schema.GroupResource{Group: gv.Group, Resource: r.Name}] = gv.WithResource(r.Name)
		}
	}
	return nil
}

func (g *gatherer) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	g.problems = append(g.problems, g.redactor.line(text))
	g.log.Info(text)
}

// findNamespaces are those that hold a resource of ours or an operator.
func (g *gatherer) findNamespaces(ctx context.Context) []string {
	var out []string
	for _, k := range found {
		for _, o := range g.list(ctx, k, "") {
			if !slices.Contains(out, o.GetNamespace()) {
				out = append(out, o.GetNamespace())
			}
		}
	}
	slices.Sort(out)
	return out
}

// list reads the wanted objects of a kind; what goes wrong is noted.
func (g *gatherer) list(ctx context.Context, k kind, ns string) []unstructured.Unstructured {
	gvr, served := g.resources[schema.GroupResource{Group: k.group, Resource: k.resource}]
	if !served {
		return nil
	}
	var out []unstructured.Unstructured
	options := metav1.ListOptions{Limit: 500}
	for {
		page, err := g.objects.Resource(gvr).Namespace(ns).List(ctx, options)
		if err != nil {
			g.note("%s in %q: %v", gvr.GroupResource(), ns, err)
			return out
		}
		for _, o := range page.Items {
			if k.wanted == nil || k.wanted(&o) {
				out = append(out, o)
			}
		}
		if options.Continue = page.GetContinue(); options.Continue == "" {
			return out
		}
	}
}

// learn reads what must not get out.
func (g *gatherer) learn(ctx context.Context, ns string) {
	for _, o := range g.list(ctx, kind{resource: "secrets"}, ns) {
		g.redactor.learn(&o)
	}
}

func (g *gatherer) collect(ctx context.Context, k kind, ns string) error {
	folder := filepath.Join("cluster-scoped-resources", orCore(k.group), k.resource)
	if ns != "" {
		folder = filepath.Join("namespaces", ns, orCore(k.group), k.resource)
	}
	for _, o := range g.list(ctx, k, ns) {
		raw, err := yaml.Marshal(g.redactor.object(&o).Object)
		if err != nil {
			return err
		}
		if err := g.write(filepath.Join(folder, o.GetName()+".yaml"), []byte(g.redactor.text(string(raw)))); err != nil {
			return err
		}
	}
	return nil
}

func orCore(group string) string {
	if group == "" {
		return "core"
	}
	return group
}

// logs keeps the current and the previous log of each container of our pods.
func (g *gatherer) logs(ctx context.Context, ns string) error {
	for _, o := range g.list(ctx, kind{resource: "pods", wanted: ours}, ns) {
		for _, list := range []string{"initContainers", "containers"} {
			containers, _, _ := unstructured.NestedSlice(o.Object, "spec", list)
			for _, c := range containers {
				fields, _ := c.(map[string]any)
				name, _ := fields["name"].(string)
				if err := g.containerLogs(ctx, ns, o.GetName(), name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (g *gatherer) containerLogs(ctx context.Context, ns, pod, container string) error {
	for _, which := range []struct {
		file     string
		previous bool
	}{{"current.log", false}, {"previous.log", true}} {
		options := &corev1.PodLogOptions{Container: container, Previous: which.previous, Timestamps: true, TailLines: ptr.To(logLines)}
		if g.since != nil {
			options.SinceTime = &metav1.Time{Time: *g.since}
		}
		stream, err := g.core.CoreV1().Pods(ns).GetLogs(pod, options).Stream(ctx)
		if err != nil {
			if !which.previous || !apierrors.IsBadRequest(err) { // most containers have no previous life
				g.note("log of %s/%s %s: %v", ns, pod, container, err)
			}
			continue
		}
		path := filepath.Join("namespaces", ns, "pods", pod, container, container, "logs", which.file)
		if err := errors.Join(g.copyLog(path, stream), stream.Close()); err != nil {
			return err
		}
	}
	return nil
}

// copyLog writes a log line by line, each of them searched.
func (g *gatherer) copyLog(path string, from io.Reader) error {
	file, err := g.create(path)
	if err != nil {
		return err
	}
	lines := bufio.NewReader(from)
	hidden := false // inside a private key
	for {
		line, readErr := lines.ReadString('\n')
		begins, ends := strings.Contains(line, "PRIVATE KEY-----") && strings.Contains(line, "BEGIN"), strings.Contains(line, "PRIVATE KEY-----") && strings.Contains(line, "END")
		if hidden = (hidden || begins) && !ends; hidden || ends {
			line = removed + "\n"
		}
		if _, err := file.WriteString(g.redactor.line(line)); err != nil {
			return errors.Join(err, file.Close())
		}
		if readErr != nil {
			if !errors.Is(readErr, io.EOF) {
				g.note("%s: %v", path, readErr)
			}
			break
		}
	}
	return file.Close()
}

func (g *gatherer) create(path string) (*os.File, error) {
	full := filepath.Join(g.out, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil { //nolint:gosec // oc copies it as another user
		return nil, err
	}
	return os.OpenFile(full, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644) //nolint:gosec // as above
}

func (g *gatherer) write(path string, content []byte) error {
	file, err := g.create(path)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}
