package api_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

var parameter = regexp.MustCompile(`\{[a-z_]+\}`)

// nastyBodies are what a client might send by mistake: no object, and every field of every type in the wrong type.
func nastyBodies() []string {
	bodies := []string{"", "{}", "[]", "null", "1", `"x"`, "{", `{"x":1}`, `{"":null}`, "\x00", strings.Repeat("[", 10000)}
	fields := map[string]bool{"bdb": true, "license": true, "modules": true, "certificates": true, "cert": true,
		"private_key": true, "operation_type": true, "services": true, "algorithm": true}
	for _, name := range schema.Names() {
		for _, f := range schema.FieldNames(name) {
			fields[f] = true
		}
	}
	names := make([]string, 0, len(fields))
	for f := range fields {
		names = append(names, f)
	}
	sort.Strings(names)
	for _, value := range []any{nil, -1, 1.5, 1e300, "x", true, []any{}, []any{nil}, []any{1, "a", map[string]any{}}, map[string]any{"x": 1}} {
		all := map[string]any{}
		for i, f := range names {
			all[f] = value
			if i%301 == 0 {
				one, _ := json.Marshal(map[string]any{f: value})
				bodies = append(bodies, string(one))
			}
		}
		data, _ := json.Marshal(all)
		bodies = append(bodies, string(data))
	}
	return bodies
}

// TestNoRequestBreaksTheServer sends mistakes to every route: the answer is never an internal error, and always JSON.
func TestNoRequestBreaksTheServer(t *testing.T) {
	bodies := nastyBodies()
	for _, p := range api.Patterns() {
		t.Run(p[0]+" "+p[1], func(t *testing.T) {
			b := newBench(t, 2).in(t)
			b.post("/v1/bdbs", `{"name":"db","memory_size":1,"replication":true}`).is(200, "")
			for _, param := range []string{"1", "nonsense", "-1", "99999999999999999999"} {
				path := parameter.ReplaceAllString(p[1], param)
				for i, body := range bodies {
					if i > 0 && (p[0] == "GET" || param != "1") {
						break
					}
					r := b.do(p[0], path, body)
					if r.status >= 500 && r.status != 501 {
						t.Fatalf("%s %s with %.200s: %d %s", p[0], path, body, r.status, r.body)
					}
					if r.status >= 400 && r.status != 401 && !json.Valid(r.body) {
						t.Fatalf("%s %s: %d is no JSON: %s", p[0], path, r.status, r.body)
					}
				}
			}
		})
	}
}

func TestOneOfManyCreatesWins(t *testing.T) {
	b := newBench(t, 1)
	statuses := make([]int, 8)
	var wg sync.WaitGroup
	for i := range statuses {
		wg.Go(func() {
			statuses[i] = b.do("POST", "/v1/bdbs", fmt.Sprintf(`{"uid":7,"name":"db%d","memory_size":1}`, i)).status
		})
	}
	wg.Wait()
	count := map[int]int{}
	for _, s := range statuses {
		count[s]++
	}
	if count[200] != 1 || count[409] != 7 {
		t.Errorf("answers %v", statuses)
	}
}
