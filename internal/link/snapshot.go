package link

import (
	"errors"
	"slices"
	"time"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// ErrNotYet is a snapshot's error before the first reading has ended.
var ErrNotYet = errors.New("the cluster has not been read yet")

// ErrClosed is the error of a link that was removed.
var ErrClosed = errors.New("the link to the cluster was removed")

// Snapshot is one reading of a cluster. It is immutable and shared: do not change what it points to.
//
// When a reading fails, the facts of the last good one are kept and Err is set.
type Snapshot struct {
	// Time is when the reading that brought the facts began; zero if there was none yet.
	Time time.Time
	// Tried is when the last reading began, good or bad.
	Tried time.Time
	// Err is why the last reading failed; nil means that the facts are those of Time.
	Err error
	// StateID is the cluster-state-id, which grows with each change of the cluster.
	StateID int64

	// Cluster, Policy, License, Modules and Alerts change seldom and are read less often, but never lag behind a
	// write made through this link. License is nil when there is none.
	Cluster *rest.Cluster
	Policy  *rest.ClusterPolicy
	License *rest.License
	Modules []rest.Module
	Alerts  map[rest.UID]map[string]rest.Alert

	// CRDBs are the Active-Active databases that the cluster takes part in, and Certificates what it shows to the others;
	// they are read only where there are such databases.
	CRDBs        []rest.CRDB
	Certificates map[string]string

	Nodes      []rest.Node
	NodeStatus map[rest.UID]rest.NodeStatus
	BDBs       []rest.BDB
	Shards     []rest.Shard
	Actions    []rest.Action

	byUID    map[rest.UID]*rest.BDB
	byName   map[string]*rest.BDB
	shardsOf map[rest.UID][]rest.Shard
	marks    marks
	// number is that of the last reading, good or bad.
	number uint64
	// slow is the reading that brought the facts that change seldom, slowAt its time.
	slow   uint64
	slowAt time.Time
}

// Known tells whether there are facts at all, fresh or old.
func (s *Snapshot) Known() bool { return !s.Time.IsZero() }

// Up tells whether the last reading worked.
func (s *Snapshot) Up() bool { return s.Err == nil && s.Known() }

// BDB returns the database with a uid, or nil.
func (s *Snapshot) BDB(uid rest.UID) *rest.BDB { return s.byUID[uid] }

// BDBNamed returns the database with a name, or nil.
func (s *Snapshot) BDBNamed(name string) *rest.BDB { return s.byName[name] }

// activeActive tells whether a database of the cluster is shared with others.
func (s *Snapshot) activeActive() bool {
	return slices.ContainsFunc(s.BDBs, func(b rest.BDB) bool { return rest.Value(b.CRDT) })
}

// CRDBOf returns the Active-Active database that a database is the local part of, or nil.
func (s *Snapshot) CRDBOf(uid rest.UID) *rest.CRDB {
	b := s.BDB(uid)
	if b == nil {
		return nil
	}
	for i := range s.CRDBs {
		if c := &s.CRDBs[i]; rest.Value(c.GUID) != "" && rest.Value(c.GUID) == rest.Value(b.CRDTGUID) || c.LocalUID() == uid {
			return c
		}
	}
	return nil
}

// ShardsOf returns the shards of a database.
func (s *Snapshot) ShardsOf(uid rest.UID) []rest.Shard { return s.shardsOf[uid] }

// Node returns the node with a uid, or nil.
func (s *Snapshot) Node(uid rest.UID) *rest.Node {
	for i := range s.Nodes {
		if s.Nodes[i].UID == uid {
			return &s.Nodes[i]
		}
	}
	return nil
}

// NodeAt returns the node with an address, or nil.
func (s *Snapshot) NodeAt(address string) *rest.Node {
	for i := range s.Nodes {
		if s.Nodes[i].Addr == address {
			return &s.Nodes[i]
		}
	}
	return nil
}

// Master returns the node that leads the cluster, or nil while that is not known.
func (s *Snapshot) Master() *rest.Node {
	for uid, st := range s.NodeStatus {
		if st.Role == rest.RoleMaster {
			return s.Node(uid)
		}
	}
	return nil
}

// Action returns a task or state machine by its uid, or nil.
func (s *Snapshot) Action(uid string) *rest.Action {
	for i := range s.Actions {
		if s.Actions[i].ActionUID == uid {
			return &s.Actions[i]
		}
	}
	return nil
}

// Busy tells whether something is under way in the cluster, so that a reading soon will find news.
func (s *Snapshot) Busy() bool {
	for i := range s.BDBs {
		if !s.BDBs[i].Settled() {
			return true
		}
	}
	for i := range s.Actions {
		if s.Actions[i].Phase() == rest.Running {
			return true
		}
	}
	for i := range s.Nodes {
		if s.Nodes[i].Status != rest.NodeActive {
			return true
		}
	}
	for i := range s.Shards {
		if !s.Shards[i].Healthy() || !s.Shards[i].InSync() {
			return true
		}
	}
	return false
}

func (s *Snapshot) index() {
	s.byUID = make(map[rest.UID]*rest.BDB, len(s.BDBs))
	s.byName = make(map[string]*rest.BDB, len(s.BDBs))
	s.shardsOf = make(map[rest.UID][]rest.Shard, len(s.BDBs))
	for i := range s.BDBs {
		b := &s.BDBs[i]
		s.byUID[rest.Value(b.UID)] = b
		if name := rest.Value(b.Name); s.byName[name] == nil {
			s.byName[name] = b // with two of a name, the older one stays visible
		}
	}
	for _, sh := range s.Shards {
		s.shardsOf[sh.BDBUID] = append(s.shardsOf[sh.BDBUID], sh)
	}
}
