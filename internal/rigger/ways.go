package rigger

import (
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// exposeDefault as the value of the tag asks for the host name that an Active-Active database would have.
const exposeDefault = "true"

// Ways are the objects that lead in from outside: to each Active-Active database (rules NET-2, NET-4, NET-10), and to
// each other one whose tag asks for it. The second result names the databases that asked and get none.
func Ways(s Settings, dbs []Database) (objects []client.Object, left []string) {
	if s.Ingress.Method == "" {
		return nil, nil
	}
	var entries []ingress.Entry
	owner := map[string]string{s.Ingress.APIHost: "the API of the cluster"}
	for _, db := range dbs {
		host, path := hostOf(s, db)
		if host == "" {
			continue
		}
		if err := ingress.CheckHost(path, host); err != nil {
			left = append(left, db.leave(err.Error()))
			continue
		}
		if other := owner[host]; other != "" {
			left = append(left, db.leave("host name "+host+" leads to "+other))
			continue
		}
		if db.Name == s.Cluster {
			left = append(left, db.leave("what leads to the API of the cluster has the same name"))
			continue
		}
		owner[host] = "database " + db.Name
		entries = append(entries, entry(s, db, host))
	}
	return ingress.All(s.Ingress, names.DatabasesGateway(s.Cluster), entries), left
}

// hostOf is the host name of a database that wants to be reached from outside, and the field to blame for it.
func hostOf(s Settings, db Database) (host, path string) {
	if db.ActiveActive || db.Expose == exposeDefault {
		return ingress.DatabaseHost(s.Ingress, db.Name), s.Ingress.SuffixPath()
	}
	return db.Expose, "tag " + names.TagExpose
}

func entry(s Settings, db Database, host string) ingress.Entry {
	kind := leadsTo(s.Types)
	return ingress.Entry{Namespace: s.Namespace, Name: db.Name, Host: host, Labels: labels(s),
		Service: serviceName(s, db, kind), PortName: names.DatabaseName, Port: servicePort(s, db, kind)}
}

// leadsTo picks the type of Service behind a way in: the one that the rules name if the database has it, else one that
// every proxy can follow as well.
func leadsTo(types []string) string {
	for _, kind := range []string{ClusterIP, LoadBalancer} {
		if slices.Contains(types, kind) {
			return kind
		}
	}
	return Headless
}
