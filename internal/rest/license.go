package rest

import "context"

// License is the cluster's licence and its limits.
type License struct {
	License          string   `json:"license"`
	ClusterName      string   `json:"cluster_name"`
	Owner            string   `json:"owner"`
	Expired          bool     `json:"expired"`
	ActivationDate   string   `json:"activation_date"`
	ExpirationDate   string   `json:"expiration_date"`
	Features         []string `json:"features"`
	ShardsLimit      *Int     `json:"shards_limit"`
	RAMShardsLimit   *Int     `json:"ram_shards_limit"`
	RAMShardsInUse   *Int     `json:"ram_shards_in_use"`
	FlashShardsLimit *Int     `json:"flash_shards_limit"`
	FlashShardsInUse *Int     `json:"flash_shards_in_use"`
}

// String shows owner and dates; the text is what a customer paid for.
func (l License) String() string {
	return "licence of " + l.Owner + " from " + l.ActivationDate + " to " + l.ExpirationDate
}

// GoString hides the text from %#v as well.
func (l License) GoString() string { return "rest.License{" + l.String() + "}" }

// GetLicense reads the licence; IsNotFound means that there is none.
func (c *Client) GetLicense(ctx context.Context) (*License, error) {
	out := new(License)
	if err := c.get(ctx, "/v1/license", "/v1/license", out); err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateLicense installs a licence text.
func (c *Client) UpdateLicense(ctx context.Context, text string) error {
	body := struct {
		License string `json:"license"`
	}{text}
	return c.put(ctx, "/v1/license", "/v1/license", body, nil)
}
