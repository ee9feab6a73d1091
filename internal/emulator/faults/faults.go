// Package faults spoils requests on demand, so that tests can meet an unreliable server.
package faults

// Kind is a way to misbehave.
type Kind string

// The ways to misbehave.
const (
	Latency   Kind = "latency"    // wait Rule.Delay, then serve
	Status    Kind = "status"     // answer Rule.Status with Rule.Body, do nothing
	Reset     Kind = "reset"      // drop the connection, do nothing
	LostReply Kind = "lost_reply" // serve, then drop the connection instead of answering
	Hang      Kind = "hang"       // never answer
)

// Set holds the rules of one node or one cluster. The zero value spoils nothing.
type Set struct{}
