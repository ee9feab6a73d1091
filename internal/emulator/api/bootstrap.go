package api

import (
	"net"
	"net/http"
	"regexp"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// getBootstrap is GET /v1/bootstrap: open before the node is in a cluster, for users afterwards.
func getBootstrap(c *call) (any, error) {
	if c.joined() {
		user, err := c.identify(c)
		if err != nil {
			return nil, err
		}
		c.user = user
		if err := c.permit(c, "view_cluster_info"); err != nil {
			return nil, err
		}
	}
	status := c.Engine.Bootstrap()
	return Object{
		"bootstrap_status": renderBootstrap(status),
		"local_node_info":  schema.Render("local_node_info", status.LocalNode, schema.View{}),
	}, nil
}

func renderBootstrap(s BootstrapStatus) Object {
	o := Object{"state": string(s.State)}
	if !s.StartTime.IsZero() {
		o["start_time"] = schema.Timestamp(s.StartTime)
	}
	if !s.EndTime.IsZero() {
		o["end_time"] = schema.Timestamp(s.EndTime)
	}
	if s.State == BootstrapError && s.Failure != nil {
		o["error_code"] = s.Failure.Code
		details := schema.Clone(s.Failure.Details)
		if details == nil {
			details = Object{}
		}
		details["message"] = s.Failure.Description
		o["error_details"] = details
	}
	return o
}

// startBootstrap is POST /v1/bootstrap/{action}.
func startBootstrap(c *call) (any, error) {
	action, err := bootstrapAction(c)
	if err != nil {
		return nil, err
	}
	raw, err := c.body()
	if err != nil {
		return nil, err
	}
	switch state := c.Engine.Bootstrap().State; state {
	case BootstrapIdle, BootstrapError:
	default:
		return nil, refusal(http.StatusConflict, "bootstrap_in_progress", "Bootstrap can not start in state %s", state)
	}
	req, err := readBootstrap(action, raw)
	if err != nil {
		return nil, err
	}
	if err := c.Engine.StartBootstrap(c.ctx(), req); err != nil {
		return nil, err
	}
	return nil, nil
}

// validateBootstrap is POST /v1/bootstrap/validate/{action}: the answers of a bootstrap without its deeds.
func validateBootstrap(c *call) (any, error) {
	action, err := bootstrapAction(c)
	if err != nil {
		return nil, err
	}
	raw, err := c.body()
	if err != nil {
		return nil, err
	}
	if c.joined() {
		return nil, refusal(http.StatusConflict, "bootstrap_in_progress", "Node is already part of a cluster")
	}
	status := c.Engine.Bootstrap()
	_, err = readBootstrap(action, raw)
	if err == nil {
		return nil, nil
	}
	status.State, status.Failure = BootstrapError, refusalOf(err)
	status.Failure.Code = "config_error"
	return withStatus{http.StatusNotAcceptable, Object{"bootstrap_status": renderBootstrap(status)}}, nil
}

func bootstrapAction(c *call) (string, error) {
	switch a := c.params["action"]; a {
	case "create_cluster", "join_cluster", "recover_cluster":
		return a, nil
	}
	return "", refusal(http.StatusNotFound, "not_found", "%s does not exist", c.request.URL.Path)
}

// clusterName is a domain name as RFC 952 and 1123 want it.
var clusterName = regexp.MustCompile(`^(?i)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

var rackID = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,62}$`)

func readBootstrap(action string, raw Object) (BootstrapRequest, error) {
	var none BootstrapRequest
	if raw["action"] == nil {
		raw["action"] = action
	}
	body, err := schema.Check("bootstrap", raw, schema.Create)
	if err != nil {
		return none, badRequest("%s", refusalOf(err).Description)
	}
	if body["action"] != action {
		return none, badRequest("The action of the body is not the action of the path")
	}
	cluster, credentials, node := object(body["cluster"]), object(body["credentials"]), object(body["node"])
	req := BootstrapRequest{
		Action: action, ClusterName: schema.TextOf(cluster, "name"), Username: schema.TextOf(credentials, "username"),
		Password: schema.TextOf(credentials, "password"), Identity: object(node["identity"]),
		Paths: object(node["paths"]), Limits: object(node["limits"]),
		RecoveryFile: schema.TextOf(body, "recovery_filename"), Body: body,
	}
	for _, n := range list(cluster["nodes"]) {
		if text, ok := n.(string); ok && text != "" {
			req.JoinNodes = append(req.JoinNodes, text)
		}
	}
	return req, req.check()
}

func (req *BootstrapRequest) check() error {
	if req.Username == "" || req.Password == "" {
		return badRequest("credentials need username and password")
	}
	if rack := schema.TextOf(req.Identity, "rack_id"); rack != "" && !rackID.MatchString(rack) {
		return badRequest("rack_id '%s' is not acceptable", rack)
	}
	switch req.Action {
	case "join_cluster":
		if len(req.JoinNodes) == 0 {
			return badRequest("join_cluster needs cluster.nodes")
		}
		for _, n := range req.JoinNodes {
			host := n
			if h, _, err := net.SplitHostPort(n); err == nil {
				host = h
			}
			if net.ParseIP(host) == nil && !clusterName.MatchString(host) {
				return badRequest("'%s' is not an address", n)
			}
		}
	case "recover_cluster":
		if req.RecoveryFile == "" {
			return badRequest("recover_cluster needs recovery_filename")
		}
		fallthrough
	default:
		if len(req.ClusterName) > 64 || !clusterName.MatchString(strings.TrimSuffix(req.ClusterName, ".")) {
			return badRequest("'%s' is not a cluster name", req.ClusterName)
		}
	}
	return nil
}

func object(v any) Object {
	o, _ := v.(map[string]any)
	return o
}
