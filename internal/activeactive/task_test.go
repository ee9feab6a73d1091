package activeactive

import (
	"regexp"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

func TestAA20_TheSameWishIsTheSameTask(t *testing.T) {
	first := Record{}.next(opUpdate, "wish")
	if first.Serial != 1 || !first.Under() {
		t.Fatalf("%+v", first)
	}
	if again := first.next(opUpdate, "wish"); again.ID("uid") != first.ID("uid") {
		t.Error("AA-20 a task whose answer was lost got another id")
	}
	if other := first.next(opUpdate, "another"); other.ID("uid") == first.ID("uid") {
		t.Error("another wish got the same id")
	}
	if first.ID("uid") == first.ID("other") {
		t.Error("two resources share an id")
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(first.ID("uid")) {
		t.Errorf("%s is no UUID", first.ID("uid"))
	}
	over := first.over(&rest.CRDBTask{Status: "finished"}, time.Now())
	if over.Under() || over.failed() || over.next(opUpdate, "wish").ID("uid") == first.ID("uid") {
		t.Errorf("a task that is over is not asked for again under its id: %+v", over)
	}
}

func TestAA20_FailuresAreRepeatedMoreAndMoreSeldom(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	failed := &rest.CRDBTask{Status: "failed", Errors: []rest.CRDBTaskError{{Cluster: "far", Code: "connect_error", Description: "no route"}}}
	r := Record{}.next(opAdd, "wish").over(failed, now)
	if !r.failed() || !r.Passing || r.Message != "far: no route" || r.Failures != 1 || r.rest(now) != 4*time.Second {
		t.Fatalf("%+v, rests %s", r, r.rest(now))
	}
	for range 20 {
		r = r.next(opAdd, "wish").over(failed, now)
	}
	if r.rest(now) != longPause {
		t.Errorf("rests %s", r.rest(now))
	}
	lasting := Record{}.next(opAdd, "wish").over(&rest.CRDBTask{Status: "failed", Errors: []rest.CRDBTaskError{{Code: "db_create_failed"}}}, now)
	if lasting.Passing || lasting.rest(now) != lastingGap || lasting.Message == "" {
		t.Errorf("%+v", lasting)
	}
	if r.next(opAdd, "another").Failures != 0 {
		t.Error("another wish inherits failures")
	}
}
