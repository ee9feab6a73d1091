package contract

import (
	"context"
	"slices"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// nodeAddresses is how the operator tells nodes where they are reached from outside (rule NET-12), and what comes of
// addresses that are none.
func (s *suite) nodeAddresses(t *testing.T) {
	ctx := t.Context()
	nodes, err := s.client.ListNodes(ctx)
	must(t, err)
	node := nodes[0]
	before := node.ExternalAddr
	if before == nil {
		before = []string{}
	}
	t.Cleanup(func() {
		must(t, s.client.UpdateNode(context.WithoutCancel(ctx), node.UID, &rest.NodeUpdate{ExternalAddr: &before}))
	})
	for _, want := range [][]string{{"203.0.113.7"}, {"203.0.113.8", "203.0.113.9"}, {}} {
		must(t, s.client.UpdateNode(ctx, node.UID, &rest.NodeUpdate{ExternalAddr: &want}))
		until(t, "the external address is told", func(ctx context.Context) (bool, error) {
			now, err := s.client.GetNode(ctx, node.UID)
			return err == nil && slices.Equal(now.ExternalAddr, want) && now.Addr == node.Addr, err
		})
	}
	wants(t, "an address that is none", s.client.UpdateNode(ctx, node.UID, &rest.NodeUpdate{ExternalAddr: &[]string{"203.0.113.999"}}), rest.IsRefused)
	wants(t, "a node that is not there", s.client.UpdateNode(ctx, 4711, &rest.NodeUpdate{ExternalAddr: &[]string{}}), rest.IsRefused)
}
