package proxy

import (
	"crypto/sha1" //nolint:gosec // a name that looks like a node id, nothing to protect
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// cluster answers CLUSTER. Redis Enterprise offers INFO, KEYSLOT, MYID, NODES, SHARDS and SLOTS when the OSS cluster API is
// on, and nothing otherwise.
func (s *session) cluster(c command) error {
	k := s.e.config.Load()
	if !k.OSSCluster {
		s.fail(notAllowed)
		return nil
	}
	nodes := clusterNodes(k, s.from)
	switch c.sub() {
	case "SLOTS":
		s.emit(clusterSlots(nodes))
	case "SHARDS":
		s.emit(s.clusterShards(nodes))
	case "NODES":
		s.emit(resp.AppendBulk(nil, clusterText(nodes)))
	case "INFO":
		s.emit(resp.AppendBulk(nil, clusterInfo(nodes)))
	case "MYID":
		s.clusterMyID(nodes)
	case "KEYSLOT":
		if len(c.args) != 3 {
			s.fail("ERR wrong number of arguments for 'cluster|keyslot' command")
			return nil
		}
		s.emit(resp.AppendInt(nil, int64(k.slotOf(c.args[2]))))
	default:
		s.fail(notAllowed)
	}
	return nil
}

func (s *session) clusterMyID(nodes []Node) {
	for _, n := range nodes {
		if n.Self {
			s.emit(resp.AppendBulk(nil, n.ID))
			return
		}
	}
	s.fail("ERR this endpoint is not one of the announced nodes")
}

// clusterOnly answers READONLY and READWRITE, which only mean something to cluster clients.
func (s *session) clusterOnly(command) error {
	if !s.e.config.Load().OSSCluster {
		s.fail("ERR This instance has cluster support disabled")
		return nil
	}
	s.ok()
	return nil
}

// clusterNodes are the nodes as a client is told of them, with an id each.
func clusterNodes(k *compiled, client netip.Addr) []Node {
	nodes := slices.Clone(k.Nodes)
	for i, n := range nodes {
		if n.ID == "" {
			sum := sha1.Sum([]byte(net.JoinHostPort(n.Host, strconv.Itoa(n.Port)))) //nolint:gosec // see the import
			nodes[i].ID = hex.EncodeToString(sum[:])
		}
		nodes[i].Host = n.hostFor(client)
	}
	return nodes
}

// hostFor is where a client is told to find the node.
func (n Node) hostFor(client netip.Addr) string {
	host, bits := n.Host, -1
	for _, h := range n.Hosts {
		if h.Network.Contains(client) && h.Network.Bits() > bits {
			host, bits = h.Host, h.Network.Bits()
		}
	}
	return host
}

// source is the address that a client's packets come from; the zero address is in no network.
func source(nc net.Conn) netip.Addr {
	if tcp, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

func clusterSlots(nodes []Node) []byte {
	var body []byte
	count := 0
	for _, n := range nodes {
		for _, r := range n.Slots {
			count++
			body = resp.AppendArray(body, 3)
			body = resp.AppendInt(body, int64(r.First))
			body = resp.AppendInt(body, int64(r.Last))
			body = resp.AppendArray(body, 3)
			body = resp.AppendBulk(body, n.Host)
			body = resp.AppendInt(body, int64(n.Port))
			body = resp.AppendBulk(body, n.ID)
		}
	}
	return append(resp.AppendArray(nil, count), body...)
}

func (s *session) clusterShards(nodes []Node) []byte {
	out := resp.AppendArray(nil, len(nodes))
	for _, n := range nodes {
		out = append(out, s.mapHead(2)...)
		out = resp.AppendArray(resp.AppendBulk(out, "slots"), 2*len(n.Slots))
		for _, r := range n.Slots {
			out = resp.AppendInt(resp.AppendInt(out, int64(r.First)), int64(r.Last))
		}
		out = resp.AppendArray(resp.AppendBulk(out, "nodes"), 1)
		out = append(out, s.mapHead(7)...)
		out = resp.AppendBulks(out, "id", n.ID, "port")
		out = resp.AppendInt(out, int64(n.Port))
		out = resp.AppendBulks(out, "ip", n.Host, "endpoint", n.Host, "role", "master", "replication-offset")
		out = resp.AppendInt(out, 0)
		out = resp.AppendBulks(out, "health", "online")
	}
	return out
}

func clusterText(nodes []Node) string {
	var b strings.Builder
	for i, n := range nodes {
		flags := "master"
		if n.Self {
			flags = "myself,master"
		}
		fmt.Fprintf(&b, "%s %s:%d@%d %s - 0 0 %d connected", n.ID, n.Host, n.Port, n.Port, flags, i+1)
		for _, r := range n.Slots {
			if r.First == r.Last {
				fmt.Fprintf(&b, " %d", r.First)
			} else {
				fmt.Fprintf(&b, " %d-%d", r.First, r.Last)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func clusterInfo(nodes []Node) string {
	assigned := 0
	for _, n := range nodes {
		for _, r := range n.Slots {
			assigned += r.Last - r.First + 1
		}
	}
	state := "ok"
	if assigned < Slots {
		state = "fail"
	}
	return fmt.Sprintf("cluster_state:%s\r\ncluster_slots_assigned:%d\r\ncluster_slots_ok:%d\r\ncluster_slots_pfail:0\r\n"+
		"cluster_slots_fail:0\r\ncluster_known_nodes:%d\r\ncluster_size:%d\r\n", state, assigned, assigned, len(nodes), len(nodes))
}
