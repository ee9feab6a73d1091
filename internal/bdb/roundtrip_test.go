package bdb

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

func maybe[T any](r *rand.Rand, v T) *T {
	if r.IntN(2) == 0 {
		return nil
	}
	return &v
}

// randomInputs makes inputs that Validate accepts.
func randomInputs(r *rand.Rand) Inputs {
	s := &v1alpha1.RedisEnterpriseDatabaseSpec{
		MemorySize:              pick(r, "", "100MB", "0.5GB", "10Gi", "1.5gb", "123456KB"),
		ShardCount:              maybe(r, 1+r.IntN(8)),
		Replication:             maybe(r, r.IntN(2) == 0),
		Persistence:             v1alpha1.Persistence(pick(r, append([]string{""}, persistenceWords...)...)),
		EvictionPolicy:          pick(r, append([]string{""}, evictionPolicies...)...),
		DatabasePort:            maybe(r, 12000+r.IntN(100)),
		DefaultUser:             maybe(r, r.IntN(2) == 0),
		TLSMode:                 pick(r, "", v1alpha1.TLSDisabled, v1alpha1.TLSEnabled, v1alpha1.TLSReplica),
		OSSCluster:              maybe(r, r.IntN(2) == 0),
		ShardsPlacement:         pick(r, "", v1alpha1.PlacementDense, v1alpha1.PlacementSparse),
		RackAware:               maybe(r, r.IntN(2) == 0),
		DataInternodeEncryption: maybe(r, r.IntN(2) == 0),
		RESP3:                   maybe(r, r.IntN(2) == 0),
		RedisVersion:            pick(r, "", "7.4", "major"),
	}
	if r.IntN(2) == 0 {
		s.ProxyPolicy = pick(r, "all-master-shards", "all-nodes")
	}
	if r.IntN(2) == 0 {
		s.OSSClusterSettings = &v1alpha1.DatabaseOSSClusterSettings{EnableExternalAccess: r.IntN(2) == 0 && rest.Value(s.OSSCluster)}
	}
	if r.IntN(2) == 0 {
		s.ConnectionSettings = &v1alpha1.ConnectionSettings{InternalConnections: maybe(r, 1+r.IntN(9)),
			ConnectionSchedulingPolicy: pick[v1alpha1.ConnectionSchedulingPolicy](r, "", "mru", "spread"), MinDedicatedConnections: maybe(r, r.IntN(5)),
			GlobalMaxDedicatedConnections: maybe(r, r.IntN(5)), ConnectionLimitType: pick[v1alpha1.ConnectionLimitType](r, "", "per-shard")}
	}
	if r.IntN(2) == 0 {
		s.Tags = map[string]string{"team": "a", fmt.Sprint("k", r.IntN(3)): "v"}
	}
	if r.IntN(3) == 0 {
		s.Auditing = &v1alpha1.DatabaseAuditing{AuditMode: pick[v1alpha1.AuditMode](r, "", "disabled", "connection"), DBConnsAuditing: maybe(r, true)} //nolint:staticcheck // deprecated for users, and still counts
		if r.IntN(2) == 0 {
			s.Auditing.UsernameFilter = &v1alpha1.AuditUsernameFilter{Enabled: r.IntN(2) == 0, FilterType: pick[v1alpha1.AuditFilterType](r, "", "exclusive"), Usernames: []string{"b", "a"}}
		}
	}
	if r.IntN(4) == 0 {
		s.ModulesList = []v1alpha1.DatabaseModule{{Name: "search"}, {Name: "bf", Version: "1.2.3", Config: "A B"}}
	}
	in := Inputs{Name: "db", Spec: s, Tags: OwnTags("ns", "db", s), Salt: "salt"}
	if *or(s.DefaultUser, true) {
		in.Password = rest.Ptr(pick(r, "", "geheim"))
	}
	for i := range r.IntN(3) {
		in.ClientCertificates = append(in.ClientCertificates, fmt.Sprintf("PEM %d\n", i))
	}
	return in
}

// overWire is what the client reads when the server answers with what it was sent.
func overWire(t *testing.T, body *rest.BDB) *rest.BDB {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	out := new(rest.BDB)
	if err := json.Unmarshal(data, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWrittenThenComparedShowsNoDifference(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		in := randomInputs(r)
		if problems := Validate(in.Name, in.Spec); len(problems) > 0 {
			t.Fatalf("the generator made a bad spec: %v", problems)
		}
		body, err := Create(in)
		if err != nil {
			t.Fatal(err)
		}
		have := overWire(t, body)
		noDifference(t, in, have)
	}
}

// TestUpdatedThenComparedShowsNoDifference takes any database to any other spec in one update.
func TestUpdatedThenComparedShowsNoDifference(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	changed := 0
	for range 500 {
		before, after := randomInputs(r), randomInputs(r)
		after.Spec.DatabasePort, after.Spec.ModulesList = before.Spec.DatabasePort, before.Spec.ModulesList // fixed
		body, err := Create(before)
		if err != nil {
			t.Fatal(err)
		}
		have := overWire(t, body)
		after.ManagedTags = ManagedTags(before.Spec)
		if after.ManagedFields, err = ManagedFields(before); err != nil {
			t.Fatal(err)
		}
		update, changes, err := Diff(after, have)
		if err != nil {
			t.Fatal(err)
		}
		if (update == nil) != (len(changes) == 0) {
			t.Fatalf("a body without changes, or changes without a body: %v", changes)
		}
		if update == nil {
			continue
		}
		changed++
		data, err := json.Marshal(update)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, have); err != nil { // a partial update
			t.Fatal(err)
		}
		noDifference(t, after, have)
	}
	if changed < 450 {
		t.Fatalf("only %d pairs differed", changed)
	}
}

func noDifference(t *testing.T, in Inputs, have *rest.BDB) {
	t.Helper()
	_, changes, err := Diff(in, have)
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) > 0 {
		t.Fatalf("written and yet different: %s", Print(changes))
	}
	refused, err := Refusals(in, have)
	if err != nil {
		t.Fatal(err)
	}
	if len(refused) > 0 {
		t.Fatalf("written and yet refused: %v", refused)
	}
}
