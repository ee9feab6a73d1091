package api

import (
	"net/http"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

func listProxies(c *call) (any, error) {
	all, err := c.Engine.List(c.ctx(), KindProxy)
	if err != nil {
		return nil, err
	}
	out := make([]Object, 0, len(all))
	for _, p := range all {
		out = append(out, schema.Render("proxy", p, schema.View{}))
	}
	return out, nil
}

func getProxy(c *call) (any, error) {
	p, err := c.Engine.Get(c.ctx(), KindProxy, c.params["uid"])
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, refusal(http.StatusNotFound, "not_found", "Proxy %s does not exist", c.params["uid"])
	}
	return schema.Render("proxy", p, schema.View{}), nil
}

// updateProxies is PUT /v1/proxies, for all, and PUT /v1/proxies/{uid}.
func updateProxies(c *call) (any, error) {
	raw, err := c.needBody()
	if err != nil {
		return nil, err
	}
	ask, err := schema.Check("proxy", raw, schema.Change)
	if err != nil {
		return nil, err
	}
	if c.params["uid"] != "" {
		if _, err := getProxy(c); err != nil {
			return nil, err
		}
		return c.updateProxy(c.params["uid"], ask)
	}
	all, err := c.Engine.List(c.ctx(), KindProxy)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, p := range all {
		changed, err := c.updateProxy(id(schema.IntOf(p, "uid")), ask)
		if err != nil {
			return nil, err
		}
		out = append(out, changed)
	}
	return out, nil
}

func (c *call) updateProxy(uid string, ask Object) (any, error) {
	stored, err := c.Engine.Update(c.ctx(), KindProxy, uid, func(p Object) (Object, error) {
		if p == nil {
			return nil, ErrNotFound
		}
		for k, v := range ask {
			p[k] = v
		}
		return p, nil
	})
	if err != nil {
		return nil, err
	}
	return schema.Render("proxy", stored, schema.View{}), nil
}

// Suffixes are DNS zones of the cluster.

func listSuffixes(c *call) (any, error) {
	all, err := c.Engine.List(c.ctx(), KindSuffix)
	if err != nil {
		return nil, err
	}
	out := make([]Object, 0, len(all))
	for _, s := range all {
		out = append(out, schema.Render("suffix", s, schema.View{}))
	}
	return out, nil
}

func (c *call) mustSuffix() (Object, error) {
	s, err := c.Engine.Get(c.ctx(), KindSuffix, c.params["name"])
	if err == nil && s == nil {
		err = refusal(http.StatusNotFound, "not_found", "Suffix %s does not exist", c.params["name"])
	}
	return s, err
}

func getSuffix(c *call) (any, error) {
	s, err := c.mustSuffix()
	if err != nil {
		return nil, err
	}
	return schema.Render("suffix", s, schema.View{}), nil
}

func patchSuffix(c *call) (any, error) {
	ask, err := c.typed("suffix", schema.Change)
	if err != nil {
		return nil, err
	}
	if _, err := c.mustSuffix(); err != nil {
		return nil, err
	}
	stored, err := c.Engine.Update(c.ctx(), KindSuffix, c.params["name"], func(s Object) (Object, error) {
		for k, v := range ask {
			s[k] = v
		}
		return s, nil
	})
	if err != nil {
		return nil, err
	}
	return schema.Render("suffix", stored, schema.View{}), nil
}

func deleteSuffix(c *call) (any, error) {
	if _, err := c.mustSuffix(); err != nil {
		return nil, err
	}
	return nil, c.remove(KindSuffix, c.params["name"])
}
