package rest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Error is an answer of the API that is not a success.
type Error struct {
	// Status is the HTTP status.
	Status int
	// Code is the API's error_code, or empty when the answer carried none.
	Code string
	// Message is the API's own sentence, possibly empty.
	Message string
	// Method and Path are those of the request.
	Method, Path string
	// Address is the node that answered.
	Address string
}

// Error prints request, status, code and message; never a body.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %d", e.Method, e.Path, e.Status)
	if e.Code != "" {
		b.WriteString(" " + e.Code)
	} else if text := http.StatusText(e.Status); text != "" {
		b.WriteString(" " + text)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	return b.String()
}

// TransportError says that no complete answer came.
type TransportError struct {
	// Method and Path are those of the request.
	Method, Path string
	// Address is the node that was asked; empty when there was none to ask.
	Address string
	// NeverSent is true when it is certain that no server saw the request. False means: it may have been applied.
	NeverSent bool
	// Err is the cause.
	Err error
}

// Error prints request, node and cause.
func (e *TransportError) Error() string {
	if e.Address == "" {
		return fmt.Sprintf("%s %s: %v", e.Method, e.Path, e.Err)
	}
	return fmt.Sprintf("%s %s at %s: %v", e.Method, e.Path, e.Address, e.Err)
}

// Unwrap returns the cause.
func (e *TransportError) Unwrap() error { return e.Err }

// ErrNoAddress is the cause when there is no node to talk to.
var ErrNoAddress = errors.New("no node address is known")

// ErrUnreadable is the cause when a success came with a body that is not the JSON expected.
var ErrUnreadable = errors.New("unreadable answer")

// As returns the API error inside err.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// Code returns the error_code inside err, or the empty text.
func Code(err error) string {
	if e, ok := As(err); ok {
		return e.Code
	}
	return ""
}

func status(err error) int {
	if e, ok := As(err); ok {
		return e.Status
	}
	return 0
}

// existsCodes mark something that is already there, whatever the status: it differs between versions.
var existsCodes = map[string]bool{"uid_exists": true, "email_already_exists": true, "name_already_exists": true}

// busyCodes mark an object that works on an earlier request.
var busyCodes = map[string]bool{"db_busy": true, "busy": true, "config_edit_conflict": true}

// absentCodes mark something that is not there, whatever the status.
var absentCodes = map[string]bool{"db_not_exist": true, "db_not_found": true, "node_not_found": true, "user_not_exist": true,
	"shard_not_exist": true, "role_not_exist": true, "redis_acl_not_exist": true}

// IsNotFound tells whether the object, action or path does not exist.
func IsNotFound(err error) bool {
	e, ok := As(err)
	return ok && (e.Status == http.StatusNotFound || absentCodes[e.Code] && e.Status != http.StatusBadRequest)
}

// IsExists tells whether the object to be created is already there.
func IsExists(err error) bool { return existsCodes[Code(err)] }

// IsBusy tells whether the object still works on an earlier request, so that the same request may succeed later.
func IsBusy(err error) bool {
	e, ok := As(err)
	return ok && !existsCodes[e.Code] && (e.Status == http.StatusConflict || busyCodes[e.Code])
}

// IsUnauthorized tells whether the credentials were not accepted. Repeating the call may lock the account.
func IsUnauthorized(err error) bool { return status(err) == http.StatusUnauthorized }

// IsForbidden tells whether the account, the licence or a cluster setting forbids the call.
func IsForbidden(err error) bool { return status(err) == http.StatusForbidden }

// IsRefused tells whether the request was understood and is not acceptable as it is (400 or 406), so that repeating
// it unchanged is pointless.
func IsRefused(err error) bool {
	e, ok := As(err)
	return ok && (e.Status == http.StatusBadRequest || e.Status == http.StatusNotAcceptable) &&
		!busyCodes[e.Code] && !existsCodes[e.Code]
}

// IsUnavailable tells whether the node answered but cannot serve now: no leader, no quorum, not in a cluster, mixed
// versions, or a front without its back.
func IsUnavailable(err error) bool {
	switch status(err) {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusNotImplemented:
		return true
	}
	return false
}

// IsTransport tells whether no complete answer came.
func IsTransport(err error) bool {
	var t *TransportError
	return errors.As(err, &t)
}

// NeverSent tells whether it is certain that no server saw the request.
func NeverSent(err error) bool {
	var t *TransportError
	return errors.As(err, &t) && t.NeverSent
}

// MaybeApplied tells whether a write may have taken effect although it ended in err: the answer was lost, or the
// server gave up half-way. The caller reads and compares before it repeats the write.
func MaybeApplied(err error) bool {
	var t *TransportError
	if errors.As(err, &t) {
		return !t.NeverSent
	}
	return status(err) >= http.StatusInternalServerError
}
