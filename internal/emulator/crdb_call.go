package emulator

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// peerTimeout bounds one request to another cluster.
const peerTimeout = 5 * time.Second

// participant is the cluster of one instance, as the leader of another one reaches it.
type participant struct {
	n    *Node
	guid string
	inst api.Object
	self bool
}

func (p participant) name() string { return crdb.ClusterName(p.inst) }

// ask makes one request. Whatever refuses it is a *api.Error; everything else did not reach the cluster.
func (p participant) ask(ctx context.Context, method, sub string, body any) (api.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	cluster := p.cluster()
	base := strings.TrimRight(schema.TextOf(cluster, "url"), "/")
	if p.self {
		base = p.n.URL()
	}
	var payload io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, base+"/emulator/crdbs/"+p.guid+sub, payload)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	client, err := p.client(req)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", base, errors.Unwrap(err))
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return nil, fmt.Errorf("reading from %s: %w", base, err)
	}
	return peerAnswer(resp.StatusCode, data)
}

func (p participant) cluster() api.Object {
	o, _ := p.inst["cluster"].(map[string]any)
	return o
}

// client is one that has the credentials of the configuration; the request carries them unless they are a certificate.
func (p participant) client(req *http.Request) (*http.Client, error) {
	if credentials, ok := p.cluster()["credentials"].(map[string]any); ok {
		req.SetBasicAuth(schema.TextOf(credentials, "username"), schema.TextOf(credentials, "password"))
		return &http.Client{Transport: p.n.transport}, nil
	}
	auth, _ := p.cluster()["certificate_auth"].(map[string]any)
	pair, err := tls.X509KeyPair([]byte(schema.TextOf(auth, "client_cert")), []byte(schema.TextOf(auth, "client_key")))
	if err != nil {
		return nil, fmt.Errorf("certificate_auth of %s: %w", p.name(), err)
	}
	t := &http.Transport{TLSClientConfig: p.n.peerTLS(), DialContext: p.n.cfg.Dial, DisableKeepAlives: true}
	t.TLSClientConfig.Certificates = []tls.Certificate{pair}
	return &http.Client{Transport: t}, nil
}

func peerAnswer(status int, data []byte) (api.Object, error) {
	var body api.Object
	_ = json.Unmarshal(data, &body)
	if status == http.StatusOK {
		return body, nil
	}
	code, description := schema.TextOf(body, "error_code"), schema.TextOf(body, "description")
	switch {
	case status == http.StatusUnauthorized:
		code, description = "access_denied", "The credentials were refused"
	case code == "":
		return nil, fmt.Errorf("status %d", status)
	}
	return nil, &api.Error{Status: status, Code: code, Description: description}
}

// passes tells whether an error of a participant may go away by itself.
func passes(err error) bool {
	var refusal *api.Error
	if !errors.As(err, &refusal) {
		return true
	}
	return refusal.Status >= http.StatusInternalServerError || refusal.Code == "db_busy" || refusal.Code == "busy"
}

// taskError is what a task says about a cluster.
func taskError(cluster string, err error) api.Object {
	o := api.Object{"cluster_name": cluster, "description": err.Error(), "error_code": "connect_error"}
	var refusal *api.Error
	if errors.As(err, &refusal) {
		o["error_code"], o["description"] = refusal.Code, refusal.Description
	}
	return o
}

// PeerReport implements api.Peers.
func (n surface) PeerReport(ctx context.Context, guid string, inst api.Object) (api.Object, error) {
	return participant{n: n.Node, guid: guid, inst: inst}.ask(ctx, http.MethodGet, "/report", nil)
}
