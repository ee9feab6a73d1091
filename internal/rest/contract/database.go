package contract

import (
	"context"
	"strings"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

const mb = 1 << 20

func small(name string) *rest.BDB {
	return &rest.BDB{Name: rest.Ptr(name), MemorySize: rest.Ptr(rest.Int(100 * mb))}
}

// create makes a database, waits until it serves, and deletes it at the end of the test.
func (s *suite) create(t *testing.T, body *rest.BDB) *rest.BDB {
	t.Helper()
	made, err := s.client.CreateBDB(t.Context(), body)
	must(t, err)
	s.remove(t, rest.Value(made.UID))
	return s.settle(t, rest.Value(made.UID))
}

// remove deletes a database when the test is over.
func (s *suite) remove(t *testing.T, uid rest.UID) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		for {
			switch err := s.client.DeleteBDB(ctx, uid); {
			case rest.IsNotFound(err):
				return
			case err != nil && !rest.IsBusy(err):
				t.Errorf("deleting database %s: %v", uid, err)
				return
			}
		}
	})
}

// settle waits until a database is active and serves.
func (s *suite) settle(t *testing.T, uid rest.UID) *rest.BDB {
	t.Helper()
	var b *rest.BDB
	until(t, "an active database", func(ctx context.Context) (bool, error) {
		var err error
		if b, err = s.client.GetBDB(ctx, uid); err != nil {
			return false, err
		}
		if rest.Value(b.Status) == rest.BDBCreationFailed {
			t.Fatal("the creation failed")
		}
		e, ok := b.MainEndpoint()
		if rest.Value(b.Status) != rest.BDBActive || !ok || len(e.Addr) == 0 {
			return false, nil
		}
		return true, s.client.CheckBDB(ctx, uid)
	})
	return b
}

func (s *suite) database(t *testing.T) {
	ctx, name := t.Context(), unique("contract")
	must(t, s.client.CheckCreateBDB(ctx, small(name)))
	if b, err := s.client.FindBDB(ctx, name); err != nil || b != nil {
		t.Fatalf("a dry run made a database: %v %v", b, err)
	}
	want := small(name)
	want.RedisPassword = rest.Ptr("first")
	want.EvictionPolicy = rest.Ptr("noeviction")
	want.Tags = &[]rest.Tag{{Key: "suite", Value: "contract"}}
	made, err := s.client.CreateBDB(ctx, want)
	must(t, err)
	uid := rest.Value(made.UID)
	s.remove(t, uid)
	if rest.Value(made.Status) != rest.BDBPending || rest.Value(made.ActionUID) == "" {
		t.Errorf("the answer to a create has status %q and action %q", rest.Value(made.Status), rest.Value(made.ActionUID))
	}
	b := s.settle(t, uid)
	if rest.Value(b.Name) != name || rest.Value(b.MemorySize) != 100*mb || rest.Value(b.EvictionPolicy) != "noeviction" || rest.Value(b.RedisPassword) != "first" {
		t.Errorf("it came back as %s with %d bytes, %s", b, rest.Value(b.MemorySize), rest.Value(b.EvictionPolicy))
	}
	if found, err := s.client.FindBDB(ctx, name); err != nil || found == nil || rest.Value(found.UID) != uid {
		t.Errorf("by name: %v %v", found, err)
	}
	s.actionOver(t, rest.Value(made.ActionUID))
	s.shardsOf(t, uid, 1)
	s.updates(t, b)

	must(t, s.client.DeleteBDB(ctx, uid))
	until(t, "the end of the database", func(ctx context.Context) (bool, error) {
		_, err := s.client.GetBDB(ctx, uid)
		return rest.IsNotFound(err), nil
	})
	wants(t, "deleting it again", s.client.DeleteBDB(ctx, uid), rest.IsNotFound)
	_, err = s.client.UpdateBDB(ctx, uid, &rest.BDB{Replication: rest.Ptr(false)})
	wants(t, "changing it afterwards", err, rest.IsNotFound)
	wants(t, "its availability afterwards", s.client.CheckBDB(ctx, uid), rest.IsNotFound)
}

// actionOver: a finished action says so, or is forgotten.
func (s *suite) actionOver(t *testing.T, uid string) {
	t.Helper()
	until(t, "the end of the action", func(ctx context.Context) (bool, error) {
		a, err := s.client.GetAction(ctx, uid)
		if rest.IsNotFound(err) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if a.Phase() == rest.Failed {
			t.Fatalf("the action failed: %s", a.Message())
		}
		return a.Phase() == rest.Succeeded, nil
	})
}

func (s *suite) shardsOf(t *testing.T, uid rest.UID, masters int) {
	t.Helper()
	shards, err := s.client.ListShards(t.Context())
	must(t, err)
	n := 0
	for _, sh := range shards {
		if sh.BDBUID != uid {
			continue
		}
		if !sh.Healthy() || sh.UID == 0 || sh.NodeUID == 0 {
			t.Errorf("shard %+v", sh)
		}
		if sh.Role == rest.RoleMaster {
			n++
		}
	}
	if n != masters {
		t.Errorf("%d master shards, want %d", n, masters)
	}
}

func (s *suite) updates(t *testing.T, b *rest.BDB) {
	t.Helper()
	ctx, uid := t.Context(), rest.Value(b.UID)
	change := &rest.BDB{MemorySize: rest.Ptr(rest.Int(150 * mb))}
	must(t, s.client.CheckUpdateBDB(ctx, uid, change))
	if now, err := s.client.GetBDB(ctx, uid); err != nil || rest.Value(now.MemorySize) != 100*mb {
		t.Errorf("a dry run changed the database: %v", err)
	}
	answer, err := s.client.UpdateBDB(ctx, uid, change)
	must(t, err)
	if rest.Value(answer.ActionUID) == "" {
		t.Error("the answer to an update names no action")
	}
	now := s.settle(t, uid)
	if rest.Value(now.MemorySize) != 150*mb || rest.Value(now.EvictionPolicy) != "noeviction" {
		t.Errorf("after the update: %d bytes, %s", rest.Value(now.MemorySize), rest.Value(now.EvictionPolicy))
	}
	// A second change while the first is under way is busy, or comes after it; it is never lost.
	until(t, "the password change", func(ctx context.Context) (bool, error) {
		_, err := s.client.UpdateBDB(ctx, uid, &rest.BDB{RedisPassword: rest.Ptr("second")})
		if rest.IsBusy(err) {
			return false, nil
		}
		return err == nil, err
	})
	now = s.settle(t, uid)
	if rest.Value(now.RedisPassword) != "second" {
		t.Error("the password did not change")
	}
	until(t, "the password call", func(ctx context.Context) (bool, error) {
		err := s.client.ReplaceBDBPasswords(ctx, uid, "third")
		if rest.IsBusy(err) {
			return false, nil
		}
		return err == nil, err
	})
	s.settle(t, uid)
}

func (s *suite) refusals(t *testing.T) {
	ctx := t.Context()
	existing := s.create(t, small(unique("taken")))
	with := func(change func(*rest.BDB)) *rest.BDB {
		b := small(unique("refused"))
		change(b)
		return b
	}
	endpoint, _ := existing.MainEndpoint()
	for _, tc := range []struct {
		name string
		body *rest.BDB
		code string // empty: any
	}{
		{"no name", &rest.BDB{MemorySize: rest.Ptr(rest.Int(100 * mb))}, "missing_db_name"},
		{"no memory size", &rest.BDB{Name: rest.Ptr(unique("x"))}, "missing_memory_size"},
		{"a port out of range", with(func(b *rest.BDB) { b.Port = rest.Ptr(rest.Int(80)) }), ""},
		{"a port in use", with(func(b *rest.BDB) { b.Port = &endpoint.Port }), "port_unavailable"},
		{"several shards without sharding", with(func(b *rest.BDB) { b.ShardsCount = rest.Ptr(rest.Int(2)) }), "invalid_sharding"},
		{"an unknown eviction policy", with(func(b *rest.BDB) { b.EvictionPolicy = rest.Ptr("sometimes") }), ""},
		{"a version of three parts", with(func(b *rest.BDB) { b.RedisVer = rest.Ptr("7.2.4") }), "invalid_version"},
		{"two tags of one key", with(func(b *rest.BDB) { b.Tags = &[]rest.Tag{{Key: "a", Value: "1"}, {Key: "a", Value: "2"}} }), "invalid_bdb_tags"},
		{"a certificate that is none", with(func(b *rest.BDB) { b.ClientCerts = &[]rest.ClientCert{{Cert: "nonsense"}} }), "invalid_certificate"},
		{"more shards than the licence allows", with(func(b *rest.BDB) {
			b.Sharding, b.ShardsCount = rest.Ptr(true), rest.Ptr(rest.Int(64))
			b.ShardKeyRegex = &[]rest.ShardKeyRule{{Regex: `.*\{(?<tag>.*)\}.*`}, {Regex: `(?<tag>.*)`}}
		}), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := s.client.CreateBDB(ctx, tc.body)
			wants(t, "creating", err, rest.IsRefused)
			if tc.code != "" && rest.Code(err) != tc.code {
				t.Errorf("the code is %q, want %q", rest.Code(err), tc.code)
			}
			wants(t, "the dry run", s.client.CheckCreateBDB(ctx, tc.body), rest.IsRefused)
		})
	}
	_, err := s.client.UpdateBDB(ctx, rest.Value(existing.UID), &rest.BDB{ProxyPolicy: rest.Ptr("some")})
	wants(t, "an unknown proxy policy in an update", err, rest.IsRefused)
	_, err = s.client.CreateBDB(ctx, &rest.BDB{UID: existing.UID, Name: rest.Ptr(unique("uid")), MemorySize: rest.Ptr(rest.Int(100 * mb))})
	wants(t, "a uid that is taken", err, rest.IsExists)
	list, err := s.client.ListBDBs(ctx, "uid", "name")
	must(t, err)
	for i := range list {
		if strings.HasPrefix(rest.Value(list[i].Name), "refused-") {
			t.Errorf("a refused database exists: %s", list[i])
		}
	}
}

func (s *suite) alerts(t *testing.T) {
	uid := rest.Value(s.create(t, small(unique("alerts"))).UID)
	must(t, s.client.UpdateBDBAlerts(t.Context(), uid, map[string]rest.AlertSetting{"bdb_size": {Enabled: true, Threshold: rest.Ptr("75")}}))
	alerts, err := s.client.GetBDBAlerts(t.Context(), uid)
	must(t, err)
	if a := alerts["bdb_size"]; !a.Enabled || a.Threshold != "75" {
		t.Errorf("the alert is %+v", a)
	}
	all, err := s.client.ListBDBAlerts(t.Context())
	must(t, err)
	if a := all[uid]["bdb_size"]; !a.Enabled || a.Threshold != "75" {
		t.Errorf("in the list it is %+v", a)
	}
}

// lostAnswers: what was done without telling is found by looking, and never done twice.
func (s *suite) lostAnswers(t *testing.T) {
	ctx, name := t.Context(), unique("lost")
	s.Spoil(t, "POST", "/v1/bdbs")
	_, err := s.client.CreateBDB(ctx, small(name))
	wants(t, "a create whose answer is lost", err, rest.MaybeApplied)
	b, err := s.client.FindBDB(ctx, name)
	if err != nil || b == nil {
		t.Fatalf("it is not found by name: %v", err)
	}
	uid := rest.Value(b.UID)
	s.remove(t, uid)
	s.settle(t, uid)
	list, err := s.client.ListBDBs(ctx, "uid", "name")
	must(t, err)
	n := 0
	for i := range list {
		if rest.Value(list[i].Name) == name {
			n++
		}
	}
	if n != 1 {
		t.Errorf("there are %d of it", n)
	}
	s.Spoil(t, "GET", "/v1/nodes")
	if _, err := s.client.ListNodes(ctx); err != nil {
		t.Errorf("a read whose answer is lost is not repeated: %v", err)
	}
	s.Spoil(t, "DELETE", "/v1/bdbs/"+uid.String())
	wants(t, "a delete whose answer is lost", s.client.DeleteBDB(ctx, uid), rest.MaybeApplied)
	until(t, "the end of the database", func(ctx context.Context) (bool, error) {
		_, err := s.client.GetBDB(ctx, uid)
		return rest.IsNotFound(err), nil
	})
}
