// Package bdb is the one place where a field of a database resource meets a setting of the admin API. Everything
// follows from the table in fields.go: the create body, the difference to an existing database and its update body,
// what cannot be changed, the sentences people read, and docs/mapping.md.
//
// The package is pure: it reads no clock, no client and no environment.
package bdb
