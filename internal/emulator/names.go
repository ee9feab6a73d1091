package emulator

import (
	"fmt"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/discovery"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/ui"
)

// directory is what the discovery service answers from.
type directory struct{ n *Node }

// Databases implements discovery.Source.
func (d directory) Databases() []discovery.Database {
	v := d.n.reader()
	var out []discovery.Database
	for _, o := range v.list(api.KindBDB) {
		db := discovery.Database{Name: schema.TextOf(o, "name")}
		if rec, ok := v.database(schema.IntOf(o, "uid")); ok && len(rec.Nodes) > 0 {
			db.Internal = discovery.Address{Host: v.addr(rec.Nodes[0]), Port: rec.Port}
			db.External = db.Internal
			node, _ := v.node(rec.Nodes[0])
			if list, _ := node["external_addr"].([]any); len(list) > 0 {
				db.External.Host = fmt.Sprint(list[0])
			}
		}
		out = append(out, db)
	}
	return out
}

// Peers implements discovery.Source.
func (d directory) Peers() []discovery.Address {
	var out []discovery.Address
	for _, o := range d.n.reader().nodes() {
		if addr := schema.TextOf(o, "addr"); addr != d.n.cfg.Addr {
			out = append(out, discovery.Address{Host: addr, Port: d.n.cfg.Ports.Discovery})
		}
	}
	return out
}

// facts are shown on the page of the console's port.
func (n *Node) facts() ui.Facts {
	f := ui.Facts{Cluster: n.reader().clusterName(), Version: n.cfg.SoftwareVersion, API: n.URL()}
	if uid := (surface{n}).NodeUID(); uid != 0 {
		f.Node = text(uid)
	}
	return f
}
