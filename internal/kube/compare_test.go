package kube

import "testing"

func TestCovers(t *testing.T) {
	type m = map[string]any
	type l = []any
	cases := []struct {
		name       string
		have, wish m
		want       bool
	}{
		{"server defaults do not count", m{"a": "1", "b": "2"}, m{"a": "1"}, true},
		{"a missing field differs", m{}, m{"a": "1"}, false},
		{"a wished empty map is covered by nothing", m{}, m{"resources": m{}}, true},
		{"quantities are compared by value", m{"limits": m{"cpu": "1000m"}}, m{"limits": m{"cpu": "1"}}, true},
		{"another quantity differs", m{"requests": m{"cpu": "1000m"}}, m{"requests": m{"cpu": "2"}}, false},
		{"a missing quantity differs", m{"requests": m{"cpu": "1"}}, m{"requests": m{"cpu": "1", "memory": "1Gi"}}, false},
		{"a label is no quantity", m{"labels": m{"a": "1.0"}}, m{"labels": m{"a": "1"}}, false},
		{"hashes that are one number are two hashes", m{"annotations": m{"hash": "1234560000000e10"}}, m{"annotations": m{"hash": "12345600000000e9"}}, false},
		{"a hash is not written out as a number, which would take minutes", m{"annotations": m{"hash": "12345e-436814955"}}, m{"annotations": m{"hash": "1"}}, false},
		{"numbers are compared by value", m{"replicas": int64(3)}, m{"replicas": float64(3)}, true},
		{"a longer list differs", m{"args": l{"a", "b"}}, m{"args": l{"a"}}, false},
		{"a port of somebody else stays", m{"ports": l{m{"port": int64(1)}, m{"port": int64(2)}}}, m{"ports": l{m{"port": int64(1)}}}, true},
		{"a port of ours that is not there is missed", m{"ports": l{m{"port": int64(2)}}}, m{"ports": l{m{"port": int64(1)}}}, false},
		{"list items may carry more", m{"ports": l{m{"port": int64(1), "nodePort": int64(3)}}}, m{"ports": l{m{"port": int64(1)}}}, true},
		{"other owners do not count", m{"ownerReferences": l{m{"uid": "x"}, m{"uid": "y"}}}, m{"ownerReferences": l{m{"uid": "y"}}}, true},
		{"our owner reference must be there", m{"ownerReferences": l{m{"uid": "x"}}}, m{"ownerReferences": l{m{"uid": "y"}}}, false},
		{"typed objects carry no kind", m{"a": "1"}, m{"kind": "Service", "a": "1"}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := Covers(c.have, c.wish); got != c.want {
				t.Errorf("Covers = %v, want %v", got, c.want)
			}
		})
	}
}
