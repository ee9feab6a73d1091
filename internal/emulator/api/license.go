package api

import (
	"net/http"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// getLicense is GET /v1/license; shards in use are counted now.
func getLicense(c *call) (any, error) {
	license, err := c.license()
	if err != nil {
		return nil, err
	}
	bdbs, err := c.Engine.List(c.ctx(), KindBDB)
	if err != nil {
		return nil, err
	}
	var ram, flash int64
	for _, b := range bdbs {
		if schema.BoolOf(b, "bigstore") {
			flash += schema.ShardTotal(b)
		} else {
			ram += schema.ShardTotal(b)
		}
	}
	license["ram_shards_in_use"], license["flash_shards_in_use"] = ram, flash
	license["expired"] = schema.LicenseExpired(license, c.Now())
	return schema.Render("license", license, schema.View{}), nil
}

func (c *call) license() (Object, error) {
	license, err := c.Engine.Get(c.ctx(), KindLicense, Singleton)
	if err == nil && license == nil {
		err = refusal(http.StatusNotFound, "not_found", "There is no license")
	}
	return license, err
}

// putLicense is PUT /v1/license. A text that cannot be used leaves the old licence in force.
func putLicense(c *call) (any, error) {
	raw, err := c.needBody()
	if err != nil {
		return nil, err
	}
	text, ok := raw["license"].(string)
	if !ok || len(raw) != 1 {
		return nil, badRequest("The body must be an object with the text 'license'")
	}
	cluster, err := clusterSettings.load(c)
	if err != nil {
		return nil, err
	}
	license, err := schema.ReadLicense(text, schema.TextOf(cluster, "name"), c.Now())
	if err != nil {
		return nil, err
	}
	if schema.LicenseExpired(license, c.Now()) {
		return nil, refusal(http.StatusNotAcceptable, "invalid_license", "License has expired")
	}
	_, err = c.put(KindLicense, Singleton, license)
	return nil, err
}
