package emulator_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestActiveActiveMeetsClientCertificates has a database that wants certificates of its clients: peers show those of their
// syncers. A cluster that changes its certificates loses the links until the participants were told.
func TestActiveActiveMeetsClientCertificates(t *testing.T) {
	w := newWorlds(t, 1, 1)
	l, n := w.at(0)
	l1, n1 := w.at(1)
	some, _ := l.need(n, http.MethodGet, "/v1/cluster/certificates", nil)["metrics_exporter_cert"].(string)
	body := w.body(0, 1)
	config := body["default_db_config"].(object)
	config["tls_mode"], config["enforce_client_authentication"] = "enabled", "enabled"
	config["authentication_ssl_client_certs"] = []object{{"client_cert": some}}
	doors := w.doors(body)
	guid := w.finished(0, l.need(n, http.MethodPost, "/v1/crdbs", body))
	l.await("the links are up", func() bool { return w.inSync(guid, 0, 1) })
	if certs := w.database(0, guid)["authentication_ssl_crdt_certs"].([]any); len(certs) != 1 {
		t.Errorf("an instance accepts %d certificates of syncers", len(certs))
	}

	for _, name := range []string{"proxy", "syncer"} {
		l1.need(n1, http.MethodPost, "/v1/cluster/certificates/rotate", object{"name": name})
	}
	for _, d := range doors { // certificates count for new connections
		d.cut(true)
		d.cut(false)
	}
	l.await("the certificates are not accepted", func() bool {
		source := w.database(0, guid)["crdt_sources"].([]any)[0].(object)
		return source["status"] == "out-of-sync" && strings.Contains(fmt.Sprint(source["last_error"]), "TLS") && !w.inSync(guid, 1)
	})
	w.finished(1, l1.need(n1, http.MethodPost, "/v1/crdbs/"+guid+"/updates", object{"force_update": true}))
	l.await("the links are up again", func() bool { return w.inSync(guid, 0, 1) })
}
