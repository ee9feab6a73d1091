package store

import (
	"testing"
	"time"
)

// memberOfThree makes the store of node 1 of three without any process, as it was when it last ran.
func memberOfThree(lastWord time.Time) *Store {
	tx := &Tx{}
	for _, m := range []Member{{UID: 1, Voter: true}, {UID: 2, Voter: true}, {UID: 3, Voter: true}} {
		tx.Put(KindMember, string(rune('0'+m.UID)), m)
	}
	e, err := tx.entry(1)
	if err != nil {
		panic(err)
	}
	s := &Store{opts: Options{FailureTimeout: 2 * time.Second}, ballot: ballot{Identity: Identity{UID: 1}}, loaded: (&Snapshot{}).with(e),
		heard: lastWord, heardTruly: lastWord, peers: map[int64]*peer{}}
	for _, uid := range []int64{2, 3} {
		s.peers[uid] = &peer{uid: uid, answered: lastWord, answeredTruly: lastWord}
	}
	s.patience = s.drawPatience()
	return s
}

func TestWhoDidNotRunBlamesNobody(t *testing.T) {
	now := time.Now()
	s := memberOfThree(now.Add(-4 * time.Second))
	s.role, s.ready = leader, true
	if s.holdsLease() {
		t.Fatal("after four seconds of silence a master still held its lease")
	}
	s.excuse(now)
	if !s.holdsLease() || now.Sub(s.heard) > s.patience {
		t.Error("the others got no time to be heard after this node had not run")
	}
	if s.Linked() {
		t.Error("an excuse counts as word from the others")
	}
	if late := now.Add(2*s.heartbeat() + time.Millisecond); late.Sub(s.peers[2].answered) < s.lease() || late.Sub(s.heard) < s.patience {
		t.Error("the others got more than two heartbeats")
	}
}

func TestWhoIsAlwaysLateSeesLossesToo(t *testing.T) {
	now := time.Now()
	s := memberOfThree(now.Add(-6 * time.Second))
	s.role = leader
	s.excuse(now)
	if s.holdsLease() || now.Sub(s.heard) < s.patience {
		t.Error("after three failure timeouts of silence there is no excuse")
	}
}

func TestPeekIsSharedAndGetIsNot(t *testing.T) {
	tx := &Tx{}
	tx.Put("thing", "1", map[string]any{"list": []any{"a"}, "deep": map[string]any{"n": 1}})
	e, err := tx.entry(1)
	if err != nil {
		t.Fatal(err)
	}
	first := (&Snapshot{}).with(e)
	mine, ok, err := Get[map[string]any](first, "thing", "1")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	mine["list"].([]any)[0], mine["deep"].(map[string]any)["n"], mine["new"] = "b", 2, true
	other := &Tx{base: first}
	other.Put("other", "1", map[string]any{})
	if e, err = other.entry(1); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]Reader{"snapshot": first, "next": first.with(e), "change": other} {
		seen, ok, err := Peek(r, "thing", "1")
		if err != nil || !ok || seen["list"].([]any)[0] != "a" || seen["deep"].(map[string]any)["n"] != float64(1) || seen["new"] != nil {
			t.Errorf("%s: %v %v %v", name, seen, ok, err)
		}
	}
	other.Put("thing", "1", map[string]any{"list": []any{"c"}})
	if seen, _, _ := Peek(other, "thing", "1"); seen["list"].([]any)[0] != "c" {
		t.Errorf("a change does not see its own write: %v", seen)
	}
	other.Delete("thing", "1")
	if seen, ok, err := Peek(other, "thing", "1"); ok || seen != nil || err != nil {
		t.Errorf("a change sees what it deleted: %v %v", seen, err)
	}
}
