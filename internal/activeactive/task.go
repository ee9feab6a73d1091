package activeactive

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Record is what is written down of a task, before it is asked for: whoever goes on asks for the same task again, by the
// same id, and no answer that got lost makes a second one (AA-20).
type Record struct {
	// Serial counts the tasks of the resource; the id follows from it.
	Serial int `json:"serial,omitempty"`
	// Operation says what the task does, and Wish is a digest of all that was asked for.
	Operation operation `json:"operation,omitempty"`
	Wish      string    `json:"wish,omitempty"`
	// Prints are fingerprints of the secrets that the task passes on, by purpose: the others know these once it has succeeded.
	Prints map[string]string `json:"prints,omitempty"`
	// Done tells that the task is over, for better or, with a message, for worse.
	Done    bool   `json:"done,omitempty"`
	Message string `json:"message,omitempty"`
	// Path is the field to blame when the cluster refused the request itself, so that there was no task.
	Path string `json:"path,omitempty"`
	// Passing tells that the failure may go away by itself; Failures counts those of the same wish in a row, and Ended is
	// when the last one was seen.
	Passing  bool      `json:"passing,omitempty"`
	Failures int       `json:"failures,omitempty"`
	Ended    time.Time `json:"ended,omitzero"`
}

// operation is a kind of task.
type operation string

const (
	opCreate  operation = "create"
	opUpdate  operation = "update"
	opAdd     operation = "add"
	opRemove  operation = "remove"
	opRenew   operation = "renew-certificates"
	opUpgrade operation = "upgrade"
	opDelete  operation = "delete"
	opDetach  operation = "detach"
	opPurge   operation = "purge"
)

// ID is the identifier of the task of a resource, in the form of a UUID.
func (r Record) ID(owner string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", owner, r.Serial))
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Under tells whether a task may be under way.
func (r Record) Under() bool { return r.Serial > 0 && !r.Done }

// failed tells whether the last task failed.
func (r Record) failed() bool { return r.Done && r.Message != "" }

// next is the record of a task for a wish. One that was never answered is asked for again under its own id.
func (r Record) next(op operation, wish string) Record {
	same := r.Operation == op && r.Wish == wish
	if same && r.Under() {
		return r
	}
	fresh := Record{Serial: r.Serial + 1, Operation: op, Wish: wish}
	if same && r.failed() {
		fresh.Failures = r.Failures
	}
	return fresh
}

// Pauses after a failure that may pass, doubling, and after one that will not go away by itself.
const (
	firstPause = 2 * time.Second
	longPause  = time.Minute
	lastingGap = 5 * time.Minute
)

// rest is how long to wait before the same is asked for again.
func (r Record) rest(now time.Time) time.Duration {
	pause := lastingGap
	if r.Passing {
		pause = min(longPause, firstPause<<min(r.Failures, 10))
	}
	return r.Ended.Add(pause).Sub(now)
}

// over is the record after the end of the task.
func (r Record) over(task *rest.CRDBTask, now time.Time) Record {
	r.Done = true
	if task == nil || task.Phase() != rest.Failed {
		return Record{Serial: r.Serial, Done: true, Operation: r.Operation}
	}
	r.Message = task.Message()
	if r.Message == "" {
		r.Message = "the task failed without saying why"
	}
	r.Passing, r.Failures, r.Ended = passing(task), r.Failures+1, now.UTC().Truncate(time.Second)
	return r
}

// refused is the record of a request that made no task.
func (r Record) refused(why *outcome.Rejected, now time.Time) Record {
	r.Done, r.Message, r.Path = true, why.Message, why.Path
	r.Passing, r.Failures, r.Ended = false, r.Failures+1, now.UTC().Truncate(time.Second)
	return r
}

// passingCodes are those of failures that go away without anybody changing the request.
var passingCodes = map[string]bool{"connect_error": true, "config_edit_conflict": true, "db_busy": true, "busy": true, "db_create_timeout": true, "": true}

func passing(task *rest.CRDBTask) bool {
	for _, e := range task.Errors {
		if !passingCodes[e.Code] {
			return false
		}
	}
	return true
}

func (r Record) text() string {
	raw, err := json.Marshal(r)
	if err != nil { // plain values cannot fail
		return ""
	}
	return string(raw)
}

// digest makes a wish out of what is asked for; what it is given must hold no secret that could be guessed.
func digest(parts ...any) string {
	raw, err := json.Marshal(parts)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}
