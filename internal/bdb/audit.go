package bdb

import (
	"fmt"
	"slices"

	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// wantConnectionAuditing is the older of the two switches; auditMode wins over it.
func wantConnectionAuditing(in Inputs) (*bool, error) {
	a := in.Spec.Auditing
	if a == nil || a.AuditMode != "" {
		return nil, nil
	}
	return a.DBConnsAuditing, nil //nolint:staticcheck // deprecated for users, and still counts
}

// wantAudit is nil unless the spec uses one of the newer fields: clusters before 8.2 do not know the setting.
func wantAudit(in Inputs) (*rest.AuditSettings, error) {
	a := in.Spec.Auditing
	if a == nil || a.AuditMode == "" && a.UsernameFilter == nil && a.SourceIPFilter == nil {
		return nil, nil
	}
	mode := text(string(a.AuditMode), string(v1alpha1.AuditDisabled))
	if a.AuditMode == "" && *or(a.DBConnsAuditing, false) { //nolint:staticcheck // deprecated for users, and still counts
		mode = rest.Ptr(string(v1alpha1.AuditConnections))
	}
	out := rest.Ptr(noAudit)
	out.Mode = mode
	if f := a.UsernameFilter; f != nil {
		out.UsernameFilter = &rest.UsernameFilter{Enabled: f.Enabled, FilterType: *text(string(f.FilterType), inclusiveFilter), Usernames: filled(f.Usernames)}
	}
	if f := a.SourceIPFilter; f != nil {
		out.SourceIPFilter = &rest.SourceIPFilter{Enabled: f.Enabled, FilterType: *text(string(f.FilterType), inclusiveFilter),
			IPAddresses: filled(f.IPAddresses), CIDRRanges: filled(f.CIDRRanges)}
	}
	return out, nil
}

// filled is never nil: an empty list must be sendable.
func filled(list []string) []string { return append([]string{}, list...) }

const inclusiveFilter = string(v1alpha1.AuditFilterInclusive)

// noAudit is what a database without the setting does. Everything is said, so that it does not matter whether the
// server merges the setting with the one it has or replaces it.
var noAudit = rest.AuditSettings{Mode: rest.Ptr(string(v1alpha1.AuditDisabled)),
	UsernameFilter: &rest.UsernameFilter{FilterType: inclusiveFilter, Usernames: []string{}},
	SourceIPFilter: &rest.SourceIPFilter{FilterType: inclusiveFilter, IPAddresses: []string{}, CIDRRanges: []string{}}}

// sameAudit: what a filter that is off would filter means nothing, and order means nothing.
func sameAudit(a, b rest.AuditSettings) bool {
	if *or(a.Mode, "disabled") != *or(b.Mode, "disabled") {
		return false
	}
	ua, ub := rest.Value(a.UsernameFilter), rest.Value(b.UsernameFilter)
	if ua.Enabled != ub.Enabled || ua.Enabled && (inclusive(ua.FilterType) != inclusive(ub.FilterType) || !sameSet(ua.Usernames, ub.Usernames)) {
		return false
	}
	sa, sb := rest.Value(a.SourceIPFilter), rest.Value(b.SourceIPFilter)
	return sa.Enabled == sb.Enabled && (!sa.Enabled || inclusive(sa.FilterType) == inclusive(sb.FilterType) &&
		sameSet(sa.IPAddresses, sb.IPAddresses) && sameSet(sa.CIDRRanges, sb.CIDRRanges))
}

func inclusive(filter string) bool { return filter != string(v1alpha1.AuditFilterExclusive) }

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

func showAudit(a rest.AuditSettings) string {
	out := *or(a.Mode, "disabled")
	if f := a.UsernameFilter; f != nil && f.Enabled {
		out += fmt.Sprintf(", %d users", len(f.Usernames))
	}
	if f := a.SourceIPFilter; f != nil && f.Enabled {
		out += fmt.Sprintf(", %d addresses", len(f.IPAddresses)+len(f.CIDRRanges))
	}
	return out
}

const (
	maxFilterEntries = 512
	maxUsername      = 255
)

func ruleAuditing(s subject) (out []*Invalid) {
	a := s.spec.Auditing
	if a == nil {
		return nil
	}
	if f := a.UsernameFilter; f != nil {
		if len(f.Usernames) > maxFilterEntries {
			out = append(out, invalid("auditing.usernameFilter.usernames", "must have at most %d entries, not %d", maxFilterEntries, len(f.Usernames)))
		}
		for i, name := range f.Usernames {
			if !auditable(name) {
				out = append(out, invalid(fmt.Sprintf("auditing.usernameFilter.usernames[%d]", i),
					"must have 1 to %d printable characters without & < > and quotes", maxUsername))
			}
		}
	}
	if f := a.SourceIPFilter; f != nil && len(f.IPAddresses)+len(f.CIDRRanges) > maxFilterEntries {
		out = append(out, invalid("auditing.sourceIpFilter", "must have at most %d addresses and ranges, not %d", maxFilterEntries, len(f.IPAddresses)+len(f.CIDRRanges)))
	}
	return out
}

func auditable(name string) bool {
	if name == "" || len(name) > maxUsername {
		return false
	}
	for _, r := range name {
		if r < ' ' || r > '~' || r == '&' || r == '<' || r == '>' || r == '"' {
			return false
		}
	}
	return true
}
