// Package trace makes spans of what the operator does: one per reconcile, below it one per phase and one per exchange
// with the admin API. Without an OTLP endpoint nothing of it exists: no provider, no exporter, no span, and the functions
// here return what they were given.
//
// A span carries kinds, names, outcomes and path templates. It never carries a body, a header, a query, the text of an
// error or anything read from a Secret.
package trace
