package platform

import (
	"fmt"
	"testing"
)

func TestProxy(t *testing.T) {
	for _, c := range []struct {
		name string
		env  map[string]string
		want string
	}{
		{"no proxy", map[string]string{"PATH": "/bin"}, "[]"},
		{"an empty one is none", map[string]string{"HTTP_PROXY": ""}, "[]"},
		{"in capitals and small, in one order", map[string]string{"NO_PROXY": ".svc", "HTTPS_PROXY": "http://p:3128"},
			"[HTTPS_PROXY=http://p:3128 https_proxy=http://p:3128 NO_PROXY=.svc no_proxy=.svc]"},
	} {
		list := []string{}
		for _, e := range Proxy(func(name string) (string, bool) { value, said := c.env[name]; return value, said }) {
			list = append(list, e.Name+"="+e.Value)
		}
		if got := fmt.Sprint(list); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}
