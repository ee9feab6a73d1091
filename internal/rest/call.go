package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	maxAnswer    = 64 << 20
	maxRedirects = 4
)

type routeKey struct{}

// Route returns the path template of a request made by a Client, such as /v1/bdbs/{uid}, for use by middleware.
func Route(req *http.Request) string {
	if r, ok := req.Context().Value(routeKey{}).(string); ok {
		return r
	}
	return req.URL.Path
}

type attemptKey struct{}

// Attempt tells which exchange of its call a request is, from 1 on: a call may ask several nodes, and follow redirects.
func Attempt(req *http.Request) int {
	if n, ok := req.Context().Value(attemptKey{}).(*int); ok {
		return *n
	}
	return 1
}

// do performs a call on the first node that takes it.
func (c *Client) do(ctx context.Context, cl call) error {
	body, err := encode(cl.body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", cl.method, cl.path, err)
	}
	ctx, cancel := context.WithTimeout(ctx, max(c.opts.Timeout, cl.slow))
	defer cancel()
	ctx = context.WithValue(ctx, routeKey{}, cl.route)
	ctx = context.WithValue(ctx, attemptKey{}, new(int))

	var last error = &TransportError{Method: cl.method, Path: cl.path, NeverSent: true, Err: ErrNoAddress}
	for _, address := range c.candidates(cl.method) {
		answered, err := c.exchange(ctx, cl, body, address)
		if err == nil {
			c.sticky.set(answered)
			return nil
		}
		if !movesOn(cl.method, err) {
			c.remember(answered, err)
			return err
		}
		c.sticky.forget(address)
		last = worse(last, err)
		if ctx.Err() != nil {
			break
		}
	}
	return last
}

// worse keeps, among errors of several nodes, the one that says most: an answer says more than silence, and "may have
// been applied" must not be forgotten.
func worse(a, b error) error {
	if _, ok := As(a); ok && IsTransport(b) && NeverSent(b) {
		return a
	}
	return b
}

// remember keeps to a node that answered, even with a refusal, unless it refused the credentials: then the next call
// asks another one first.
func (c *Client) remember(address string, err error) {
	if IsUnauthorized(err) {
		c.sticky.shun(address)
		return
	}
	if _, answered := As(err); answered && !IsUnavailable(err) {
		c.sticky.set(address)
		return
	}
	c.sticky.forget(address)
}

// movesOn tells whether the next node may be asked. A read may always be repeated. A write only if nobody saw it;
// PUT and DELETE also after a plain 503, as they mean the same when they arrive twice.
func movesOn(method string, err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	if IsTransport(err) {
		return method == http.MethodGet || NeverSent(err)
	}
	switch status(err) {
	case http.StatusServiceUnavailable, http.StatusBadGateway:
		return method != http.MethodPost && Code(err) != "no_quorum" && !strings.HasPrefix(Code(err), "bdb_")
	case http.StatusGatewayTimeout:
		return method == http.MethodGet
	}
	return false
}

// candidates lists the nodes to try, the one that worked last first. A read from a single node is tried twice, since
// a connection out of the pool may have died unnoticed.
func (c *Client) candidates(method string) []string {
	var list []string
	add := func(address string) {
		if address = withPort(address); address != "" && !slices.Contains(list, address) {
			list = append(list, address)
		}
	}
	if c.fixed != "" {
		add(c.fixed)
	} else {
		preferred, shunned := c.sticky.get()
		add(preferred)
		if c.opts.Addresses != nil {
			for _, a := range c.opts.Addresses() {
				add(a)
			}
		}
		if i := slices.Index(list, shunned); i >= 0 {
			list = append(slices.Delete(list, i, i+1), shunned)
		}
	}
	if len(list) == 1 && method == http.MethodGet {
		list = append(list, list[0])
	}
	return list
}

func withPort(address string) string {
	if address == "" {
		return ""
	}
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	return net.JoinHostPort(strings.Trim(address, "[]"), DefaultPort)
}

// exchange asks one node and follows it to the leader. It returns the address that answered.
func (c *Client) exchange(ctx context.Context, cl call, body []byte, address string) (string, error) {
	for range maxRedirects {
		next, err := c.attempt(ctx, cl, body, address)
		if next == "" {
			return address, err
		}
		if c.fixed != "" {
			return address, &Error{Status: http.StatusTemporaryRedirect, Code: "not_leader", Method: cl.method, Path: cl.path,
				Address: address, Message: "the leader is " + next}
		}
		address = next
	}
	return address, &Error{Status: http.StatusServiceUnavailable, Code: "redirect_loop", Method: cl.method, Path: cl.path,
		Address: address, Message: "the nodes do not agree on a leader"}
}

// attempt makes one HTTP exchange. A non-empty first result is the address that the node points to instead.
func (c *Client) attempt(ctx context.Context, cl call, body []byte, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, max(c.opts.AttemptTimeout, cl.slow))
	defer cancel()
	req, err := c.request(ctx, cl, body, address)
	if err != nil {
		return "", err
	}
	if n, ok := ctx.Value(attemptKey{}).(*int); ok {
		*n++
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return "", transportError(cl, address, err)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	err = errors.Join(err, resp.Body.Close())
	if err != nil {
		return "", transportError(cl, address, err)
	}
	c.noteStateID(resp.Header)
	if isRedirect(resp.StatusCode) {
		return redirectTarget(cl, address, resp)
	}
	if resp.StatusCode/100 != 2 {
		return "", answerError(cl, address, resp.StatusCode, data)
	}
	return "", decode(cl, address, data)
}

func (c *Client) request(ctx context.Context, cl call, body []byte, address string) (*http.Request, error) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, cl.method, "https://"+address+cl.path, reader)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", cl.method, cl.path, err)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if cl.taskID != "" {
		req.Header.Set("X-Task-ID", cl.taskID)
	}
	if c.opts.Credentials != nil && !cl.anonymous {
		if cred := c.opts.Credentials(); cred.Username != "" {
			req.SetBasicAuth(cred.Username, cred.Password)
		}
	}
	return req, nil
}

func (c *Client) noteStateID(h http.Header) {
	if id, err := strconv.ParseInt(h.Get("cluster-state-id"), 10, 64); err == nil {
		c.stateID.Store(id)
	}
}

func isRedirect(status int) bool {
	return status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect
}

// redirectTarget reads where the leader is. Only the address counts: path and query stay those of the request.
func redirectTarget(cl call, address string, resp *http.Response) (string, error) {
	to, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || to.Host == "" || to.Scheme != "https" {
		return "", &Error{Status: resp.StatusCode, Method: cl.method, Path: cl.path, Address: address,
			Message: "redirected to nowhere"}
	}
	return withPort(to.Host), nil
}

func transportError(cl call, address string, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // its text repeats method and address
	}
	return &TransportError{Method: cl.method, Path: cl.path, Address: address, NeverSent: neverSent(err), Err: err}
}

func encode(body any) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// decode reads the answer leniently: unknown keys are ignored, an empty body leaves out as it is.
func decode(cl call, address string, data []byte) error {
	if cl.out == nil || len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	if err := json.Unmarshal(data, cl.out); err != nil {
		return &TransportError{Method: cl.method, Path: cl.path, Address: address, Err: fmt.Errorf("%w: %w", ErrUnreadable, err)}
	}
	return nil
}

// answerError reads an error body of whatever shape: the API's JSON, or text of a front that has lost its back.
func answerError(cl call, address string, status int, data []byte) error {
	e := &Error{Status: status, Method: cl.method, Path: cl.path, Address: address}
	var body struct {
		Code        Text `json:"error_code"`
		Description Text `json:"description"`
		Message     Text `json:"message"`
	}
	if json.Unmarshal(data, &body) == nil {
		e.Code = string(body.Code)
		e.Message = string(body.Description)
		if e.Message == "" {
			e.Message = string(body.Message)
		}
		return e
	}
	if text := strings.TrimSpace(string(data)); text != "" && !strings.HasPrefix(text, "<") {
		e.Message = truncate(strings.Join(strings.Fields(text), " "), 200)
	}
	return e
}

func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}
