package cluster

import (
	"context"
	"fmt"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// setExternal tells a node where clients outside Kubernetes reach it, or that they no longer do.
type setExternal struct {
	node       rest.UID
	service    string
	have, want []string
}

func (s setExternal) String() string {
	if len(s.want) == 0 {
		return fmt.Sprintf("node %s no longer announces %s, since service %s is not wanted any more", s.node, listed(s.have), s.service)
	}
	return fmt.Sprintf("node %s announces %s instead of %s to clients outside, as service %s was given it", s.node, listed(s.want), listed(s.have), s.service)
}

func (s setExternal) perform(ctx context.Context, h *hands) error {
	want := append([]string{}, s.want...)
	err := h.api.UpdateNode(ctx, s.node, &rest.NodeUpdate{ExternalAddr: &want})
	if rest.IsRefused(err) {
		return outcome.Refused("spec.ossClusterSettings.externalAccessType", "the cluster refuses %s of service %s as the external address of node %s: %s",
			listed(s.want), s.service, s.node, answer(err))
	}
	return h.did(s.String(), err)
}

// setMapping tells a node which clients are to be told its own address (rule NET-14).
type setMapping struct {
	node       rest.UID
	have, want []rest.IPMapping
}

func (s setMapping) String() string {
	return fmt.Sprintf("node %s is announced to clients of %s, before of %s", s.node, networks(s.want), networks(s.have))
}

func (s setMapping) perform(ctx context.Context, h *hands) error {
	want := append([]rest.IPMapping{}, s.want...)
	err := h.api.UpdateNode(ctx, s.node, &rest.NodeUpdate{OSSClusterIPMapping: &want})
	if rest.IsRefused(err) {
		return outcome.Refused("spec.ossClusterSettings.podCIDRs", "the cluster refuses to tell clients apart by their network at node %s: %s", s.node, answer(err))
	}
	return h.did(s.String(), err)
}

func listed(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

func networks(list []rest.IPMapping) string {
	var out []string
	for _, entry := range list {
		out = append(out, fmt.Sprintf("%s as %v", entry.Key, entry.Value["ip"]))
	}
	if len(out) == 0 {
		return "no network in particular"
	}
	return strings.Join(out, ", ")
}
