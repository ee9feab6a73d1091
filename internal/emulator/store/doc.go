// Package store is the cluster configuration store of an emulated cluster: JSON objects under a kind and an id, kept in
// one redis-server per node, replicated from the master node to all others.
//
// A change is acknowledged once a majority of the voting nodes has it in its own append-only file. Masters are elected:
// each election has a term, each node votes once per term and never for a candidate that has less than itself, and a
// master that cannot reach a majority steps down before anybody else can be elected. The position of a node is the term
// and revision written inside its data set, so it survives restarts together with the data.
//
// Everything between nodes (heartbeats, votes and the redis replication stream itself, which runs through a tunnel) uses
// one TLS port on which both sides must hold the cluster's internal certificate.
package store

import "errors"

var (
	// ErrNotLeader says that only the master node takes changes.
	ErrNotLeader = errors.New("store: this node is not the master of the configuration")
	// ErrNoQuorum says that a majority could not be reached; the change may or may not survive.
	ErrNoQuorum = errors.New("store: no majority of the nodes is reachable")
	// ErrNoCluster says that the directory holds no membership.
	ErrNoCluster = errors.New("store: not in a cluster")
	// ErrClosed says that the store has been closed.
	ErrClosed = errors.New("store: closed")
)
