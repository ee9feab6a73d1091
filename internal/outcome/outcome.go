// Package outcome gives errors their meaning for the loop. A run ends in one of four ways: nil (done), Waiting, Rejected,
// or any other error (failed). This package alone turns that into requeue, conditions and words.
package outcome

import (
	"errors"
	"fmt"
	"strings"
	"time"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

// Waiting says that time or another object moves next. It is no failure: it does not back off.
type Waiting struct {
	// Reason is a CamelCase constant, shown in conditions and events.
	Reason string
	// Message is a sentence that says what is waited for.
	Message string
	// After is when to look again; zero means DefaultWait.
	After time.Duration
	// Since is when the wait began, if that is known.
	Since time.Time
}

// Error prints the message.
func (w *Waiting) Error() string { return w.Message }

// Overdue tells whether the wait has lasted longer than limit, which is worth a warning; the wait goes on.
func (w *Waiting) Overdue(now time.Time, limit time.Duration) bool {
	return !w.Since.IsZero() && now.Sub(w.Since) > limit
}

// Rejected says that a person must change something. Repeating the same thing is pointless.
type Rejected struct {
	// Reason is a CamelCase constant, shown in conditions and events.
	Reason string
	// Path is the field as the user typed it, such as spec.memorySize; empty if no field is to blame.
	Path string
	// Message is a sentence that says what is wrong and what would be right.
	Message string
}

// Error prints path and message.
func (r *Rejected) Error() string {
	if r.Path == "" || strings.Contains(r.Message, r.Path) {
		return r.Message
	}
	return r.Path + ": " + r.Message
}

// rejection is an error of a package below that already knows which field is to blame. It counts as a Rejected.
type rejection interface {
	error
	SpecPath() string
	ConditionReason() string
}

// Wait returns a Waiting.
func Wait(reason string, after time.Duration, format string, args ...any) *Waiting {
	return &Waiting{Reason: reason, After: after, Message: fmt.Sprintf(format, args...)}
}

// Reject returns a Rejected with the reason for an invalid spec.
func Reject(path, format string, args ...any) *Rejected {
	return &Rejected{Reason: v1.ReasonInvalidSpec, Path: path, Message: fmt.Sprintf(format, args...)}
}

// Missing returns a Rejected for a secret or resource that the field at path names and that is absent or incomplete.
func Missing(path, format string, args ...any) *Rejected {
	return &Rejected{Reason: v1.ReasonMissingReference, Path: path, Message: fmt.Sprintf(format, args...)}
}

// Refused returns a Rejected for a setting that the cluster did not accept.
func Refused(path, format string, args ...any) *Rejected {
	return &Rejected{Reason: v1.ReasonRejectedByCluster, Path: path, Message: fmt.Sprintf(format, args...)}
}

// Kind is which of the four outcomes an error is.
type Kind int

// The four outcomes, from the best to the one that most needs a person.
const (
	Done Kind = iota
	KindWaiting
	KindFailed
	KindRejected
)

// String returns the outcome as a word.
func (k Kind) String() string {
	return [...]string{"done", "waiting", "failed", "rejected"}[k]
}

// Verdict is what a run's error comes down to.
type Verdict struct {
	// Kind is the outcome. Among several joined errors it is the one that most needs a person.
	Kind Kind
	// Reason, Path and Message belong to the error shown.
	Reason, Path, Message string
	// Since is when a wait began, if known.
	Since time.Time
	// retry is true if any of the errors is a failure.
	retry bool
	// after is the shortest wait asked for; zero if none.
	after time.Duration
}

// Of reads an error, however it is wrapped or joined.
func Of(err error) Verdict {
	var v Verdict
	for _, leaf := range leaves(err) {
		v.add(leaf)
	}
	if v.Kind == KindFailed {
		// The wrapping says what was being done, which the leaf alone does not.
		v.Message = steady(err.Error())
	}
	return v
}

// leaves splits joined errors. An error that is, or directly wraps, one of our types counts as that.
func leaves(err error) []error {
	if err == nil {
		return nil
	}
	switch err.(type) { //nolint:errorlint // the tree is walked by hand, so that a join keeps all of its members
	case *Waiting, *Rejected, rejection:
		return []error{err}
	}
	switch u := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() []error }:
		var all []error
		for _, e := range u.Unwrap() {
			all = append(all, leaves(e)...)
		}
		if meaning(all) {
			return all
		}
	case interface{ Unwrap() error }:
		if inner := leaves(u.Unwrap()); meaning(inner) {
			return inner
		}
	}
	return []error{err}
}

// meaning tells whether one of our types is among the errors; if not, the outer error is the better text.
func meaning(list []error) bool {
	for _, e := range list {
		var w *Waiting
		var r *Rejected
		var below rejection
		if errors.As(e, &w) || errors.As(e, &r) || errors.As(e, &below) {
			return true
		}
	}
	return false
}

func (v *Verdict) add(leaf error) {
	var w *Waiting
	var r *Rejected
	var below rejection
	switch {
	case errors.As(leaf, &below):
		v.show(KindRejected, below.ConditionReason(), below.SpecPath(), below.Error(), time.Time{})
	case errors.As(leaf, &r):
		v.show(KindRejected, r.Reason, r.Path, r.Error(), time.Time{})
	case errors.As(leaf, &w):
		after := w.After
		if after <= 0 {
			after = DefaultWait
		}
		if v.after == 0 || after < v.after {
			v.after = after
		}
		v.show(KindWaiting, w.Reason, "", w.Message, w.Since)
	default:
		v.retry = true
		v.show(KindFailed, v1.ReasonReconcileFailed, "", steady(leaf.Error()), time.Time{})
	}
}

// show keeps the first error of the kind that most needs a person.
func (v *Verdict) show(k Kind, reason, path, message string, since time.Time) {
	if k <= v.Kind {
		return
	}
	v.Kind, v.Reason, v.Path, v.Message, v.Since = k, reason, path, message, since
}

// Describe returns the outcome in one line, for logs.
func Describe(err error) string {
	v := Of(err)
	if v.Kind == Done {
		return v.Kind.String()
	}
	return v.Kind.String() + " (" + v.Reason + "): " + v.Message
}
