package main

import (
	"strings"
	"testing"
	"time"
)

func TestRender(t *testing.T) {
	files := render([]listener{
		{name: "openshift-router", port: 8441, ways: []way{
			{host: "API.example.com", backend: "route_ns_rec", servers: []string{"10.0.0.1:9443", "10.0.0.2:9443"}},
			{host: "a-db.example.com", backend: "route_ns_a"}}},
		{name: "gateway", port: 8443},
	})
	t.Run("names are in the map of their door only, in lower case", func(t *testing.T) {
		if got, want := files["openshift-router.map"], "a-db.example.com route_ns_a\napi.example.com route_ns_rec\n"; got != want {
			t.Errorf("got %q", got)
		}
		if files["gateway.map"] != "" {
			t.Errorf("got %q", files["gateway.map"])
		}
	})
	t.Run("each backend has its servers", func(t *testing.T) {
		for _, want := range []string{"backend route_ns_rec\n    server s0 10.0.0.1:9443\n    server s1 10.0.0.2:9443\n", "backend route_ns_a\n",
			"frontend gateway\n    bind :8443\n", "lower,map(@folder@/gateway.map,nobody)"} {
			if !strings.Contains(files[mainFile], want) {
				t.Errorf("no %q in\n%s", want, files[mainFile])
			}
		}
	})
	t.Run("the same ways give the same files", func(t *testing.T) {
		if fingerprint(files) != fingerprint(render([]listener{
			{name: "openshift-router", port: 8441, ways: []way{
				{host: "a-db.example.com", backend: "route_ns_a"},
				{host: "api.example.com", backend: "route_ns_rec", servers: []string{"10.0.0.1:9443", "10.0.0.2:9443"}}}},
			{name: "gateway", port: 8443}})) {
			t.Error("the order counts")
		}
	})
}

func TestFirstComesFirst(t *testing.T) {
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	kept, refused := firstComesFirst([]way{
		{host: "a", claimant: "late", created: late}, {host: "a", claimant: "early", created: early}, {host: "b", claimant: "late", created: late}})
	if len(kept) != 2 || kept[0].claimant != "early" || kept[1].host != "b" || !refused["late"] || refused["early"] {
		t.Errorf("kept %v, refused %v", kept, refused)
	}
}
