// Package rest is a typed client of the Redis Enterprise admin API (port 9443).
//
// It knows nothing of Kubernetes and imports the standard library only. A Client speaks to a set of node addresses:
// it keeps to the one that worked, follows the leader when a node redirects, and moves on when a node does not answer.
// It states facts (errors.go); what a fact means for a cluster or a database is the caller's business.
//
// Reads may be repeated on another node. A write is repeated only when it is certain that nobody received it.
package rest
