package ui_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/emulator/ui"
)

func TestPage(t *testing.T) {
	facts := ui.Facts{Version: "8.0.2-17", API: "https://10.0.0.1:9443"}
	h := ui.Handler(func() ui.Facts { return facts })
	ask := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w
	}
	w := ask(http.MethodGet, "/anything")
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for _, want := range []string{"emulator", "not part of a cluster yet", "8.0.2-17", "https://10.0.0.1:9443"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	facts.Cluster, facts.Node = "<b>c</b>", "2"
	if body := ask(http.MethodGet, "/").Body.String(); !strings.Contains(body, "&lt;b&gt;c&lt;/b&gt;") || !strings.Contains(body, "<dd>2</dd>") {
		t.Errorf("the names are not shown safely: %s", body)
	}
	if w := ask(http.MethodPost, "/"); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}
