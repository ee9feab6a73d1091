package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakePrometheus answers every query with two series that rise, except those about syncers, which it does not know.
type fakePrometheus struct {
	mu      sync.Mutex
	queries []string
	fail    string
}

func (f *fakePrometheus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.FormValue("query")
	f.mu.Lock()
	f.queries = append(f.queries, query)
	f.mu.Unlock()
	start, _ := strconv.ParseFloat(r.FormValue("start"), 64)
	end, _ := strconv.ParseFloat(r.FormValue("end"), 64)
	step, _ := strconv.ParseFloat(r.FormValue("step"), 64)
	type result struct {
		Metric map[string]string `json:"metric"`
		Values [][2]any          `json:"values"`
	}
	results := []result{}
	if !strings.Contains(query, "database_syncer") {
		for n := range 2 {
			one := result{Metric: map[string]string{"node": strconv.Itoa(n + 1), "db_name": "<orders> & more", "file": "api"}}
			for i, at := 0, start; at <= end+step/2; i, at = i+1, at+step {
				if i == 3 {
					continue // a gap
				}
				one.Values = append(one.Values, [2]any{at, strconv.Itoa((n + 1) * i)})
			}
			results = append(results, one)
		}
	}
	answer := map[string]any{"status": "success", "data": map[string]any{"resultType": "matrix", "result": results}}
	if f.fail != "" && strings.Contains(query, f.fail) {
		answer = map[string]any{"status": "error", "error": "no such thing"}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func renderAll(t *testing.T, f *fakePrometheus) (string, error) {
	t.Helper()
	server := httptest.NewServer(f)
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()
	out := t.TempDir()
	end := time.Date(2026, 1, 2, 3, 40, 0, 0, time.UTC)
	return out, drawing{url: server.URL, out: out, window: window{length: 10 * time.Minute, end: end}}.run(t.Context())
}

func TestRender(t *testing.T) {
	f := &fakePrometheus{}
	out, err := renderAll(t, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range All() {
		raw, err := os.ReadFile(filepath.Join(out, d.Name+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		decoder := xml.NewDecoder(strings.NewReader(text))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s is no XML: %v", d.Name, err)
			}
		}
		for _, row := range d.Rows {
			for _, p := range row.Panels {
				if !strings.Contains(text, ">"+strings.ReplaceAll(p.Title, "'", "&#39;")+"<") {
					t.Errorf("%s lacks the panel %q", d.Name, p.Title)
				}
			}
		}
		if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
			t.Errorf("%s has a place that is no number", d.Name)
		}
		empty := strings.Count(text, ">No data<")
		if d.Name == "active-active" != (empty > 5) {
			t.Errorf("%s: %d panels without data", d.Name, empty)
		}
		if d.Name == "database" && !strings.Contains(text, "&lt;orders&gt; &amp; more") {
			t.Error("names of series are not escaped")
		}
	}
	for _, query := range f.queries {
		if variableUse.MatchString(query) {
			t.Errorf("a variable was not filled in: %s", query)
		}
	}
}

func TestRenderTellsWhatPrometheusRefuses(t *testing.T) {
	if _, err := renderAll(t, &fakePrometheus{fail: "has_quorum"}); err == nil || !strings.Contains(err.Error(), "no such thing") || !strings.Contains(err.Error(), "Quorum") {
		t.Errorf("%v", err)
	}
}

func TestWritten(t *testing.T) {
	for _, c := range []struct {
		v    float64
		unit string
		want string
	}{
		{0, unitBytes, "0"}, {1536, unitBytes, "1.50 KiB"}, {3 << 30, unitBytesPS, "3 GiB/s"}, {0.25, unitPart, "25 %"}, {1, unitBool, "Yes"}, {0, unitBool, "No"},
		{1500, unitMicros, "1.50 ms"}, {12, unitMillis, "12 ms"}, {90 * 86400, unitSeconds, "90 days"}, {3, unitDays, "3 days"}, {12345, unitOps, "12.3 K/s"}, {7, unitNone, "7"},
	} {
		if got := written(c.v, c.unit); got != c.want {
			t.Errorf("%v %s is %q, want %q", c.v, c.unit, got, c.want)
		}
	}
}

func TestAxis(t *testing.T) {
	for _, c := range []struct {
		values []float64
		unit   string
		most   float64
		tick   float64
	}{
		{[]float64{0, 7}, unitNone, 8, 2}, {[]float64{math.NaN(), 95}, unitNone, 100, 50}, {[]float64{0, 0}, unitNone, 1, 0.5}, {[]float64{1 << 30, 4 << 30}, unitBytes, 4 << 30, 1 << 30},
	} {
		p := lines("x", c.unit, "x")
		least, most, tick := extent(&p, []series{{Values: c.values}})
		if least != 0 || most != c.most || tick != c.tick {
			t.Errorf("%v: %v to %v by %v, want 0 to %v by %v", c.values, least, most, tick, c.most, c.tick)
		}
	}
}

func TestStackedLinesLieOnEachOther(t *testing.T) {
	got := stack([]series{{Values: []float64{1, 2}}, {Values: []float64{3, math.NaN()}}, {Values: []float64{5, 5}}})
	if fmt.Sprint(got[2].Values) != "[9 7]" || got[1].Values[0] != 4 {
		t.Errorf("%v", got)
	}
	if f := below(got, 2, 0); fmt.Sprint(f) != "[4 2]" {
		t.Errorf("below: %v", f)
	}
}
