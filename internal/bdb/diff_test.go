package bdb

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

type spec = v1alpha1.RedisEnterpriseDatabaseSpec

// existing is a database as a server reports it, made from a spec.
func existing(t *testing.T, in Inputs) *rest.BDB {
	t.Helper()
	body, err := Create(in)
	if err != nil {
		t.Fatal(err)
	}
	have := overWire(t, body)
	have.UID = rest.Ptr(rest.UID(7))
	have.Status = rest.Ptr(rest.BDBActive)
	if have.Port == nil {
		have.Port = rest.Ptr(rest.Int(0))
	}
	have.Endpoints = &[]rest.Endpoint{{UID: "7:1", Port: 14968, AddrType: "internal"}}
	return have
}

func TestDiff(t *testing.T) {
	yes := true
	for _, tc := range []struct {
		name    string
		before  Inputs
		after   Inputs
		tamper  func(*rest.BDB)
		changes []string
		body    string
	}{
		{name: "nothing to do", before: Inputs{Spec: &spec{}}, after: Inputs{Spec: &spec{MemorySize: "0.09765625GB"}}},
		{name: "a size prints in the units people type", before: Inputs{Spec: &spec{}}, after: Inputs{Spec: &spec{MemorySize: "200mb"}},
			changes: []string{"spec.memorySize (memory_size): 100MB → 200MB"}, body: `{"memory_size":209715200}`},
		{name: "REDB-6 a removed field falls back to its default", before: Inputs{Spec: &spec{Replication: &yes}}, after: Inputs{Spec: &spec{}},
			changes: []string{"spec.replication (replication): true → false"}, body: `{"replication":false}`},
		{name: "REDB-6 resp3 that is removed changes nothing", before: Inputs{Spec: &spec{RESP3: rest.Ptr(false)}}, after: Inputs{Spec: &spec{}}},
		{name: "REDB-6 an optional field goes back when it was set before", before: Inputs{Spec: &spec{RackAware: &yes}},
			after: Inputs{Spec: &spec{}, ManagedFields: []string{"rackAware"}}, changes: []string{"spec.rackAware (rack_aware): true → false"}, body: `{"rack_aware":false}`},
		{name: "an optional field set by somebody else is left", before: Inputs{Spec: &spec{}}, after: Inputs{Spec: &spec{}},
			tamper: func(b *rest.BDB) { b.RackAware = &yes; b.Conns = rest.Ptr(rest.Int(50)) }},
		{name: "REDB-5 drift of an owned setting is put right", before: Inputs{Spec: &spec{}}, after: Inputs{Spec: &spec{}},
			tamper: func(b *rest.BDB) { b.EvictionPolicy = rest.Ptr("noeviction") }, changes: []string{"spec.evictionPolicy (eviction_policy): noeviction → volatile-lru"},
			body: `{"eviction_policy":"volatile-lru"}`},
		{name: "a password is never printed", before: Inputs{Spec: &spec{}, Password: rest.Ptr("old")}, after: Inputs{Spec: &spec{}, Password: rest.Ptr("new")},
			changes: []string{"spec.databaseSecretName (authentication_redis_pass): *** → *** (changed)"}, body: `{"authentication_redis_pass":"new"}`},
		{name: "an empty password means no authentication", before: Inputs{Spec: &spec{}, Password: rest.Ptr("old")}, after: Inputs{Spec: &spec{}, Password: rest.Ptr("")},
			changes: []string{"spec.databaseSecretName (authentication_redis_pass): *** → *** (changed)"}, body: `{"authentication_redis_pass":""}`},
		{name: "REDB-30 a masked password that was sent is no difference", before: Inputs{Spec: &spec{}, Password: rest.Ptr("pw")},
			after:  Inputs{Spec: &spec{}, Password: rest.Ptr("pw"), Salt: "s", Recorded: map[string]string{"authentication_redis_pass": fingerprint("s", "authentication_redis_pass", "pw")}},
			tamper: func(b *rest.BDB) { b.RedisPassword = rest.Ptr("*****") }},
		{name: "a masked password that was not sent is", before: Inputs{Spec: &spec{}, Password: rest.Ptr("pw")}, after: Inputs{Spec: &spec{}, Password: rest.Ptr("pw"), Salt: "s"},
			tamper: func(b *rest.BDB) { b.RedisPassword = rest.Ptr("*****") }, changes: []string{"spec.databaseSecretName (authentication_redis_pass): *** → *** (changed)"},
			body: `{"authentication_redis_pass":"pw"}`},
		{name: "auditing is switched on with its filter", before: Inputs{Spec: &spec{}}, after: Inputs{Spec: &spec{Auditing: &v1alpha1.DatabaseAuditing{
			AuditMode: "connection", UsernameFilter: &v1alpha1.AuditUsernameFilter{Enabled: true, Usernames: []string{"a", "b"}}}}},
			changes: []string{"spec.auditing (audit_settings): disabled → connection, 2 users"},
			body:    `{"audit_settings":{"audit_mode":"connection","username_filter":{"enabled":true,"filter_type":"inclusive","usernames":["a","b"]},"source_ip_filter":{"enabled":false,"filter_type":"inclusive","ip_addresses":[],"cidr_ranges":[]}}}`},
		{name: "auditing that was never set is not sent", before: Inputs{Spec: &spec{}}, after: Inputs{Spec: &spec{}}},
		{name: "REDB-6 auditing that is removed goes back to disabled", before: Inputs{Spec: &spec{Auditing: &v1alpha1.DatabaseAuditing{AuditMode: "connection"}}},
			after: Inputs{Spec: &spec{}, ManagedFields: []string{"auditing"}}, changes: []string{"spec.auditing (audit_settings): connection → disabled"},
			body: `{"audit_settings":{"audit_mode":"disabled","username_filter":{"enabled":false,"filter_type":"inclusive","usernames":[]},"source_ip_filter":{"enabled":false,"filter_type":"inclusive","ip_addresses":[],"cidr_ranges":[]}}}`},
		{name: "filter entries in another order are the same",
			before: Inputs{Spec: &spec{Auditing: &v1alpha1.DatabaseAuditing{AuditMode: "connection", SourceIPFilter: &v1alpha1.AuditSourceIPFilter{Enabled: true, IPAddresses: []string{"10.0.0.1", "10.0.0.2"}}}}},
			after:  Inputs{Spec: &spec{Auditing: &v1alpha1.DatabaseAuditing{AuditMode: "connection", SourceIPFilter: &v1alpha1.AuditSourceIPFilter{Enabled: true, IPAddresses: []string{"10.0.0.2", "10.0.0.1"}}}}}},
		{name: "the older switch still works", before: Inputs{Spec: &spec{}}, after: Inputs{Spec: &spec{Auditing: &v1alpha1.DatabaseAuditing{DBConnsAuditing: &yes}}}, //nolint:staticcheck // deprecated for users, and still counts
			changes: []string{"spec.auditing.dbConnsAuditing (db_conns_auditing): false → true"}, body: `{"db_conns_auditing":true}`},
		{name: "TLS without certificates does not ask clients for them", before: Inputs{Spec: &spec{}}, after: Inputs{Spec: &spec{TLSMode: "enabled"}},
			changes: []string{"spec.tlsMode (tls_mode): disabled → enabled", "spec.clientAuthenticationCertificates (enforce_client_authentication): enabled → disabled"},
			body:    `{"tls_mode":"enabled","enforce_client_authentication":"disabled"}`},
		{name: "certificates in another order are the same", before: Inputs{Spec: &spec{TLSMode: "enabled"}, ClientCertificates: []string{"a\n", "b"}},
			after: Inputs{Spec: &spec{TLSMode: "enabled"}, ClientCertificates: []string{"b\n", "a"}}},
		{name: "the last certificate can go", before: Inputs{Spec: &spec{TLSMode: "enabled"}, ClientCertificates: []string{"a"}}, after: Inputs{Spec: &spec{TLSMode: "enabled"}},
			changes: []string{"spec.clientAuthenticationCertificates (enforce_client_authentication): enabled → disabled",
				"spec.clientAuthenticationCertificates (authentication_ssl_client_certs): 1 entries → 0 entries"},
			body: `{"enforce_client_authentication":"disabled","authentication_ssl_client_certs":[]}`},
		{name: "sharding brings its rules along", before: Inputs{Spec: &spec{}}, after: Inputs{Spec: &spec{ShardCount: rest.Ptr(2)}},
			changes: []string{"spec.shardCount (sharding): false → true", "spec.shardCount (shards_count): 1 → 2", "spec.shardCount (shard_key_regex): 0 entries → 2 entries"},
			body:    `{"sharding":true,"shards_count":2,"shard_key_regex":[{"regex":".*\\{(?<tag>.*)\\}.*"},{"regex":"(?<tag>.*)"}]}`},
		{name: "chosen sharding rules are left", before: Inputs{Spec: &spec{ShardCount: rest.Ptr(2)}}, after: Inputs{Spec: &spec{ShardCount: rest.Ptr(2)}},
			tamper: func(b *rest.BDB) { b.ShardKeyRegex = &[]rest.ShardKeyRule{{Regex: "(?<tag>.*)"}} }},
		{name: "a new proxy policy names the endpoint", before: Inputs{Spec: &spec{}}, after: Inputs{Spec: &spec{ProxyPolicy: "all-nodes"}},
			changes: []string{"spec.proxyPolicy (proxy_policy): single → all-nodes"}, body: `{"proxy_policy":"all-nodes","endpoint":"7:1"}`},
		{name: "REDB-38 foreign tags stay, ours win, removed ones go",
			before: Inputs{Spec: &spec{Tags: map[string]string{"a": "1", "gone": "x"}}, Tags: map[string]string{"managed_by": "me"}},
			after:  Inputs{Spec: &spec{Tags: map[string]string{"a": "2"}}, Tags: map[string]string{"managed_by": "me"}, ManagedTags: []string{"a", "gone"}},
			tamper: func(b *rest.BDB) { *b.Tags = append(*b.Tags, rest.Tag{Key: "foreign", Value: "f"}) },
			changes: []string{
				"spec.tags (tags): a=1,foreign=f,gone=x,managed_by=me → a=2,foreign=f,managed_by=me"},
			body: `{"tags":[{"key":"a","value":"2"},{"key":"foreign","value":"f"},{"key":"managed_by","value":"me"}]}`},
		{name: "REDB-38 without a record nothing is dropped", before: Inputs{Spec: &spec{Tags: map[string]string{"a": "1"}}}, after: Inputs{Spec: &spec{}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			have := existing(t, tc.before)
			if tc.tamper != nil {
				tc.tamper(have)
			}
			body, changes, err := Diff(tc.after, have)
			if err != nil {
				t.Fatal(err)
			}
			var printed []string
			for _, c := range changes {
				printed = append(printed, c.String())
			}
			if !slices.Equal(printed, tc.changes) {
				t.Fatalf("changes are\n%s\nwant\n%s", strings.Join(printed, "\n"), strings.Join(tc.changes, "\n"))
			}
			if tc.body == "" {
				if body != nil {
					t.Fatal("there is a body and nothing to do")
				}
				return
			}
			sameJSON(t, body, tc.body)
		})
	}
}

func sameJSON(t *testing.T, body any, want string) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if err := errors.Join(json.Unmarshal(data, &a), json.Unmarshal([]byte(want), &b)); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Fatalf("got  %s\nwant %s", data, want)
	}
}

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name          string
		before, after spec
		want          string
	}{
		{name: "a changed port is refused", before: spec{DatabasePort: rest.Ptr(12000)}, after: spec{DatabasePort: rest.Ptr(12001)},
			want: "spec.databasePort: cannot change after the database was created: it is 12000, not 12001"},
		{name: "a removed port is left as it is", before: spec{DatabasePort: rest.Ptr(12000)}},
		{name: "the port that the cluster chose can be written down", after: spec{DatabasePort: rest.Ptr(14968)}},
		{name: "another port than the cluster chose is refused", after: spec{DatabasePort: rest.Ptr(12000)},
			want: "spec.databasePort: cannot change after the database was created: it is 14968, not 12000"},
		{name: "a changed type is refused", after: spec{Type: "memcached"}, want: "spec.type: cannot change after the database was created: it is redis, not memcached"},
		{name: "a module that the database lacks is refused", after: spec{ModulesList: []v1alpha1.DatabaseModule{{Name: "search"}, {Name: "timeseries"}}},
			want: "spec.modulesList: cannot change after the database was created: it is search, ReJSON, not search, timeseries"},
		{name: "REDB-31 a bundled module may be written down", after: spec{ModulesList: []v1alpha1.DatabaseModule{{Name: "ReJSON", Version: "1.0"}}}},
		{name: "flash cannot be added", after: spec{IsRoF: rest.Ptr(true)}, want: "spec.isRof: cannot change after the database was created: it is false, not true"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			have := existing(t, Inputs{Spec: &tc.before})
			have.ModuleList = &[]rest.BDBModule{{Name: "search", Version: "8.0.1"}, {Name: "ReJSON", Args: "x"}}
			got, err := Refusals(Inputs{Spec: &tc.after}, have)
			if err != nil {
				t.Fatal(err)
			}
			if tc.want == "" && len(got) == 0 {
				return
			}
			if len(got) != 1 || got[0].Error() != tc.want {
				t.Fatalf("got %v", got)
			}
		})
	}
}

func TestValidateChange(t *testing.T) {
	to := func(name string) *v1alpha1.ClusterReference { return &v1alpha1.ClusterReference{Name: name} }
	for _, tc := range []struct {
		name          string
		before, after spec
		want          string
	}{
		{name: "a mutable field may change", after: spec{MemorySize: "1GB"}},
		{name: "a changed port is refused", before: spec{DatabasePort: rest.Ptr(12000)}, after: spec{DatabasePort: rest.Ptr(12001)}, want: "spec.databasePort"},
		{name: "modules are left to the loop, which knows the bundled ones", after: spec{ModulesList: []v1alpha1.DatabaseModule{{Name: "search"}}}},
		{name: "a port written down later is left to the loop", after: spec{DatabasePort: rest.Ptr(12001)}},
		{name: "another cluster is refused", before: spec{RedisEnterpriseCluster: to("a")}, after: spec{RedisEnterpriseCluster: to("b")}, want: "spec.redisEnterpriseCluster.name"},
		{name: "an unsound old spec forbids nothing", before: spec{MemorySize: "12XB"}, after: spec{MemorySize: "1GB"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := ValidateChange("db", &tc.before, &tc.after)
			if tc.want == "" && len(got) == 0 {
				return
			}
			if len(got) != 1 || got[0].Path != tc.want {
				t.Fatalf("got %v", got)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{name: "a code names its field", err: &rest.Error{Status: 406, Code: "port_unavailable", Message: "Port 12000 is taken"},
			want: "spec.databasePort: the cluster refused port: Port 12000 is taken [port_unavailable]"},
		{name: "a setting named in the text is found", err: &rest.Error{Status: 400, Code: "invalid_schema", Message: "'x' is not one of ['cmp'] (bdb.sched_policy)"},
			want: "spec.connectionSettings.connectionSchedulingPolicy: the cluster refused sched_policy: 'x' is not one of ['cmp'] (bdb.sched_policy) [invalid_schema]"},
		{name: "the licence is named", err: &rest.Error{Status: 400, Code: "invalid_param", Message: "Total shards count exceeds amount of total shards permitted by license"},
			want: "spec.shardCount: the licence of the cluster does not allow it: Total shards count exceeds amount of total shards permitted by license [invalid_param]"},
		{name: "an expired licence is no matter of a field", err: &rest.Error{Status: 403, Message: "redislabs license expired"},
			want: "spec: the licence of the cluster has run out: redislabs license expired"},
		{name: "what is not known is told as it is", err: fmt.Errorf("creating: %w", &rest.Error{Status: 406, Code: "insufficient_resources"}),
			want: "spec: the cluster refused the database: the request was refused [insufficient_resources]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := Explain(tc.err)
			var problem *Invalid
			if !errors.As(err, &problem) || err.Error() != tc.want || problem.ConditionReason() != v1.ReasonRejectedByCluster {
				t.Fatalf("got %v", err)
			}
		})
	}
	for _, other := range []error{nil, errors.New("boom"), &rest.Error{Status: 409, Code: "db_busy"}, &rest.Error{Status: 503}, &rest.Error{Status: 401}} {
		if got := Explain(other); got != other { //nolint:errorlint // identity is meant
			t.Errorf("%v became %v", other, got)
		}
	}
}

func TestUpgrade(t *testing.T) {
	for _, tc := range []struct {
		name, wish, is, want, refused string
	}{
		{name: "no version, no upgrade", is: "7.2"},
		{name: "the same version", wish: "7.2", is: "7.2"},
		{name: "a newer version", wish: "7.4", is: "7.2", want: "7.4"},
		{name: "a newer two-digit version", wish: "7.22", is: "7.4", want: "7.22"},
		{name: "REDB-37 a channel never moves a database by itself", wish: "latest", is: "7.2"},
		{name: "an older version is refused", wish: "7.2", is: "8.0", refused: "a database cannot go back"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req, changes, err := Upgrade(Inputs{Spec: &spec{RedisVersion: tc.wish}}, &rest.BDB{RedisVer: &tc.is})
			if tc.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tc.refused) {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil || (req == nil) != (tc.want == "") || len(changes) > 1 {
				t.Fatalf("got %v %v %v", req, changes, err)
			}
			if req != nil && req.RedisVersion != tc.want {
				t.Fatalf("upgrade to %s", req.RedisVersion)
			}
		})
	}
}

func TestAlerts(t *testing.T) {
	threshold := v1alpha1.AlertThreshold("80")
	in := Inputs{Spec: &spec{AlertSettings: &v1alpha1.AlertSettings{Size: &v1alpha1.DatabaseAlert{Enabled: true, Threshold: &threshold}}}}
	body, changes, err := Alerts(in, map[string]rest.Alert{"bdb_high_latency": {Enabled: true, Threshold: "5"}})
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, body, `{"bdb_size":{"enabled":true,"threshold":"80"}}`)
	if Print(changes) != "spec.alertSettings.bdb_size (bdb_size): off → on at 80" {
		t.Fatal(Print(changes))
	}
	body, changes, err = Alerts(in, map[string]rest.Alert{"bdb_size": {Enabled: true, Threshold: "80.0"}})
	if err != nil || body != nil || changes != nil {
		t.Fatalf("the same alert differs: %v %v %v", body, changes, err)
	}
}
