package emulator_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// figure is the value of the first line that begins with the metric and has the labels; -1 without one.
func figure(text, name string, labels ...string) float64 {
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		has := strings.HasPrefix(line, name+"{")
		for _, label := range labels {
			has = has && strings.Contains(line, label)
		}
		if !has {
			continue
		}
		if value, err := strconv.ParseFloat(line[strings.LastIndex(line, " ")+1:], 64); err == nil {
			return value
		}
	}
	return -1
}

// TestMetricsTellOfActiveActiveLinks: what a link has done is counted while it is up, and told to be behind while it is cut.
func TestMetricsTellOfActiveActiveLinks(t *testing.T) {
	w := newWorlds(t, 1, 1)
	l, n := w.at(0)
	body := w.body(0, 1)
	doors := w.doors(body)
	guid := w.finished(0, l.need(n, http.MethodPost, "/v1/crdbs", body))
	ctx := t.Context()
	db := w.client(0)
	const keys, length = 20, 1000
	for i := range keys {
		must(t, db.Set(ctx, fmt.Sprint("key-", i), strings.Repeat("x", length), 0).Err())
	}
	far, node := w.at(1)
	of := func(name string) float64 {
		return figure(far.metrics(node), "database_syncer_"+name, `syncer_type="crdt"`, `replica_id="1"`)
	}
	// A batch holds the last change of each key, so all of them have to go over at least once.
	l.await("everything is counted", func() bool { return of("total_responses") >= keys && of("dst_repl_offset") == of("src_repl_offset") })
	for name, least := range map[string]float64{
		"total_requests": keys, "ingress_bytes": 1, "ingress_bytes_decompressed": keys * 30, "dst_lag": 0, "lag_ms": 0,
		"src_connectivity_state_ms": 0, "dst_connectivity_state_ms": 0, "rdb_size": 0, "rdb_transferred": 0,
	} {
		if got := of(name); got < least {
			t.Errorf("%s is %v, want %v at least", name, got, least)
		}
	}
	is := func(status, source, target float64) func() bool {
		return func() bool {
			return of("current_status") == status && of("src_connectivity_state") == source && of("dst_connectivity_state") == target
		}
	}
	l.await("the link is told to be up", is(0, 1, 1))
	doors[0].cut(true)
	l.await("the link is told to be down", is(1, 0, 1))
	before := of("lag_ms")
	l.await("it falls behind", func() bool { return of("lag_ms") > before })
	doors[0].cut(false)
	l.await("the link is told to be up again", is(0, 1, 1))
	if !w.inSync(guid, 1) {
		t.Error("the API says otherwise")
	}
}
