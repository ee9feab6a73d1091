//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	routev1 "github.com/openshift/api/route/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// outsideDB is the database that is reached from outside, and its host name is this and a suffix.
const outsideDB = "outside"

// switched is how long a change of the method may take until traffic flows.
const switched = 90 * time.Second

// wayIn is one method and the proxy that serves it.
type wayIn struct {
	rule    string
	method  ingress.Method
	service string // of the proxy
	// byName says that the host names are in the cluster's DNS. Without, the operator has to take the address from the
	// status of the objects. The ingress controller writes that once a minute, and the Gateway is in a namespace that is
	// none of the operator's business.
	byName      bool
	annotations map[string]string // of Ingresses
}

var waysIn = []wayIn{
	{rule: "NET-6", method: ingress.Route, service: "openshift-router"},
	{rule: "NET-4", method: ingress.Ingress, service: "haproxy-ingress", byName: true,
		annotations: map[string]string{ingress.ClassAnnotation: "haproxy", "ingress.kubernetes.io/ssl-passthrough": "true"}},
	{rule: "NET-7", method: ingress.Istio, service: "istio-ingressgateway", byName: true},
	{rule: "NET-1", method: ingress.Gateway, service: "gateway", byName: true},
}

// network reaches API and database from this machine, which is outside of the cluster, by each method in turn. Redis is
// spoken by redis-cli, TLS is ended by nobody on the way.
func network(t *testing.T, s *suite) {
	if !*withParts {
		t.Log("left out: -parts")
		return
	}
	db := s.exposed(t)
	t.Cleanup(func() { s.remove(t, db) })
	t.Cleanup(func() { s.closeWays(t) })
	for _, way := range waysIn {
		began := time.Now()
		t.Run(fmt.Sprintf("%s %s", way.rule, way.method), func(t *testing.T) { s.wayIn(t, way) })
		t.Logf("%s: %.0f s", way.method, time.Since(began).Seconds())
	}
	t.Run("NET-8 without a method nothing is left", func(t *testing.T) {
		s.closeWays(t)
		s.awaitKinds(t, "")
		must(t, s.AwaitCluster(t.Context(), rec, heal))
		if status := s.cluster(t).Status.IngressOrRouteMethodStatus; status != "" {
			t.Errorf("status.ingressOrRouteMethodStatus is %q", status)
		}
	})
}

// exposed makes a database with TLS that asks for a way in.
func (s *suite) exposed(t *testing.T) *appv1alpha1.RedisEnterpriseDatabase {
	t.Helper()
	db := s.Cache()
	db.Name, db.Spec.TLSMode = outsideDB, appv1alpha1.TLSEnabled
	db.Spec.Tags = map[string]string{"team": "payments"}
	db.Annotations = map[string]string{names.AnnotationExpose: "true"}
	must(t, s.ApplyObject(t.Context(), db))
	must(t, s.AwaitDatabase(t.Context(), db.Name, heal))
	return db
}

func (s *suite) wayIn(t *testing.T, way wayIn) {
	address := s.parts().balancer(t, way.service)
	domain := way.service + ".example.com"
	if way.byName {
		domain = named(address)
	}
	apiHost, suffix := "api-"+rec+"."+domain, "-db."+domain
	s.patchCluster(t, switchTo(way, apiHost, suffix))
	s.awaitMethod(t, way.method)
	c := caller{s: s, address: address}
	authority := c.api(t, apiHost)
	host := outsideDB + suffix
	c.redis(t, host, authority)
	s.awaitKinds(t, way.method)
	if way.method == ingress.Route {
		t.Run("a connection survives a change of other routes", func(t *testing.T) { c.survives(t, host, authority) })
	}
}

// switchTo is the change of the cluster that a user makes; what the way does not need is removed.
func switchTo(way wayIn, apiHost, suffix string) string {
	block := map[string]any{"method": way.method, "apiFqdnUrl": apiHost, "dbFqdnSuffix": suffix, "ingressAnnotations": nil}
	annotations := map[string]any{names.AnnotationGateway: nil}
	if way.annotations != nil {
		block["ingressAnnotations"] = way.annotations
	}
	if way.method == ingress.Gateway {
		block["method"] = ingress.Route // the annotation goes before it
		annotations[names.AnnotationGateway] = partsNamespace + "/outside/tls"
	}
	return patchOf(map[string]any{"metadata": map[string]any{"annotations": annotations}, "spec": map[string]any{"ingressOrRouteSpec": block}})
}

func patchOf(change map[string]any) string {
	text, err := json.Marshal(change)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (s *suite) closeWays(t *testing.T) {
	t.Helper()
	var cluster appv1.RedisEnterpriseCluster
	ctx := context.WithoutCancel(t.Context())
	must(t, s.Get(ctx, s.Key(rec), &cluster))
	must(t, s.MergePatch(ctx, &cluster, patchOf(map[string]any{"spec": map[string]any{"ingressOrRouteSpec": nil},
		"metadata": map[string]any{"annotations": map[string]any{names.AnnotationGateway: nil}}})))
}

// awaitMethod waits until the cluster says that it has been reached this way.
func (s *suite) awaitMethod(t *testing.T, method ingress.Method) {
	t.Helper()
	must(t, s.Await(t.Context(), string(method), switched, func() (bool, string, error) {
		cluster := s.cluster(t)
		ready := meta.FindStatusCondition(cluster.Status.Conditions, appv1.ConditionIngressReady)
		if ready == nil || ready.ObservedGeneration != cluster.Generation {
			return false, "no word yet", nil
		}
		done := ready.Status == metav1.ConditionTrue && cluster.Status.IngressOrRouteMethodStatus == string(method)
		return done, fmt.Sprintf("%s: %s (in effect: %q)", ready.Reason, ready.Message, cluster.Status.IngressOrRouteMethodStatus), nil
	}))
}

// awaitKinds waits until there are objects of the method for API and database, and none of any other method.
func (s *suite) awaitKinds(t *testing.T, method ingress.Method) {
	t.Helper()
	want := ingress.Kinds(method)
	must(t, s.Await(t.Context(), "objects", switched, func() (bool, string, error) {
		var missing, left []string
		for _, gvk := range ingress.AllKinds() {
			found, err := s.objectsOf(t.Context(), gvk)
			if err != nil {
				return false, "", err
			}
			wanted := slices.Contains(want, gvk)
			if wanted && len(found) < 2 {
				missing = append(missing, gvk.Kind)
			}
			if !wanted && len(found) > 0 {
				left = append(left, fmt.Sprintf("%s %v", gvk.GroupKind(), found))
			}
		}
		return len(missing) == 0 && len(left) == 0, fmt.Sprintf("missing %v, left behind %v", missing, left), nil
	}))
}

func (s *suite) objectsOf(ctx context.Context, gvk schema.GroupVersionKind) ([]string, error) {
	var list unstructured.UnstructuredList
	list.SetGroupVersionKind(gvk)
	if err := s.List(ctx, &list, client.InNamespace(s.Namespace), client.MatchingLabels{names.LabelCluster: rec}); err != nil {
		return nil, err
	}
	var found []string
	for _, item := range list.Items {
		found = append(found, item.GetName())
	}
	return found, nil
}

// caller is a client on this machine that connects to the address of a proxy.
type caller struct {
	s       *suite
	address string
}

const tlsPort = "443"

// config verifies the certificate as the cluster's own.
func (c caller) config(t *testing.T, host string, roots *x509.CertPool) *tls.Config {
	t.Helper()
	return ownedBy(rec, c.s.Namespace, host, roots)
}

// ownedBy asks for a host and verifies that a cluster answers: its certificate names the cluster, whatever leads there.
func ownedBy(cluster, namespace, host string, roots *x509.CertPool) *tls.Config {
	return &tls.Config{ServerName: host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12,
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: names.FQDN(cluster, namespace)})
			return err
		}}
}

// api asks the admin API under its host name and returns what signs the certificates of databases.
func (c caller) api(t *testing.T, host string) []byte {
	t.Helper()
	var notes corev1.ConfigMap
	must(t, c.s.Get(t.Context(), c.s.Key(names.Board(rec)), &notes))
	roots := x509.NewCertPool()
	for _, report := range board.Data(notes.Data).Reports() {
		roots.AppendCertsFromPEM([]byte(report.Certificate))
	}
	var login corev1.Secret
	must(t, c.s.Get(t.Context(), c.s.Key(rec), &login))
	transport := &http.Transport{TLSClientConfig: c.config(t, host, roots), DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(c.address, tlsPort))
		}}
	// Only the leader answers; the others name its address, which is inside. The proxy leads to each in turn.
	web := &http.Client{Transport: transport, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var certificates map[string]string
	must(t, c.s.Await(t.Context(), "https://"+host, time.Minute, func() (bool, string, error) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+host+"/v1/cluster/certificates", nil)
		if err != nil {
			return false, "", err
		}
		request.SetBasicAuth(string(login.Data[names.UsernameKey]), string(login.Data[names.PasswordKey]))
		answer, err := web.Do(request)
		if err != nil {
			return false, "", err // it was reached this way before
		}
		defer func() { _ = answer.Body.Close() }()
		if answer.StatusCode != http.StatusOK {
			return false, answer.Status, nil
		}
		return true, answer.Status, json.NewDecoder(answer.Body).Decode(&certificates)
	}))
	return []byte(certificates["proxy_cert"])
}

// redis writes and reads with redis-cli.
func (c caller) redis(t *testing.T, host string, authority []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.crt")
	must(t, os.WriteFile(file, authority, 0o600))
	value := fmt.Sprintf("written through %s at %s", host, time.Now().Format(time.RFC3339Nano))
	// The way to the database is opened by another program than the way to the API, and nothing tells of it.
	must(t, c.s.Await(t.Context(), host, switched, func() (bool, string, error) {
		out, err := c.cli(t, host, file, "SET", "e2e", value)
		return err == nil && out == "OK", out, nil
	}))
	out, err := c.cli(t, host, file, "GET", "e2e")
	if err != nil || out != value {
		t.Errorf("read %q: %v", out, err)
	}
	if out, err := c.cli(t, "other."+host, file, "GET", "e2e"); err == nil && out == value {
		t.Error("a name that nobody asked for leads to the database")
	}
}

func (c caller) cli(t *testing.T, host, authority string, words ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	args := append([]string{"-h", c.address, "-p", tlsPort, "--tls", "--sni", host, "--cacert", authority, "-t", "5"}, words...)
	command := exec.CommandContext(ctx, setting("REDIS_CLI", "redis-cli"), args...)
	command.Env = append(os.Environ(), "REDISCLI_AUTH="+c.password(t))
	out, err := command.CombinedOutput()
	text := strings.TrimSpace(string(out))
	if strings.HasPrefix(text, "Could not connect") || strings.HasPrefix(text, "Error") {
		err = errors.Join(err, errors.New(text))
	}
	return text, err
}

func (c caller) password(t *testing.T) string {
	t.Helper()
	var secret corev1.Secret
	must(t, c.s.Get(t.Context(), c.s.Key(names.DatabaseSecret(outsideDB)), &secret))
	return string(secret.Data[names.PasswordKey])
}

// survives holds a connection while a route of somebody else comes, which makes the proxy take a new configuration.
func (c caller) survives(t *testing.T, host string, authority []byte) {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	dial := func(name string) (*tls.Conn, error) {
		dialer := &tls.Dialer{Config: c.config(t, name, roots)}
		conn, err := dialer.DialContext(t.Context(), "tcp", net.JoinHostPort(c.address, tlsPort))
		if err != nil {
			return nil, err
		}
		return conn.(*tls.Conn), conn.SetDeadline(time.Now().Add(time.Minute))
	}
	held, err := dial(host)
	must(t, err)
	defer func() { _ = held.Close() }()
	ask(t, held)
	other := &routev1.Route{ObjectMeta: metav1.ObjectMeta{Namespace: c.s.Namespace, Name: "e2e-other"}}
	var own routev1.Route
	must(t, c.s.Get(t.Context(), c.s.Key(outsideDB), &own))
	own.Spec.DeepCopyInto(&other.Spec)
	other.Spec.Host = "other." + host
	must(t, c.s.Create(t.Context(), other))
	t.Cleanup(func() { c.s.remove(t, other) })
	must(t, c.s.Await(t.Context(), other.Spec.Host, switched, func() (bool, string, error) {
		conn, err := dial(other.Spec.Host)
		if err != nil {
			return notYet(err)
		}
		return true, "there", conn.Close()
	}))
	ask(t, held)
}

// ask sends a command over a connection; any answer shows that it lives.
func ask(t *testing.T, conn *tls.Conn) {
	t.Helper()
	_, err := conn.Write([]byte("PING\r\n"))
	must(t, err)
	answer := make([]byte, 64)
	n, err := conn.Read(answer)
	must(t, err)
	if n == 0 || !strings.ContainsAny(string(answer[:1]), "+-") {
		t.Errorf("got %q", answer[:n])
	}
}
