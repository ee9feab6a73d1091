package bdb

import (
	"fmt"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Change is one setting that is not as it should be.
type Change struct {
	// Path is the field as the user types it, with spec in front.
	Path string
	// Setting is the key of the bdb object.
	Setting string
	// From and To are the present and the wanted value, printed; secrets are hidden.
	From, To string
}

// String prints the change for logs, events and the dry run.
func (c Change) String() string {
	return fmt.Sprintf("%s (%s): %s → %s", c.Path, c.Setting, c.From, c.To)
}

// Print prints changes in one line.
func Print(changes []Change) string {
	parts := make([]string, 0, len(changes))
	for _, c := range changes {
		parts = append(parts, c.String())
	}
	return strings.Join(parts, "; ")
}

// Diff compares what a database should be with what it is. The body holds the settings that differ and nothing else;
// it is nil when there is nothing to do. Settings that cannot change are not in it: see Refusals.
func Diff(in Inputs, have *rest.BDB) (body *rest.BDB, changes []Change, err error) {
	return DiffPart(in, have, Except())
}

func (f field) change(d difference) Change {
	c := Change{Path: "spec." + f.path, Setting: f.wire, From: d.from, To: d.to}
	if f.secret {
		c.From, c.To = "***", "*** (changed)"
	}
	return c
}
