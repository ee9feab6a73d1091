package rest

import "context"

// SeesMaster tells whether the node asked sees a leader of the cluster. Use it with At: each node speaks for itself.
func (c *Client) SeesMaster(ctx context.Context) (bool, error) {
	var out struct {
		Status string `json:"status"`
	}
	const path = "/v1/local/node/master_healthcheck"
	if err := c.get(ctx, path, path, &out); err != nil {
		return false, err
	}
	return out.Status == "active", nil
}

// CheckLocalEndpoint returns nil when the database's endpoint on the node asked serves, IsNotFound when there is none
// on this node, and an error with the reason otherwise.
func (c *Client) CheckLocalEndpoint(ctx context.Context, uid UID) error {
	return c.get(ctx, "/v1/local/bdbs/{uid}/endpoint/availability", "/v1/local/bdbs/"+uid.String()+"/endpoint/availability", nil)
}
