package names

import "testing"

func TestINST16_TheNameOfAClusterIsItsServices(t *testing.T) {
	if got := FQDN("rec", "shop"); got != "rec.shop.svc.cluster.local" {
		t.Error(got)
	}
}

func TestOrdinal(t *testing.T) {
	for pod, want := range map[string]int{"rec-0": 0, "rec-10": 10, "rec": -1, "rec-": -1, "rec-x": -1, "rec-01": -1, "rec--1": -1, "other-1": -1} {
		n, ok := Ordinal("rec", pod)
		if !ok {
			n = -1
		}
		if n != want {
			t.Errorf("%s: %d", pod, n)
		}
	}
}
