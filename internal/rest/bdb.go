package rest

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// ErrNoUID says that a create was answered without the uid of what it made: look the name up.
var ErrNoUID = errors.New("the answer names no uid")

func bdbPath(uid UID) string { return "/v1/bdbs/" + uid.String() }

// ListBDBs reads all databases; with fields, only those keys.
func (c *Client) ListBDBs(ctx context.Context, fields ...string) ([]BDB, error) {
	path := "/v1/bdbs"
	if len(fields) > 0 {
		path += "?fields=" + strings.Join(fields, ",")
	}
	var out []BDB
	err := c.get(ctx, "/v1/bdbs", path, &out)
	return out, err
}

// GetBDB reads one database.
func (c *Client) GetBDB(ctx context.Context, uid UID) (*BDB, error) {
	out := new(BDB)
	if err := c.get(ctx, "/v1/bdbs/{uid}", bdbPath(uid), out); err != nil {
		return nil, err
	}
	return out, nil
}

// FindBDB looks a database up by its name; nil means that there is none. It reads the list afresh.
func (c *Client) FindBDB(ctx context.Context, name string) (*BDB, error) {
	list, err := c.ListBDBs(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if Value(list[i].Name) == name {
			return &list[i], nil
		}
	}
	return nil, nil
}

// CreateBDB starts the creation of a database. The answer has its uid and the action to follow. When the error is
// MaybeApplied, look the name up before creating again.
func (c *Client) CreateBDB(ctx context.Context, body *BDB) (*BDB, error) {
	out := new(BDB)
	if err := c.post(ctx, "/v1/bdbs", "/v1/bdbs", body, out); err != nil {
		return nil, err
	}
	if Value(out.UID) == 0 {
		return nil, &TransportError{Method: "POST", Path: "/v1/bdbs", Err: fmt.Errorf("%w: %w", ErrUnreadable, ErrNoUID)}
	}
	return out, nil
}

// CheckCreateBDB asks whether CreateBDB would be accepted; nothing is made.
func (c *Client) CheckCreateBDB(ctx context.Context, body *BDB) error {
	return c.post(ctx, "/v1/bdbs", "/v1/bdbs?dry_run", body, nil)
}

// UpdateBDB changes what is set in body. IsBusy means that the database works on an earlier change.
func (c *Client) UpdateBDB(ctx context.Context, uid UID, body *BDB) (*BDB, error) {
	out := new(BDB)
	if err := c.put(ctx, "/v1/bdbs/{uid}", bdbPath(uid), body, out); err != nil {
		return nil, err
	}
	return out, nil
}

// CheckUpdateBDB asks whether UpdateBDB would be accepted; nothing changes.
func (c *Client) CheckUpdateBDB(ctx context.Context, uid UID, body *BDB) error {
	return c.put(ctx, "/v1/bdbs/{uid}", bdbPath(uid)+"?dry_run", body, nil)
}

// DeleteBDB starts the deletion of a database; it is over when GetBDB says IsNotFound.
func (c *Client) DeleteBDB(ctx context.Context, uid UID) error {
	return c.delete(ctx, "/v1/bdbs/{uid}", bdbPath(uid), nil)
}

// UpgradeBDB starts an upgrade of the database engine.
func (c *Client) UpgradeBDB(ctx context.Context, uid UID, body *UpgradeRequest) (*BDB, error) {
	out := new(BDB)
	if err := c.post(ctx, "/v1/bdbs/{uid}/upgrade", bdbPath(uid)+"/upgrade", body, out); err != nil {
		return nil, err
	}
	return out, nil
}

type password struct {
	Password string `json:"password"`
}

// ReplaceBDBPasswords makes one password of the default user the only one.
func (c *Client) ReplaceBDBPasswords(ctx context.Context, uid UID, secret string) error {
	return c.put(ctx, "/v1/bdbs/{uid}/passwords", bdbPath(uid)+"/passwords", password{secret}, nil)
}

// AddBDBPassword adds a password beside those that work already.
func (c *Client) AddBDBPassword(ctx context.Context, uid UID, secret string) error {
	return c.post(ctx, "/v1/bdbs/{uid}/passwords", bdbPath(uid)+"/passwords", password{secret}, nil)
}

// DeleteBDBPassword removes one password.
func (c *Client) DeleteBDBPassword(ctx context.Context, uid UID, secret string) error {
	return c.delete(ctx, "/v1/bdbs/{uid}/passwords", bdbPath(uid)+"/passwords", password{secret})
}

// CheckBDB returns nil when the database can be used now, IsUnavailable with the reason as code when it cannot, and
// IsNotFound when there is none.
func (c *Client) CheckBDB(ctx context.Context, uid UID) error {
	return c.get(ctx, "/v1/bdbs/{uid}/availability", bdbPath(uid)+"/availability", nil)
}

// ListBDBAlerts reads the alerts of all databases: database, alert name, alert.
func (c *Client) ListBDBAlerts(ctx context.Context) (map[UID]map[string]Alert, error) {
	var raw map[string]map[string]Alert
	if err := c.get(ctx, "/v1/bdbs/alerts", "/v1/bdbs/alerts", &raw); err != nil {
		return nil, err
	}
	out := make(map[UID]map[string]Alert, len(raw))
	for k, v := range raw {
		if uid, ok := ParseUID(k); ok {
			out[uid] = v
		}
	}
	return out, nil
}

// GetBDBAlerts reads the alerts of one database by name.
func (c *Client) GetBDBAlerts(ctx context.Context, uid UID) (map[string]Alert, error) {
	var out map[string]Alert
	err := c.get(ctx, "/v1/bdbs/alerts/{uid}", "/v1/bdbs/alerts/"+uid.String(), &out)
	return out, err
}

// UpdateBDBAlerts changes the alerts that body names.
func (c *Client) UpdateBDBAlerts(ctx context.Context, uid UID, body map[string]AlertSetting) error {
	return c.post(ctx, "/v1/bdbs/alerts/{uid}", "/v1/bdbs/alerts/"+uid.String(), body, nil)
}
