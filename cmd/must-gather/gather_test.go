package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery/fake"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	corefake "k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"
)

const secretly = "s3cr3t-hunter2"

// objects are those of a namespace with a cluster, and of one that is nobody's business.
const world = `
apiVersion: app.redislabs.com/v1
kind: RedisEnterpriseCluster
metadata: {name: rec, namespace: redis, annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"license":"LICENCE-TEXT"}'}}
spec:
  license: LICENCE-TEXT
  licenseSecretName: a-licence
  clusterCredentialSecretName: rec
  extraEnvVars: [{name: PROXY_PASSWORD, value: in-the-spec}, {name: HTTPS_PROXY, value: "http://user:in-an-address@proxy:3128"}]
status: {state: Running, licenseStatus: {licenseState: Valid}}
---
apiVersion: v1
kind: Secret
metadata: {name: rec, namespace: redis, labels: {app: redis-enterprise}}
type: Opaque
data: {username: ZGVtbw==, password: czNjcjN0LWh1bnRlcjI=}
---
apiVersion: v1
kind: Secret
metadata: {name: pull, namespace: redis}
type: kubernetes.io/dockerconfigjson
data: {.dockerconfigjson: e30=}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: operator-environment-config, namespace: redis}
data: {VAULT_TOKEN: in-the-settings, note: "it is s3cr3t-hunter2", LOG: debug}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: of-somebody, namespace: redis}
data: {a: b}
---
apiVersion: v1
kind: Pod
metadata: {name: rec-0, namespace: redis, labels: {app: redis-enterprise}}
spec: {containers: [{name: redis-enterprise-node, env: [{name: API_KEY, value: in-the-pod}, {name: TZ, value: UTC}, {name: P, valueFrom: {secretKeyRef: {name: rec, key: password}}}]}]}
---
apiVersion: v1
kind: Event
metadata: {name: e, namespace: redis}
message: the password s3cr3t-hunter2 was refused
---
apiVersion: v1
kind: ConfigMap
metadata: {name: elsewhere, namespace: other, labels: {app: redis-enterprise}}
data: {a: b}
`

func worldObjects(t *testing.T) []runtime.Object {
	t.Helper()
	var out []runtime.Object
	for text := range strings.SplitSeq(world, "\n---\n") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
			t.Fatal(err)
		}
		out = append(out, o)
	}
	return out
}

// gathered runs a collection and returns the files by path.
func gathered(t *testing.T, change func(*gatherer)) map[string]string {
	t.Helper()
	resources := map[string][]string{"app.redislabs.com/v1": {"redisenterpriseclusters"}, "v1": {"pods", "secrets", "configmaps", "events"}}
	kinds := map[schema.GroupVersionResource]string{}
	discovered := &fake.FakeDiscovery{Fake: &clienttesting.Fake{}}
	for gv, list := range resources {
		parsed, err := schema.ParseGroupVersion(gv)
		if err != nil {
			t.Fatal(err)
		}
		served := &metav1.APIResourceList{GroupVersion: gv}
		for _, r := range list {
			kinds[parsed.WithResource(r)] = r + "List"
			served.APIResources = append(served.APIResources, metav1.APIResource{Name: r})
		}
		discovered.Resources = append(discovered.Resources, served)
	}
	g := &gatherer{
		objects: dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, worldObjects(t)...),
		core:    corefake.NewClientset(), served: preferred{discovered}, out: t.TempDir(), log: slog.New(slog.DiscardHandler),
	}
	change(g)
	if err := g.gather(t.Context()); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	if err := filepath.WalkDir(g.out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		name, relErr := filepath.Rel(g.out, path)
		files[name] = string(raw)
		return errors.Join(err, relErr)
	}); err != nil {
		t.Fatal(err)
	}
	return files
}

// preferred answers what the fake does not know: every version is the preferred one.
type preferred struct{ *fake.FakeDiscovery }

func (p preferred) ServerPreferredResources() ([]*metav1.APIResourceList, error) {
	return p.Resources, nil
}

func TestNoValueOfASecretIsCollected(t *testing.T) {
	for path, content := range gathered(t, func(*gatherer) {}) {
		for _, hidden := range []string{secretly, "czNjcjN0LWh1bnRlcjI=", "LICENCE-TEXT", "in-the-spec", "in-the-settings", "in-the-pod", "in-an-address", "dockerconfigjson"} {
			if strings.Contains(content, hidden) {
				t.Errorf("%s shows %s:\n%s", path, hidden, content)
			}
		}
	}
}

func TestWhatIsNeededIsCollected(t *testing.T) {
	files := gathered(t, func(*gatherer) {})
	for path, wanted := range map[string]string{
		"version": "open-redis-enterprise/must-gather",
		"namespaces/redis/app.redislabs.com/redisenterpriseclusters/rec.yaml":                      "state: Running",
		"namespaces/redis/core/secrets/rec.yaml":                                                   "password: REDACTED (14 bytes)",
		"namespaces/redis/core/configmaps/operator-environment-config.yaml":                        "LOG: debug",
		"namespaces/redis/core/pods/rec-0.yaml":                                                    "value: UTC",
		"namespaces/redis/core/events/e.yaml":                                                      "was refused",
		"namespaces/redis/pods/rec-0/redis-enterprise-node/redis-enterprise-node/logs/current.log": "fake logs",
	} {
		if content, there := files[path]; !there || !strings.Contains(content, wanted) {
			t.Errorf("%s: %q", path, content)
		}
	}
	if rec := files["namespaces/redis/app.redislabs.com/redisenterpriseclusters/rec.yaml"]; !strings.Contains(rec, "licenseSecretName: a-licence") || !strings.Contains(rec, "licenseState: Valid") {
		t.Errorf("what names a Secret is no secret:\n%s", rec)
	}
	if pod := files["namespaces/redis/core/pods/rec-0.yaml"]; !strings.Contains(pod, "key: password") {
		t.Errorf("a reference is gone:\n%s", pod)
	}
	for path := range files {
		if strings.Contains(path, "other") || strings.Contains(path, "of-somebody") || strings.Contains(path, "pull") {
			t.Errorf("%s is nobody's business", path)
		}
	}
}

func TestNamespacesCanBeChosen(t *testing.T) {
	files := gathered(t, func(g *gatherer) { g.namespaces = []string{"other"} })
	if _, there := files["namespaces/other/core/configmaps/elsewhere.yaml"]; !there {
		t.Errorf("%v", files)
	}
}

func TestWhatMayNotBeReadIsNotedAndNoReasonToStop(t *testing.T) {
	files := gathered(t, func(g *gatherer) {
		g.objects.(*dynamicfake.FakeDynamicClient).PrependReactor("list", "events", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, errors.New("events are forbidden")
		})
	})
	if !strings.Contains(files["gather.log"], "events are forbidden") || files["namespaces/redis/core/pods/rec-0.yaml"] == "" {
		t.Errorf("%q", files["gather.log"])
	}
}

func TestLogsAreSearched(t *testing.T) {
	g := &gatherer{out: t.TempDir(), log: slog.New(slog.DiscardHandler)}
	g.redactor.learn(&unstructured.Unstructured{Object: map[string]any{"data": map[string]any{"password": "czNjcjN0LWh1bnRlcjI=", "username": "ZGVtbw=="}}})
	log := "demo signs in with s3cr3t-hunter2\n" +
		"czNjcjN0LWh1bnRlcjI= in another form\n" +
		`{"user":"demo","password":"never-in-a-secret"}` + "\n" +
		"GET https://u:in-an-address@rec:9443/v1 Authorization: Bearer abcdefghijklmnopqrstuvwxyz\n" +
		"-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----\n" +
		"all is well"
	if err := g.copyLog("x.log", strings.NewReader(log)); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(g.out, "x.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{secretly, "czNjcjN0", "never-in-a-secret", "in-an-address", "abcdefghijkl", "MIIEp"} {
		if strings.Contains(string(raw), hidden) {
			t.Errorf("%s is in the log:\n%s", hidden, raw)
		}
	}
	for _, kept := range []string{"demo signs in", "all is well", "@rec:9443/v1"} {
		if !strings.Contains(string(raw), kept) {
			t.Errorf("%s is gone:\n%s", kept, raw)
		}
	}
}

func TestSinceWhen(t *testing.T) {
	for _, c := range []struct {
		name, variable, value string
		want                  func(*time.Time) bool
		fails                 bool
	}{
		{"all", "", "", func(at *time.Time) bool { return at == nil }, false},
		{"a span", envSince, "2h", func(at *time.Time) bool { return time.Since(*at).Round(time.Hour) == 2*time.Hour }, false},
		{"a time", envSinceTime, "2026-01-02T03:04:05Z", func(at *time.Time) bool { return at.Day() == 2 }, false},
		{"nonsense", envSince, "yesterday", nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := sinceWhen(func(name string) string {
				if name == c.variable {
					return c.value
				}
				return ""
			})
			if (err != nil) != c.fails || !c.fails && !c.want(at) {
				t.Errorf("%v, %v", at, err)
			}
		})
	}
}
