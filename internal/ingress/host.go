package ingress

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// DatabaseHost is the host name of a database: its name and the suffix, with nothing in between (rule NET-3).
func DatabaseHost(s Settings, db string) string { return db + s.DatabaseSuffix }

// CheckHost refuses what is no host name that a client can ask for in a TLS handshake. path is the field to blame. A
// name that is too long is refused with the length it comes to.
func CheckHost(path, host string) error {
	if why := wrong(host); why != "" {
		return outcome.Reject(path, "%s", why)
	}
	return nil
}

func wrong(host string) string {
	switch {
	case host == "":
		return "it is missing; give the host name under which clients outside of Kubernetes come in"
	case strings.ContainsAny(host, ":/"):
		return quote(host) + " is no host name; leave out scheme, port and path"
	case strings.Contains(host, "*"):
		return quote(host) + " has a wildcard; each way in needs a name of its own"
	case strings.ToLower(host) != host:
		return quote(host) + " has capital letters; write it in lower case"
	case len(host) > validation.DNS1123SubdomainMaxLength:
		return long("host name", host, validation.DNS1123SubdomainMaxLength)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return quote(host) + " is an address; a TLS handshake can only ask for a name"
	}
	for label := range strings.SplitSeq(host, ".") {
		switch {
		case len(label) > validation.DNS1123LabelMaxLength:
			return "host name " + quote(host) + ": " + long("label", label, validation.DNS1123LabelMaxLength)
		case len(validation.IsDNS1123Label(label)) > 0:
			return "host name " + quote(host) + ": " + quote(label) + " is no DNS label; letters, digits and hyphens are possible, and no hyphen at either end"
		}
	}
	return ""
}

func long(what, text string, most int) string {
	return fmt.Sprintf("%s %q has %d characters; DNS allows at most %d", what, text, len(text), most)
}

func quote(text string) string { return strconv.Quote(text) }
