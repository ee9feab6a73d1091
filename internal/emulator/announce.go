package emulator

import (
	"net/netip"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// ossNodes are the nodes with an endpoint of a database, as the OSS cluster API announces them.
func ossNodes(v view, d databaseRecord, bdb api.Object, shards []shardRecord, self int64) []proxy.Node {
	var out []proxy.Node
	for _, uid := range d.Nodes {
		node, _ := v.node(uid)
		n := proxy.Node{Host: announcedHost(bdb, node), Hosts: mappedHosts(node), Port: d.Port, Self: uid == self}
		for _, s := range shards {
			if s.Role == roleMaster && s.Node == uid {
				n.Slots = append(n.Slots, proxy.SlotRange{First: s.First, Last: s.Last})
			}
		}
		out = append(out, n)
	}
	return out
}

// announcedHost is how clients of no particular network are told to reach a node. A node without the address that the
// database prefers is announced with its internal one.
func announcedHost(bdb, node api.Object) string {
	internal := schema.TextOf(node, "addr")
	if schema.TextOf(bdb, "oss_cluster_api_preferred_ip_type") != "external" {
		return internal
	}
	wantsName := schema.TextOf(bdb, "oss_cluster_api_preferred_endpoint_type") == "hostname"
	list, _ := node["external_addr"].([]any)
	first := ""
	for _, e := range list {
		host, _ := e.(string)
		if first == "" {
			first = host
		}
		if _, err := netip.ParseAddr(host); (err != nil) == wantsName {
			return host
		}
	}
	if first != "" {
		return first
	}
	return internal
}

// mappedHosts are the addresses that a node has for clients of certain networks. Entries for host names concern clients
// that the endpoint cannot recognise by their packets; they are kept and not used.
func mappedHosts(node api.Object) []proxy.HostFor {
	var out []proxy.HostFor
	list, _ := node["oss_cluster_ip_mapping"].([]any)
	for _, e := range list {
		o, _ := e.(map[string]any)
		value, _ := o["value"].(map[string]any)
		host := schema.TextOf(value, "ip")
		if host == "" {
			continue
		}
		if schema.TextOf(o, "key") == schema.AnyClient {
			for _, all := range []string{"0.0.0.0/0", "::/0"} {
				out = append(out, proxy.HostFor{Network: netip.MustParsePrefix(all), Host: host})
			}
		} else if network, err := netip.ParsePrefix(schema.TextOf(o, "key")); err == nil {
			out = append(out, proxy.HostFor{Network: network.Masked(), Host: host})
		}
	}
	return out
}
