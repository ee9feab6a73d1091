package rest

import (
	"context"
	"encoding/json"
	"net/url"
)

// Module is a module installed in the cluster.
type Module struct {
	UID                    string `json:"uid"`
	ModuleName             string `json:"module_name"`
	DisplayName            string `json:"display_name"`
	SemanticVersion        string `json:"semantic_version"`
	Version                Int    `json:"version"`
	MinRedisVersion        string `json:"min_redis_version"`
	CompatibleRedisVersion string `json:"compatible_redis_version"`
	IsBundled              bool   `json:"is_bundled"`
}

// ListModules reads the modules installed.
func (c *Client) ListModules(ctx context.Context) ([]Module, error) {
	var out []Module
	err := c.get(ctx, "/v1/modules", "/v1/modules", &out)
	return out, err
}

// GetSchema reads the JSON schema of an object kind (bdb, cluster, ...): which settings this version knows.
func (c *Client) GetSchema(ctx context.Context, object string) (json.RawMessage, error) {
	var out json.RawMessage
	err := c.get(ctx, "/v1/jsonschema", "/v1/jsonschema?object="+url.QueryEscape(object), &out)
	return out, err
}
