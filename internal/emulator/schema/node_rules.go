package schema

import (
	"net/netip"
	"regexp"
	"strings"
)

// AnyClient is the key of an address mapping that holds for clients of every network.
const AnyClient = "default"

var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?$`)

// CheckAddresses looks at the addresses that a node is to be announced with: IP addresses or host names, each once, and
// a mapping whose keys are networks, host names or "default".
func CheckAddresses(ask Object) error {
	seen := map[string]bool{}
	for _, e := range listOf(ask["external_addr"]) {
		addr, _ := e.(string)
		if !isHost(addr) {
			return invalidSchema("'%s' is neither an IP address nor a host name (external_addr)", addr)
		}
		if seen[addr] {
			return invalidSchema("'%s' is listed twice (external_addr)", addr)
		}
		seen[addr] = true
	}
	seen = map[string]bool{}
	for _, e := range listOf(ask["oss_cluster_ip_mapping"]) {
		o, _ := e.(map[string]any)
		key := TextOf(o, "key")
		if _, err := netip.ParsePrefix(key); err != nil && key != AnyClient && !isHost(key) {
			return invalidSchema("'%s' is neither a network, a host name nor '%s' (oss_cluster_ip_mapping)", key, AnyClient)
		}
		value, _ := o["value"].(map[string]any)
		if ip := TextOf(value, "ip"); ip != "" && !isHost(ip) {
			return invalidSchema("'%s' is no address (oss_cluster_ip_mapping of %s)", ip, key)
		}
		if seen[key] {
			return invalidSchema("'%s' is mapped twice (oss_cluster_ip_mapping)", key)
		}
		seen[key] = true
	}
	return nil
}

func isHost(text string) bool {
	if _, err := netip.ParseAddr(text); err == nil {
		return true
	}
	// What looks like an address and is none is a mistake, although DNS would allow it as a name.
	last := text[strings.LastIndex(text, ".")+1:]
	return len(text) <= 253 && hostName.MatchString(strings.ToLower(text)) && strings.Trim(last, "0123456789") != ""
}
