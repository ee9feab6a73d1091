package store

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Paths on the port between nodes.
const (
	pathHeartbeat = "/store/heartbeat"
	pathVote      = "/store/vote"
	pathHello     = "/store/hello"
	pathTakeOver  = "/store/takeover"
	pathDismiss   = "/store/dismiss"
	pathReport    = "/store/report"
	pathTunnel    = "/store/tunnel"
)

// wire is the port between nodes: JSON over HTTPS in both directions, where both sides hold the cluster's certificate.
type wire struct {
	s         *Store
	listener  net.Listener
	server    *http.Server
	client    *http.Client
	clientTLS *tls.Config
	inflight  sync.WaitGroup

	mu      sync.Mutex
	tunnels map[net.Conn]bool
	closed  bool
}

func listen(s *Store) (*wire, error) {
	serverTLS, clientTLS, err := s.ballot.tlsConfigs()
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(s.ctx, "tcp", net.JoinHostPort(s.opts.Bind, strconv.Itoa(s.opts.InternodePort)))
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	w := &wire{s: s, listener: tls.NewListener(l, serverTLS), clientTLS: clientTLS, tunnels: map[net.Conn]bool{}}
	w.client = &http.Client{Transport: &http.Transport{
		TLSClientConfig: clientTLS, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second,
		DialContext: (&net.Dialer{Timeout: s.opts.FailureTimeout / 2}).DialContext,
	}}
	mux := http.NewServeMux()
	handle(mux, w, pathHeartbeat, s.answerHeartbeat)
	handle(mux, w, pathVote, s.answerVote)
	handle(mux, w, pathHello, s.answerHello)
	handle(mux, w, pathTakeOver, s.answerTakeOver)
	handle(mux, w, pathDismiss, s.answerDismiss)
	handle(mux, w, pathReport, s.answerReport)
	mux.HandleFunc(pathTunnel, w.serveTunnel)
	for path, h := range s.opts.Handlers {
		mux.Handle(path, h)
	}
	w.server = &http.Server{
		Handler: w.guard(mux), ReadHeaderTimeout: 5 * time.Second,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	return w, nil
}

func (w *wire) serve() { _ = w.server.Serve(w.listener) }

// guard drops what comes from or goes to an isolated node, without an answer.
func (w *wire) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		if w.closed {
			w.mu.Unlock()
			panic(http.ErrAbortHandler)
		}
		w.inflight.Add(1)
		w.mu.Unlock()
		defer w.inflight.Done()
		if w.s.cutOff() {
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(rw, r)
	})
}

func (s *Store) cutOff() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isolated || s.closed
}

func handle[Req, Ans any](mux *http.ServeMux, w *wire, path string, answer func(context.Context, Req) Ans) {
	mux.HandleFunc("POST "+path, func(rw http.ResponseWriter, r *http.Request) {
		var req Req
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&req); err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		ans := answer(r.Context(), req)
		if w.s.cutOff() {
			panic(http.ErrAbortHandler)
		}
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(ans)
	})
}

var errIsolated = errors.New("store: this node is cut off")

// Call posts JSON to a path on another node's port between nodes.
func (s *Store) Call(ctx context.Context, uid int64, path string, req, ans any) error {
	s.mu.Lock()
	addr := s.addrOf(uid)
	s.mu.Unlock()
	return s.wire.call(ctx, addr, path, req, ans)
}

func (w *wire) call(ctx context.Context, addr, path string, req, ans any) error {
	if w.s.cutOff() {
		return errIsolated
	}
	if addr == "" {
		return errors.New("store: the node's address is not known")
	}
	body, err := json.Marshal(req)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+addr+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := w.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("store: %s answers %d: %s", path, resp.StatusCode, bytes.TrimSpace(raw))
	}
	return json.Unmarshal(raw, ans)
}

func (w *wire) heartbeat(ctx context.Context, uid int64, req heartbeatRequest) (ans heartbeatAnswer, err error) {
	return ans, w.s.Call(ctx, uid, pathHeartbeat, req, &ans)
}

func (w *wire) vote(ctx context.Context, uid int64, req voteRequest) (ans voteAnswer, err error) {
	return ans, w.s.Call(ctx, uid, pathVote, req, &ans)
}

// helloRequest introduces a node, above all its present address.
type helloRequest struct {
	From int64  `json:"from"`
	Addr string `json:"addr"`
}

type helloAnswer struct {
	UID int64 `json:"uid"`
	// Unknown is said by the master alone: the node that asks is no member.
	Unknown bool `json:"unknown"`
	// Addrs are where the others were seen last: two that both moved may only have this node in common.
	Addrs []string `json:"addrs"`
}

func (w *wire) hello(ctx context.Context, addr string) (ans helloAnswer, err error) {
	return ans, w.call(ctx, addr, pathHello, helloRequest{From: w.s.ballot.UID, Addr: w.s.addr()}, &ans)
}

func (s *Store) answerHello(_ context.Context, req helloRequest) helloAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	ans := helloAnswer{UID: s.ballot.UID}
	if req.From == s.ballot.UID {
		return ans
	}
	if s.role == leader && s.ready && !s.isMember(req.From) {
		ans.Unknown = true
		return ans
	}
	for _, m := range s.members() {
		if m.UID != req.From && m.UID != s.ballot.UID {
			ans.Addrs = append(ans.Addrs, s.addrOf(m.UID))
		}
	}
	s.addrs[req.From] = req.Addr
	if p := s.peers[req.From]; p != nil {
		select {
		case p.kick <- struct{}{}:
		default:
		}
	}
	s.announce() // the master's engine writes a new address down
	return ans
}

// takeOverRequest tells a node that its master wants it to stand for election at once.
type takeOverRequest struct {
	To   int64 `json:"to"`
	Term int64 `json:"term"`
}

func (w *wire) takeOver(ctx context.Context, uid, term int64) error {
	var ans struct{}
	return w.s.Call(ctx, uid, pathTakeOver, takeOverRequest{uid, term}, &ans)
}

func (s *Store) answerTakeOver(_ context.Context, req takeOverRequest) struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.To == s.ballot.UID && req.Term == s.ballot.Term && s.role == follower && !s.closed && !s.standing {
		s.standing = true
		s.wg.Go(func() { //nolint:contextcheck // goes on after the request
			s.campaign(true)
			s.mu.Lock()
			s.standing = false
			s.mu.Unlock()
		})
	}
	return struct{}{}
}

type dismissRequest struct {
	UID int64 `json:"uid"`
}

func (w *wire) dismiss(ctx context.Context, addr string, uid int64) error {
	var ans struct{}
	return w.call(ctx, addr, pathDismiss, dismissRequest{uid}, &ans)
}

func (s *Store) answerDismiss(_ context.Context, req dismissRequest) struct{} {
	s.mu.Lock()
	tell := req.UID == s.ballot.UID && !s.removed
	s.removed = s.removed || tell
	s.mu.Unlock()
	if tell {
		s.tellRemoved()
	}
	return struct{}{}
}

// reportMessage brings news to the master that cannot wait for its next heartbeat.
type reportMessage struct {
	From    int64           `json:"from"`
	Applied int64           `json:"applied"`
	Report  json.RawMessage `json:"report"`
}

// PushReport sends this node's report to the master at once.
func (s *Store) PushReport(ctx context.Context) error {
	uid, _, ok := s.Leader()
	if !ok || s.opts.Report == nil {
		return ErrNoQuorum
	}
	msg := reportMessage{From: s.ballot.UID, Applied: s.Snapshot().Rev(), Report: s.opts.Report()}
	if uid == s.ballot.UID {
		s.mu.Lock()
		s.announce()
		s.mu.Unlock()
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.FailureTimeout/2)
	defer cancel()
	var ans struct{}
	return s.Call(ctx, uid, pathReport, msg, &ans)
}

func (s *Store) answerReport(_ context.Context, msg reportMessage) struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.peers[msg.From] != nil {
		s.seen[msg.From] = PeerState{Applied: msg.Applied, Report: msg.Report}
		s.announce()
	}
	return struct{}{}
}

// serveTunnel joins a replica's replication connection with the local redis-server, on the master only.
func (w *wire) serveTunnel(rw http.ResponseWriter, r *http.Request) {
	term, _ := strconv.ParseInt(r.URL.Query().Get("term"), 10, 64)
	w.s.mu.Lock()
	ok := w.s.role == leader && w.s.ballot.Term == term
	w.s.mu.Unlock()
	if !ok {
		http.Error(rw, "not the master of this term", http.StatusConflict)
		return
	}
	dialer := net.Dialer{Timeout: time.Second}
	local, err := dialer.DialContext(r.Context(), "tcp", net.JoinHostPort(w.s.opts.Bind, strconv.Itoa(w.s.opts.CCSPort)))
	if err != nil {
		http.Error(rw, "no local copy", http.StatusServiceUnavailable)
		return
	}
	conn, buffered, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		_ = local.Close()
		return
	}
	if !w.keep(conn, local) {
		return
	}
	defer w.drop(conn, local)
	if _, err := buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\n\r\n"); err != nil {
		return
	}
	if buffered.Flush() == nil {
		splice(conn, local)
	}
}

// keep remembers the two ends of a tunnel, so that they can be cut; false when it is too late.
func (w *wire) keep(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		if w.closed {
			_ = c.Close()
			continue
		}
		w.tunnels[c] = true
	}
	return !w.closed
}

func (w *wire) drop(conns ...net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
		delete(w.tunnels, c)
	}
}

func (w *wire) cutTunnels() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.tunnels {
		_ = c.Close()
	}
}

func (w *wire) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	_ = w.server.Close()
	_ = w.listener.Close()
	w.cutTunnels()
	w.client.CloseIdleConnections()
	w.inflight.Wait()
	w.client.CloseIdleConnections()
}

// splice copies both ways until either side ends.
func splice(a, b net.Conn) {
	var wg sync.WaitGroup
	for _, p := range [][2]net.Conn{{a, b}, {b, a}} {
		wg.Go(func() {
			_, _ = io.Copy(p[0], p[1])
			_ = p[0].Close()
			_ = p[1].Close()
		})
	}
	wg.Wait()
}
