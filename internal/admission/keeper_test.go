package admission

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/open-redis-enterprise/operator/internal/names"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func leading() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func keeper(c client.Client, elected <-chan struct{}, now time.Time) *Keeper {
	return &Keeper{
		Reader: c, Client: c, Log: logr.Discard(), Namespace: "ns", Service: names.AdmissionService,
		Elected: elected, Now: func() time.Time { return now },
	}
}

func configuration(name string) *admissionregistrationv1.ValidatingWebhookConfiguration {
	service := func(namespace string) admissionregistrationv1.WebhookClientConfig {
		return admissionregistrationv1.WebhookClientConfig{
			Service: &admissionregistrationv1.ServiceReference{Name: names.AdmissionService, Namespace: namespace},
		}
	}
	none := admissionregistrationv1.SideEffectClassNone
	return &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{
			{Name: names.AdmissionName, ClientConfig: service("ns"), SideEffects: &none},
			{Name: "other." + names.AdmissionName, ClientConfig: service("elsewhere"), SideEffects: &none},
		},
	}
}

func secretOf(t *testing.T, c client.Client) *corev1.Secret {
	t.Helper()
	var s corev1.Secret
	if err := c.Get(context.Background(), types.NamespacedName{Namespace: "ns", Name: names.AdmissionSecret}, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

func bundles(t *testing.T, c client.Client, name string) [2][]byte {
	t.Helper()
	var w admissionregistrationv1.ValidatingWebhookConfiguration
	if err := c.Get(context.Background(), types.NamespacedName{Name: name}, &w); err != nil {
		t.Fatal(err)
	}
	return [2][]byte{w.Webhooks[0].ClientConfig.CABundle, w.Webhooks[1].ClientConfig.CABundle}
}

func leafOf(t *testing.T, certificate []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(certificate)
	if block == nil {
		t.Fatalf("not PEM: %q", certificate)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func TestADM1_ADM5_INST23_TheLeaderMakesTheSecretAndInjectsTheBundle(t *testing.T) {
	for _, name := range []string{names.AdmissionWebhook, names.AdmissionWebhook + "-ns"} {
		t.Run(name, func(t *testing.T) {
			c := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(configuration(name)).
				WithInterceptorFuncs(withRightsTo(name)).Build()
			k := keeper(c, leading(), start)
			if err := k.Keep(t.Context()); err != nil {
				t.Fatal(err)
			}
			certificate := secretOf(t, c).Data[names.CertKey]
			leaf := leafOf(t, certificate)
			for _, host := range []string{"admission.ns", "admission.ns.svc", "admission.ns.svc.cluster.local"} {
				if err := leaf.VerifyHostname(host); err != nil {
					t.Errorf("%v", err)
				}
			}
			got := bundles(t, c, name)
			if !bytes.Equal(got[0], certificate) {
				t.Errorf("caBundle of our entry = %q", got[0])
			}
			if got[1] != nil {
				t.Error("the entry of another operator was changed")
			}
		})
	}
}

func TestADM1_ASettledKeeperWritesNothing(t *testing.T) {
	writes := 0
	count := func() { writes++ }
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(configuration(names.AdmissionWebhook)).
		WithInterceptorFuncs(counting(count)).Build()
	k := keeper(c, leading(), start)
	for range 3 {
		if err := k.Keep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if writes != 2 {
		t.Errorf("%d writes, want the Secret and the bundle once", writes)
	}
}

func counting(count func()) interceptor.Funcs {
	return interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			count()
			return c.Patch(ctx, o, p, opts...)
		},
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			count()
			return c.Apply(ctx, o, opts...)
		},
	}
}

func TestADM1_ReplicasThatDoNotLeadOnlyLoad(t *testing.T) {
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).Build()
	follower := keeper(c, make(chan struct{}), start)
	if err := follower.Keep(t.Context()); err == nil || follower.Certificate() != nil {
		t.Fatalf("a follower must wait for the leader, got %v", err)
	}
	if err := keeper(c, leading(), start).Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := follower.Keep(t.Context()); err != nil || follower.Certificate() == nil {
		t.Fatalf("the follower did not load what the leader made: %v", err)
	}
}

func TestADM1_ARenewedCertificateIsTrustedBeforeItIsServed(t *testing.T) {
	var order []string
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(configuration(names.AdmissionWebhook)).
		WithInterceptorFuncs(interceptor.Funcs{
			Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
				order = append(order, "bundle")
				return c.Patch(ctx, o, p, opts...)
			},
			Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
				order = append(order, "Secret")
				return c.Apply(ctx, o, opts...)
			},
		}).Build()
	if err := keeper(c, leading(), start).Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := secretOf(t, c).Data[names.CertKey]
	order = nil
	later := start.Add(validity - renewBefore + time.Hour)
	for range 2 {
		if err := keeper(c, leading(), later).Keep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(order, []string{"bundle", "Secret"}) {
		t.Errorf("writes of the renewal: %q", order)
	}
	second := secretOf(t, c).Data[names.CertKey]
	if bytes.Equal(first, second) {
		t.Fatal("the certificate was not renewed")
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundles(t, c, names.AdmissionWebhook)[0])
	for _, certificate := range [][]byte{first, second} { // a replica may still serve the first
		if _, err := leafOf(t, certificate).Verify(x509.VerifyOptions{Roots: roots, DNSName: "admission.ns.svc", CurrentTime: later}); err != nil {
			t.Error(err)
		}
	}
}

func TestADM1_ABundlePastedByHandIsUsedToItsEnd(t *testing.T) {
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithInterceptorFuncs(withoutRights()).Build()
	if err := keeper(c, leading(), start).Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := secretOf(t, c).Data[names.CertKey]
	if err := keeper(c, leading(), start.Add(validity-time.Hour)).Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, secretOf(t, c).Data[names.CertKey]) {
		t.Error("renewed although nobody trusts the new one yet")
	}
	if err := keeper(c, leading(), start.Add(validity+time.Hour)).Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first, secretOf(t, c).Data[names.CertKey]) {
		t.Error("an ended certificate stayed")
	}
}

func TestADM1_UsersPairIsServedAsItIs(t *testing.T) {
	theirs, err := newPair(serverNames(names.AdmissionService, "ns"), start)
	if err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: names.AdmissionSecret},
		Data:       map[string][]byte{names.CertKey: theirs.certificate, names.PrivateKeyKey: theirs.key},
	}
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(secret).Build()
	if err := keeper(c, leading(), start).Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := secretOf(t, c).Data[names.CertKey]; !bytes.Equal(got, theirs.certificate) {
		t.Error("the Secret of the user was replaced")
	}
}

func withoutRights() interceptor.Funcs { return withRightsTo("") }

// withRightsTo lets one webhook configuration be read, as a Role with a resource name does.
func withRightsTo(name string) interceptor.Funcs {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "validatingwebhookconfigurations"}, names.AdmissionWebhook, nil)
	return interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if _, ok := o.(*admissionregistrationv1.ValidatingWebhookConfiguration); ok && key.Name != name {
				return forbidden
			}
			return c.Get(ctx, key, o, opts...)
		},
	}
}

func TestADM11_MissingRightsDoNotStopTheServer(t *testing.T) {
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithInterceptorFuncs(withoutRights()).Build()
	k := keeper(c, leading(), start)
	if err := k.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if k.Certificate() == nil {
		t.Error("no certificate to serve with")
	}
}

func TestServerServesAndSaysSo(t *testing.T) {
	c := fake.NewClientBuilder().WithScheme(scheme.Scheme).Build()
	k := keeper(c, leading(), time.Now())
	s := &Server{Keeper: k, Handler: NewHandler(logr.Discard(), podKind()), Log: logr.Discard(), Address: "127.0.0.1:0"}
	probe := httptest.NewRequest(http.MethodGet, "/readyz", nil)
	if err := s.Ready(probe); err == nil {
		t.Fatal("ready before it serves")
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Start(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("stopped with %v", err)
		}
	}()
	if err := k.Keep(ctx); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return s.Ready(probe) })

	before := k.Certificate().Leaf.SerialNumber
	if err := c.Delete(ctx, secretOf(t, c)); err != nil {
		t.Fatal(err)
	}
	if err := k.Keep(ctx); err != nil {
		t.Fatal(err)
	}
	connection, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{RootCAs: poolOf(k.Certificate().Leaf), ServerName: "admission.ns.svc"})
	if err != nil {
		t.Fatalf("the new certificate is not served: %v", err)
	}
	defer func() { _ = connection.Close() }()
	if connection.ConnectionState().PeerCertificates[0].SerialNumber.Cmp(before) == 0 {
		t.Error("still the old certificate")
	}
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: poolOf(k.Certificate().Leaf), ServerName: "admission.ns.svc"},
	}}
	response, err := client.Post("https://"+s.Addr().String()+names.AdmissionPath, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", response.StatusCode)
	}
}

func poolOf(c *x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return pool
}

// eventually polls until check passes, for at most ten seconds.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-deadline.C:
			t.Fatal(err)
		case <-tick.C:
		}
	}
}
