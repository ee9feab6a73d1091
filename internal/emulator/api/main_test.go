package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/api/apitest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	admin    = "admin@example.com"
	password = "secret-1"
)

// bench is a surface over an engine in memory, with a clock that tests move.
type bench struct {
	t       *testing.T
	engine  *apitest.Engine
	handler http.Handler
	now     time.Time
	user    string
	pass    string
	log     *requestLog
}

// requestLog is what OnRequest was told, maybe from several requests at once.
type requestLog struct {
	mu   sync.Mutex
	seen []api.Request
}

func (l *requestLog) add(r api.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = append(l.seen, r)
}

func newBench(t *testing.T, nodes int) *bench {
	t.Helper()
	b := &bench{t: t, engine: apitest.New(), now: time.Now().Truncate(time.Second), user: admin, pass: password,
		log: &requestLog{}}
	b.engine.Now = func() time.Time { return b.now }
	if nodes > 0 {
		if err := b.engine.Form("cluster.local", admin, password, nodes); err != nil {
			t.Fatal(err)
		}
	}
	b.handler = api.New(api.Options{
		Engine: b.engine, Now: func() time.Time { return b.now },
		OnRequest: b.log.add,
	})
	return b
}

// as makes a bench that speaks as another user.
func (b *bench) as(user, pass string) *bench {
	c := *b
	c.user, c.pass = user, pass
	return &c
}

// in makes a bench that reports to a subtest.
func (b *bench) in(t *testing.T) *bench {
	c := *b
	c.t = t
	return &c
}

type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

func (b *bench) do(method, path, body string, edit ...func(*http.Request)) reply {
	b.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if b.user != "" {
		req.SetBasicAuth(b.user, b.pass)
	}
	for _, e := range edit {
		e(req)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, req)
	return reply{b.t, w.Code, w.Header(), w.Body.Bytes()}
}

func (b *bench) get(path string) reply        { b.t.Helper(); return b.do("GET", path, "") }
func (b *bench) post(path, body string) reply { b.t.Helper(); return b.do("POST", path, body) }
func (b *bench) put(path, body string) reply  { b.t.Helper(); return b.do("PUT", path, body) }
func (b *bench) delete(path string) reply     { b.t.Helper(); return b.do("DELETE", path, "") }

// ok insists on 200 and returns the object.
func (r reply) ok() map[string]any {
	r.t.Helper()
	r.is(200, "")
	return r.object()
}

func (r reply) object() map[string]any {
	r.t.Helper()
	var o map[string]any
	if len(bytes.TrimSpace(r.body)) == 0 {
		return nil
	}
	if err := json.Unmarshal(r.body, &o); err != nil {
		r.t.Fatalf("body is no object: %s", r.body)
	}
	return o
}

func (r reply) list() []map[string]any {
	r.t.Helper()
	r.is(200, "")
	var l []map[string]any
	if err := json.Unmarshal(r.body, &l); err != nil {
		r.t.Fatalf("body is no list of objects: %s", r.body)
	}
	return l
}

// is insists on a status and, for refusals, an error code with a description.
func (r reply) is(status int, code string) {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("status %d, want %d; body %s", r.status, status, r.body)
	}
	if code == "" {
		return
	}
	o := r.object()
	if o["error_code"] != code {
		r.t.Fatalf("error_code %v, want %s; body %s", o["error_code"], code, r.body)
	}
	if text, _ := o["description"].(string); text == "" {
		r.t.Fatalf("no description in %s", r.body)
	}
}
