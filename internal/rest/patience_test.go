package rest

import (
	"errors"
	"testing"
	"time"
)

func TestREC62_Patience(t *testing.T) {
	var p Patience
	old, changed := Credentials{"u", "old"}, Credentials{"u", "new"}
	now := time.Unix(1000, 0)
	unauthorized := &Error{Status: 401}
	resting := func(c Credentials, after time.Duration) bool { _, r := p.Resting(c, now.Add(after)); return r }

	if resting(old, 0) {
		t.Error("rests before anything was refused")
	}
	p.Note(old, unauthorized, now)
	if !resting(old, time.Second) || resting(old, 3*time.Second) {
		t.Error("the first refusal is doubted after two seconds")
	}
	p.Note(old, unauthorized, now)
	if !resting(old, 5*time.Minute) || resting(old, 7*time.Minute) {
		t.Error("further refusals do not rest long enough not to lock the account")
	}
	if resting(changed, time.Second) {
		t.Error("changed credentials are not tried at once")
	}
	p.Note(old, errors.New("connection refused"), now)
	if !resting(old, time.Second) {
		t.Error("a call that was not answered says nothing about the credentials")
	}
	p.Note(old, nil, now)
	if resting(old, 0) {
		t.Error("accepted credentials do not rest")
	}
}
