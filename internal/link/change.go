package link

import (
	"crypto/sha256"
	"encoding/json"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Change says how a reading differs from the one before.
type Change struct {
	// Key is the cluster's.
	Key types.NamespacedName
	// BDBs are the databases that appeared, changed (their shards and alerts included, and what they share with other clusters) or went, in order of uid.
	BDBs []rest.UID
	// Names are the names of BDBs, in the same order.
	Names []string
	// Nodes is true when a node appeared, changed its state, role, version or addresses, or went.
	Nodes bool
	// Cluster is true when the settings, the licence or the modules changed.
	Cluster bool
	// WentUp and WentDown tell that the link began or ceased to work.
	WentUp, WentDown bool
	// Snapshot is the new reading.
	Snapshot *Snapshot
}

// Empty tells whether nothing changed.
func (c Change) Empty() bool {
	return len(c.BDBs) == 0 && !c.Nodes && !c.Cluster && !c.WentUp && !c.WentDown
}

type mark [sha256.Size]byte

// marks are fingerprints of the parts of a snapshot, without the figures that always move.
type marks struct {
	bdbs           map[rest.UID]mark
	names          map[rest.UID]string
	nodes, cluster mark
}

func (s *Snapshot) fingerprint() error {
	m := marks{bdbs: make(map[rest.UID]mark, len(s.BDBs)), names: make(map[rest.UID]string, len(s.BDBs))}
	for i := range s.BDBs {
		uid := rest.Value(s.BDBs[i].UID)
		fp, err := markOf(steady(s.BDBs[i]), s.shardsOf[uid], s.Alerts[uid], s.CRDBOf(uid))
		if err != nil {
			return err
		}
		m.bdbs[uid] = fp
		m.names[uid] = rest.Value(s.BDBs[i].Name)
	}
	var err error
	if m.nodes, err = markOf(s.nodeFacts()); err != nil {
		return err
	}
	m.cluster, err = markOf(s.Cluster, s.Policy, s.License, s.Modules, s.Certificates)
	s.marks = m
	return err
}

// steady drops what moves in every reading of a healthy database.
func steady(b rest.BDB) rest.BDB {
	b.BackupProgress = nil
	if b.ReplicaSources != nil {
		sources := slices.Clone(*b.ReplicaSources)
		for i := range sources {
			sources[i].Lag, sources[i].LastUpdate, sources[i].RDBTransferred = 0, "", 0
		}
		b.ReplicaSources = &sources
	}
	return b
}

type nodeFact struct {
	UID                           rest.UID
	Addr, Status, Role, Ver, Rack string
	Accept, Maintenance           bool
	External                      []string
	Mapping                       []rest.IPMapping
}

func (s *Snapshot) nodeFacts() []nodeFact {
	facts := make([]nodeFact, 0, len(s.Nodes))
	for _, n := range s.Nodes {
		st := s.NodeStatus[n.UID]
		facts = append(facts, nodeFact{UID: n.UID, Addr: n.Addr, Status: n.Status, Role: st.Role, Ver: n.SoftwareVersion,
			Rack: n.RackID, Accept: n.AcceptServers, Maintenance: st.InMaintenance(),
			External: n.ExternalAddr, Mapping: n.OSSClusterIPMapping})
	}
	slices.SortFunc(facts, func(a, b nodeFact) int { return int(a.UID - b.UID) })
	return facts
}

func markOf(parts ...any) (mark, error) {
	data, err := json.Marshal(parts)
	return sha256.Sum256(data), err
}

// compare lists the differences between two readings.
func compare(key types.NamespacedName, before, after *Snapshot) Change {
	c := Change{Key: key, Snapshot: after, WentUp: after.Up() && !before.Up(), WentDown: before.Up() && !after.Up()}
	if !after.Up() {
		return c
	}
	for uid, m := range after.marks.bdbs {
		if old, ok := before.marks.bdbs[uid]; !ok || old != m {
			c.BDBs = append(c.BDBs, uid)
		}
	}
	for uid := range before.marks.bdbs {
		if _, ok := after.marks.bdbs[uid]; !ok {
			c.BDBs = append(c.BDBs, uid)
		}
	}
	slices.Sort(c.BDBs)
	for _, uid := range c.BDBs {
		name := after.marks.names[uid]
		if name == "" {
			name = before.marks.names[uid]
		}
		c.Names = append(c.Names, name)
	}
	c.Nodes = after.marks.nodes != before.marks.nodes
	c.Cluster = after.marks.cluster != before.marks.cluster
	return c
}
