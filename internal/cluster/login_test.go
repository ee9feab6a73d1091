package cluster

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func TestREC64_NewCredentialsAreTriedBeforeTheyAreTaken(t *testing.T) {
	var shown atomic.Int32
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "new" || password != "right" {
			if user == "new" {
				shown.Add(1)
			}
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte("{}"))
	}))
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	links := link.NewRegistry(link.Options{})
	defer links.Close()
	l := links.Ensure(types.NamespacedName{Namespace: "ns", Name: "rec"}, link.Target{
		Addresses: []string{server.Listener.Addr().String()}, ServerName: "example.com", CA: ca,
		Credentials: rest.Credentials{Username: "old", Password: "old"}})

	var logins Logins
	if ok, err := logins.try(t.Context(), nil, Credentials{Secret: "s"}); ok || outcome.Of(err).Kind != outcome.KindWaiting {
		t.Errorf("without a link: %t, %v", ok, err)
	}
	wrong := Credentials{Secret: "s", Username: "new", Password: "wrong"}
	for range 5 {
		if ok, err := logins.try(t.Context(), l, wrong); ok || outcome.Of(err).Path != "spec.clusterCredentialSecretName" {
			t.Errorf("refused: %t, %v", ok, err)
		}
	}
	if n := shown.Load(); n > 2 {
		t.Errorf("refused credentials were shown %d times, which locks the account", n)
	}
	if ok, err := logins.try(t.Context(), l, Credentials{Secret: "s", Username: "new", Password: "right"}); !ok || err != nil {
		t.Errorf("accepted: %t, %v", ok, err)
	}
	server.Close()
	if ok, err := logins.try(t.Context(), l, Credentials{Secret: "s", Username: "new", Password: "right"}); ok || outcome.Of(err).Kind != outcome.KindWaiting {
		t.Errorf("silent: %t, %v", ok, err)
	}
}
