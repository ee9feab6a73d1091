package bdb

import (
	"fmt"
	"strings"
)

// Mapping prints the table as the page docs/mapping.md.
func Mapping() string {
	var b strings.Builder
	b.WriteString(`# How database fields reach the cluster

Generated from the table in ` + "`internal/bdb/fields.go`" + ` by ` + "`go run ./hack/mappingdoc`" + `; do not edit.

A field of a RedisEnterpriseDatabase becomes one or more settings of the ` + "`bdb`" + ` object of the admin API. Settings
that differ are put right, others are left alone.

| Field | Setting | Changes later | Notes |
|---|---|---|---|
| ` + "`metadata.name`" + ` | ` + "`name`" + ` | no | |
`)
	for _, f := range fields {
		fmt.Fprintf(&b, "| `spec.%s` | `%s` | %s | %s |\n", f.path, f.wire, f.changes(), strings.Join(f.notes(), "; "))
	}
	b.WriteString("\n## Fields with another way\n\n| Field | Why |\n|---|---|\n")
	for _, f := range notSent {
		fmt.Fprintf(&b, "| `spec.%s` | %s |\n", f.path, f.reason)
	}
	b.WriteString(`
## Fields not acted on yet

The resource accepts these fields, the operator does nothing with them in this version and says so in a warning event
(FieldNotActedOn).

| Field | What it is for |
|---|---|
`)
	for _, f := range notYet {
		fmt.Fprintf(&b, "| `spec.%s` | %s |\n", f.path, f.reason)
	}
	return b.String()
}

func (f field) changes() string {
	if f.via != "" {
		return "by `" + f.via + "`"
	}
	return f.how.String()
}

func (f field) notes() []string {
	var notes []string
	if f.note != "" {
		notes = append(notes, f.note)
	}
	if f.secret {
		notes = append(notes, "secret: never printed")
	}
	if f.remembered {
		notes = append(notes, "goes back to its default only if it was set before (status.managedFields)")
	}
	return notes
}
