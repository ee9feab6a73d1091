package proxy

import (
	"net"
	"sync/atomic"
	"time"
)

// counters are the live form of Stats.
type counters struct {
	clients, channels, patterns               atomic.Int64
	accepted, disconnected, proxyDisconnected atomic.Uint64
	refused, authOK, authFailed               atomic.Uint64
	ingress, egress                           atomic.Uint64
	longestPipeline, dispatchFailures         atomic.Uint64
	lastRequest, lastResponse                 atomic.Int64
	ops                                       [3]opCounters // by class
}

type opCounters struct {
	requests, responses atomic.Uint64
	buckets             [len(LatencyBounds) + 1]atomic.Uint64
	sum                 atomic.Int64
}

func (c *counters) requested(class class, now time.Time) {
	c.ops[class].requests.Add(1)
	c.lastRequest.Store(now.UnixNano())
}

func (c *counters) responded(class class, took time.Duration) {
	o := &c.ops[class]
	o.responses.Add(1)
	o.sum.Add(int64(took))
	i := 0
	for i < len(LatencyBounds) && took > LatencyBounds[i] {
		i++
	}
	o.buckets[i].Add(1)
	c.lastResponse.Store(time.Now().UnixNano())
}

func (c *counters) pipelined(n uint64) {
	for {
		old := c.longestPipeline.Load()
		if n <= old || c.longestPipeline.CompareAndSwap(old, n) {
			return
		}
	}
}

func (o *opCounters) snapshot() OpStats {
	s := OpStats{Requests: o.requests.Load(), Responses: o.responses.Load(), Sum: time.Duration(o.sum.Load())}
	for i := range o.buckets {
		s.Buckets[i] = o.buckets[i].Load()
	}
	return s
}

// Stats returns the counters.
func (e *Endpoint) Stats() Stats {
	c := &e.stats
	return Stats{
		Clients: c.clients.Load(), Accepted: c.accepted.Load(), Disconnected: c.disconnected.Load(),
		ProxyDisconnected: c.proxyDisconnected.Load(), Refused: c.refused.Load(),
		AuthOK: c.authOK.Load(), AuthFailed: c.authFailed.Load(),
		IngressBytes: c.ingress.Load(), EgressBytes: c.egress.Load(),
		Reads: c.ops[read].snapshot(), Writes: c.ops[write].snapshot(), Others: c.ops[other].snapshot(),
		LongestPipeline: c.longestPipeline.Load(), DispatchFailures: c.dispatchFailures.Load(),
		PubSubChannels: c.channels.Load(), PubSubPatterns: c.patterns.Load(),
		LastRequest: moment(c.lastRequest.Load()), LastResponse: moment(c.lastResponse.Load()),
	}
}

func moment(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos)
}

// countedConn counts what goes over the wire.
type countedConn struct {
	net.Conn
	stats *counters
}

// Read counts what the client sent.
func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.stats.ingress.Add(uint64(n))
	}
	return n, err
}

// Write counts what the client is sent.
func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if n > 0 {
		c.stats.egress.Add(uint64(n))
	}
	return n, err
}
