package proxy

import (
	"context"
	"errors"
	"net"
)

// Endpoint is one listener. All methods may be called at any time from any goroutine.
type Endpoint struct {
	listener net.Listener
}

// Listen opens an endpoint at host:port (port 0 picks one).
func Listen(addr string, c Config, o Options) (*Endpoint, error) {
	return nil, errors.New("proxy: not built yet")
}

// Addr is where the endpoint listens.
func (e *Endpoint) Addr() net.Addr { return e.listener.Addr() }

// Update replaces the configuration. When it returns, nothing is served from a backend that the new one does not name:
// connections to it are cut, and so are clients with a command in flight on it.
func (e *Endpoint) Update(c Config) error { return nil }

// Hold makes new commands wait and returns once every command that was in flight has been answered, so that a master can
// be switched without any client noticing: Hold, make the replica catch up and promote it, Update, release. When the
// context ends first, Hold releases by itself and returns its error. Release may be called more than once. Commands wait
// for at most Options.Patience.
func (e *Endpoint) Hold(ctx context.Context) (release func(), err error) {
	return func() {}, nil
}

// Drain stops accepting connections and waits until the clients have gone or the context ends; those that are left are
// cut between two commands.
func (e *Endpoint) Drain(ctx context.Context) error { return nil }

// Close cuts everything and frees the address. It returns when nothing of the endpoint runs any more.
func (e *Endpoint) Close() error { return nil }

// Stats returns the counters.
func (e *Endpoint) Stats() Stats { return Stats{} }
