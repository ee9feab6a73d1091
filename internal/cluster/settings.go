package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// defaultSlaveHAGrace is how long the cluster waits before it rebuilds lost replicas elsewhere (rule STB-5).
const defaultSlaveHAGrace = 1800

// setting is one line of a table of the cluster's settings: where the user finds it, and its place in the body B of the
// request. differs and take close over the type of the value.
type setting[B any] struct {
	path, name string
	differs    func(have, want *B) (change string, ok bool)
	take       func(from, into *B)
}

// at makes a line of a table from the slot of the value.
func at[B any, T comparable](path, name string, slot func(*B) **T) setting[B] {
	return setting[B]{path: path, name: name,
		differs: func(have, want *B) (string, bool) {
			h, w := *slot(have), *slot(want)
			if w == nil || h != nil && *h == *w {
				return "", false
			}
			was := "unset"
			if h != nil {
				was = or(fmt.Sprint(*h), was)
			}
			return fmt.Sprintf("%s (%s): %s → %v", path, name, was, *w), true
		},
		take: func(from, into *B) { *slot(into) = *slot(from) },
	}
}

// difference is the part of the wanted settings that differs, and what to say of it; nil for no difference.
func difference[B any](table []setting[B], have *B, want B) (*B, []string) {
	update, changes := new(B), []string(nil)
	for _, s := range table {
		if change, ok := s.differs(have, &want); ok {
			s.take(&want, update)
			changes = append(changes, change)
		}
	}
	if changes == nil {
		return nil, nil
	}
	return update, changes
}

// policySettings are what the spec may say of the policy (rule REC-112).
var policySettings = []setting[rest.ClusterPolicy]{
	at("spec.slaveHA.slaveHAGracePeriod", "slave_ha_grace_period", func(p *rest.ClusterPolicy) **rest.Int { return &p.SlaveHAGracePeriod }),
	at("spec.redisUpgradePolicy", "redis_upgrade_policy", func(p *rest.ClusterPolicy) **string { return &p.RedisUpgradePolicy }),
	at("spec.resp3Default", "resp3_default", func(p *rest.ClusterPolicy) **bool { return &p.RESP3Default }),
	at("spec.dataInternodeEncryption", "data_internode_encryption", func(p *rest.ClusterPolicy) **bool { return &p.DataInternodeEncryption }),
	at("spec.auditing.dbConnsAuditing", "db_conns_auditing", func(p *rest.ClusterPolicy) **bool { return &p.DBConnsAuditing }),
}

// wantedPolicy is what the spec says of the policy; what it does not mention stays unset and is left to the cluster.
func wantedPolicy(rec *v1.RedisEnterpriseCluster) rest.ClusterPolicy {
	p := rest.ClusterPolicy{RESP3Default: rec.Spec.RESP3Default, DataInternodeEncryption: rec.Spec.DataInternodeEncryption}
	grace := rest.Int(defaultSlaveHAGrace)
	if rec.Spec.SlaveHA != nil {
		grace = rest.Int(rec.Spec.SlaveHA.SlaveHAGracePeriod)
	}
	if grace > 0 {
		p.SlaveHAGracePeriod = &grace
	}
	if rec.Spec.RedisUpgradePolicy != "" {
		p.RedisUpgradePolicy = rest.Ptr(string(rec.Spec.RedisUpgradePolicy))
	}
	if rec.Spec.Auditing != nil {
		p.DBConnsAuditing = rec.Spec.Auditing.DBConnsAuditing
	}
	return p
}

// wantedModes are the optional services that the spec switches (rule REC-113); pdnsServer and saslauthd are accepted and
// ignored.
func wantedModes(rec *v1.RedisEnterpriseCluster) rest.ServicesConfiguration {
	s := rec.Spec.RedisEnterpriseServicesConfiguration
	if s == nil {
		return nil
	}
	modes := rest.ServicesConfiguration{}
	for name, mode := range map[string]*v1.ServiceMode{"cm_server": s.CMServer, "crdb_coordinator": s.CRDBCoordinator,
		"crdb_worker": s.CRDBWorker, "mdns_server": s.MDNSServer, "stats_archiver": s.StatsArchiver} {
		if mode != nil {
			modes[name] = rest.OperatingMode{OperatingMode: string(mode.OperatingMode)}
		}
	}
	return modes
}

// modesUpdate is the part of the wanted modes that differs.
func modesUpdate(have, want rest.ServicesConfiguration) (rest.ServicesConfiguration, []string) {
	update, changes := rest.ServicesConfiguration{}, []string(nil)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if have[name] != want[name] {
			update[name] = want[name]
			changes = append(changes, fmt.Sprintf("service %s: %s → %s", name, have[name].OperatingMode, want[name].OperatingMode))
		}
	}
	return update, changes
}

// sameLicense compares licence texts without their line breaks and blanks, which do not count and get lost on the way.
func sameLicense(a, b string) bool {
	return strings.Join(strings.Fields(a), "") == strings.Join(strings.Fields(b), "")
}
