package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// serveMembers lets a node into the cluster. It is a call between emulated nodes, no part of the product's API: the
// product talks to its members in ways nobody documents.
func (s *Server) serveMembers(w http.ResponseWriter, r *http.Request) {
	c := &call{Server: s, request: r, header: w.Header()}
	reply, err := s.admitMember(w, c) //nolint:contextcheck // the call carries the request with its context
	switch {
	case errors.Is(err, errSentOn):
	case err != nil:
		answerError(w, err)
	default:
		answer(w, reply)
	}
}

var errSentOn = errors.New("sent on to the leader")

func (s *Server) admitMember(w http.ResponseWriter, c *call) (any, error) {
	if c.request.Method != http.MethodPost {
		return nil, refusal(http.StatusNotFound, "not_found", "only POST")
	}
	if !s.joined() {
		return nil, refusal(http.StatusServiceUnavailable, "no_cluster", "Node is not part of a cluster")
	}
	leader, err := s.Engine.Leader(c.ctx())
	if err != nil {
		return nil, err
	}
	if c.user, err = s.identify(c); err != nil {
		return nil, err
	}
	if err := s.permit(c, "update_cluster"); err != nil {
		return nil, err
	}
	if !leader.Self {
		w.Header().Set("Location", "https://"+leader.Addr+membersPath)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return nil, errSentOn
	}
	payload, err := io.ReadAll(io.LimitReader(c.request.Body, maxBody))
	if err != nil {
		return nil, badRequest("The body can not be read")
	}
	return s.Engine.Admit(c.ctx(), payload)
}

// Join asks the members of a cluster, one after the other, to let this node in: the other side of Engine.Admit. client
// must trust the members' certificates and need not follow redirects. The error is a *Error with one of the documented
// bootstrap codes: access_denied, connect_error, or what the leader said.
func Join(ctx context.Context, client *http.Client, req BootstrapRequest, payload json.RawMessage) (json.RawMessage, error) {
	last := &Error{Status: http.StatusNotAcceptable, Code: "connect_error", Description: "No node to join was given"}
	for _, node := range req.JoinNodes {
		reply, err := joinVia(ctx, client, withPort(node), req, payload)
		if err == nil {
			return reply, nil
		}
		last = refusalOf(err)
		if last.Code != "connect_error" {
			return nil, last
		}
	}
	return nil, last
}

func withPort(node string) string {
	if _, _, err := net.SplitHostPort(node); err == nil {
		return node
	}
	return net.JoinHostPort(node, "9443")
}

func joinVia(ctx context.Context, client *http.Client, addr string, req BootstrapRequest, payload json.RawMessage) (json.RawMessage, error) {
	noFollow := *client
	noFollow.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	target := "https://" + addr + membersPath
	for hop := 0; hop < 4; hop++ {
		ask, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(payload))
		if err != nil {
			return nil, connectError(addr, err)
		}
		ask.SetBasicAuth(req.Username, req.Password)
		ask.Header.Set("Content-Type", "application/json")
		resp, err := noFollow.Do(ask)
		if err != nil {
			return nil, connectError(addr, err)
		}
		data, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
		_ = resp.Body.Close()
		switch {
		case err != nil:
			return nil, connectError(addr, err)
		case resp.StatusCode == http.StatusTemporaryRedirect:
			target = resp.Header.Get("Location")
			continue
		}
		return joinAnswer(addr, resp.StatusCode, data)
	}
	return nil, connectError(addr, errors.New("too many redirects"))
}

func joinAnswer(addr string, status int, data []byte) (json.RawMessage, error) {
	switch status {
	case http.StatusOK:
		return data, nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, &Error{Status: http.StatusNotAcceptable, Code: "access_denied",
			Description: "Cluster credentials were refused by " + addr}
	}
	var body Object
	_ = json.Unmarshal(data, &body)
	code, description := schema.TextOf(body, "error_code"), schema.TextOf(body, "description")
	if status == http.StatusServiceUnavailable || status == http.StatusBadGateway || code == "" {
		return nil, connectError(addr, errors.New(code+" "+description))
	}
	return nil, &Error{Status: status, Code: code, Description: description, Details: object(body["error_details"])}
}

func connectError(addr string, err error) error {
	return &Error{Status: http.StatusNotAcceptable, Code: "connect_error",
		Description: "Could not connect to " + addr + ": " + err.Error()}
}
