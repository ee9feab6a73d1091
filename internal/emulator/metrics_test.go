package emulator_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/emulator"
)

// verified is a client that trusts the certificate that the cluster says its metrics have, and nothing else.
func (l *lab) verified(t *testing.T) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	text, _ := l.need(l.nodes[0], http.MethodGet, "/v1/cluster/certificates", nil)["metrics_exporter_cert"].(string)
	if !roots.AppendCertsFromPEM([]byte(text)) {
		t.Fatalf("metrics_exporter_cert is %q", text)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: clusterName, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (l *lab) metrics(n *emulator.Node) string {
	return l.page(fmt.Sprintf("https://%s:8070/v2", n.Addr()))
}

// sample finds a line that begins with a name, has all the labels and ends with a value.
func sample(text, name, value string, labels ...string) bool {
	for line := range strings.Lines(text) {
		has := strings.HasPrefix(line, name+"{") && strings.HasSuffix(strings.TrimSpace(line), " "+value)
		for _, label := range labels {
			has = has && strings.Contains(line, label)
		}
		if has {
			return true
		}
	}
	return false
}

func TestMET3_TagsOfDatabasesBecomeLabels(t *testing.T) {
	l := newLab(t, 1, nil)
	l.form()
	n := l.nodes[0]
	uid := l.create(object{"name": "db", "memory_size": 100 << 20, "tags": []object{{"key": "team", "value": "core"}, {"key": "env", "value": "prod"}}})
	if strings.Contains(l.metrics(n), "db_tags") {
		t.Error("tags are exposed although nobody asked")
	}
	l.need(n, http.MethodPut, "/v1/metrics_config", object{"expose_db_tags": true, "metrics_tag_keys_exposed": []string{"team"}})
	text := l.metrics(n)
	if !sample(text, "db_tags", "1", fmt.Sprintf(`db="%d"`, uid), `team="core"`) || sample(text, "db_tags", "1", "env=") {
		t.Errorf("no db_tags with team alone")
	}
	for _, want := range []string{`db_name="db"`, `tls_mode="disabled"`} {
		if !sample(text, "db_config", "1", want) {
			t.Errorf("db_config lacks %s", want)
		}
	}
}

func TestMetricsTellOfLostNodesAndShards(t *testing.T) {
	l := newLab(t, 3, nil)
	l.form()
	client := l.verified(t)
	for _, n := range l.nodes {
		resp, err := client.Get(fmt.Sprintf("https://%s:8070/v2/node", n.Addr()))
		must(t, err)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", n.Addr(), resp.Status)
		}
	}
	uid := l.create(object{"name": "db", "memory_size": 100 << 20, "replication": true})
	text := l.metrics(l.nodes[0])
	for _, node := range []string{"1", "2", "3"} {
		if !sample(text, "has_quorum", "1", fmt.Sprintf("node=%q", node), `has_witness_disk="False"`) {
			t.Errorf("node %s has no opinion on the majority", node)
		}
	}
	l.await("the replica is connected", func() bool {
		return sample(l.metrics(l.nodes[0]), "redis_server_master_link_status", "1", `role="slave"`, fmt.Sprintf(`db="%d"`, uid))
	})
	victim := l.masterNode(l.nodes[0], uid)
	alive := l.other(victim)
	must(t, l.nodes[victim].Kill())
	l.await("the loss shows", func() bool {
		text := l.metrics(alive)
		return sample(text, "node_metrics_up", "0") && sample(text, "total_live_nodes_count", "2") && sample(text, "total_nodes_count", "3") &&
			sample(text, "redis_server_up", "0", `role="slave"`) && sample(text, "redis_server_up", "1", `role="master"`)
	})
	for i, n := range l.nodes {
		if i != victim && n != alive {
			must(t, n.Kill())
		}
	}
	l.await("the majority is gone", func() bool {
		return sample(l.metrics(alive), "has_quorum", "0") && !sample(l.metrics(alive), "has_quorum", "1")
	})
}
