package activeactive

import (
	"encoding/json"
	"net"
	"net/url"
	"strconv"
	"strings"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Terms are what the participants of a database agree on, without secrets.
type Terms struct {
	// Global are the common settings, as JSON.
	Global tree `json:"global,omitempty"`
	// Sites are the participants by the full names of their clusters.
	Sites map[string]Site `json:"sites,omitempty"`
	// Secrets are fingerprints of the secrets that were seen to be the same here as everywhere, by purpose.
	Secrets map[string]string `json:"secrets,omitempty"`
	// Generation counts the certificates of this cluster that the others were told of.
	Generation int64 `json:"generation,omitempty"`
}

// Site is how one participant is reached.
type Site struct {
	// Namespace of the resource on that cluster.
	Namespace string `json:"namespace,omitempty"`
	// URL of its admin API.
	URL string `json:"url,omitempty"`
	// Suffix ends the host name of the database there, and Port is where replication comes in.
	Suffix string `json:"suffix,omitempty"`
	Port   int    `json:"port,omitempty"`
}

// defaultReplicationPort is the port of a participant that names none.
const defaultReplicationPort = 443

// endpoint is where the other participants reach the database of a site.
func (s Site) endpoint(db string) string {
	return net.JoinHostPort(db+s.Suffix, strconv.Itoa(s.Port))
}

// tree is the part of the terms that is merged.
func (t Terms) tree() tree {
	raw, err := json.Marshal(Terms{Global: t.Global, Sites: t.Sites})
	out := tree{}
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil { // strings, numbers and maps of them cannot fail
		return tree{}
	}
	return out
}

func termsOf(merged tree) (Terms, error) {
	var out Terms
	raw, err := json.Marshal(merged)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	return out, err
}

// globalTree writes settings as a JSON object; empty for none.
func globalTree(g *v1alpha1.GlobalConfigurations) tree {
	out := tree{}
	if g == nil {
		return out
	}
	if raw, err := json.Marshal(g); err == nil {
		_ = json.Unmarshal(raw, &out) // what was just written can be read
	}
	return out
}

// clusterOf is the full name of the cluster that a remote cluster stands for.
func clusterOf(remote *v1alpha1.RedisEnterpriseRemoteCluster) string {
	return names.FQDN(remote.Spec.RECName, remote.Spec.RECNamespace)
}

// urlOf is the address of its admin API.
func urlOf(remote *v1alpha1.RedisEnterpriseRemoteCluster) string {
	host := remote.Spec.APIFQDNURL
	if port := remote.Spec.APIPort; port != nil && *port != defaultReplicationPort {
		host = net.JoinHostPort(host, strconv.Itoa(*port))
	}
	return "https://" + host
}

// localTerms are what the resource and the remote clusters beside it say. A port that the resource leaves open is the one
// that the database has (AA-16).
func localTerms(in Inputs, server Terms) Terms {
	local := Terms{Global: withUnknown(globalTree(in.Database.Spec.GlobalConfigurations), server.Global), Sites: map[string]Site{}}
	for _, p := range in.Database.Spec.ParticipatingClusters {
		remote := in.remote(p.Name)
		if remote == nil {
			continue // the plan has said so
		}
		key := clusterOf(remote)
		known := server.Sites[key]
		site := Site{Namespace: namespaceOf(in, p, remote), URL: urlOf(remote), Suffix: remote.Spec.DBFQDNSuffix, Port: known.Port}
		if p.ExternalReplicationPort != nil {
			site.Port = *p.ExternalReplicationPort
		}
		if site.Port == 0 {
			site.Port = defaultReplicationPort
		}
		local.Sites[key] = site
	}
	return local
}

// namespaceOf is where the resource of a participant is (AA-27). Here that is where it was found.
func namespaceOf(in Inputs, p v1alpha1.ParticipatingCluster, remote *v1alpha1.RedisEnterpriseRemoteCluster) string {
	switch {
	case clusterOf(remote) == in.own():
		return in.Database.Namespace
	case p.Namespace != "":
		return p.Namespace
	}
	return remote.Spec.RECNamespace
}

// serverTerms are what the common configuration says. Settings that it does not tell in a form of ours are taken from the
// resource, so that they are compared one by one instead.
func serverTerms(crdb *rest.CRDB, fallback *v1alpha1.GlobalConfigurations) Terms {
	server := Terms{Sites: map[string]Site{}}
	common := tagsOf(crdb.DefaultDBConfig)
	if text, told := common[bdb.TagGlobalSpec]; !told || json.Unmarshal([]byte(text), &server.Global) != nil {
		server.Global = globalTree(fallback)
	}
	if server.Global == nil {
		server.Global = tree{}
	}
	for _, inst := range rest.Value(crdb.Instances) {
		if inst.Cluster != nil {
			server.Sites[inst.Cluster.Name] = siteOf(crdb, inst)
		}
	}
	return server
}

func siteOf(crdb *rest.CRDB, inst rest.CRDBInstance) Site {
	tags := tagsOf(inst.DBConfig)
	site := Site{Namespace: tags[bdb.TagNamespace], URL: strings.TrimRight(inst.Cluster.URL, "/")}
	if u, err := url.Parse(site.URL); err == nil && u.Port() == strconv.Itoa(defaultReplicationPort) {
		site.URL = "https://" + u.Hostname()
	}
	host, port, err := net.SplitHostPort(inst.Cluster.ReplicationEndpoint)
	if err == nil {
		site.Suffix = strings.TrimPrefix(host, rest.Value(crdb.Name))
		site.Port, _ = strconv.Atoi(port) // a port that is none counts as none
	}
	return site
}

func tagsOf(config *rest.BDB) map[string]string {
	out := map[string]string{}
	if config == nil {
		return out
	}
	for _, tag := range rest.Value(config.Tags) {
		out[tag.Key] = tag.Value
	}
	return out
}

// Negotiation is what both sides say and what follows from it.
type Negotiation struct {
	Local, Server, Base, Merged Terms
	// Conflicts are the fields that both sides changed differently.
	Conflicts []string
}

// negotiate merges what changed here with what changed elsewhere since both were last the same. Without a memory of that,
// what is written here counts.
func negotiate(in Inputs, crdb *rest.CRDB) (Negotiation, error) {
	n := Negotiation{Server: serverTerms(crdb, in.Database.Spec.GlobalConfigurations)}
	n.Local = localTerms(in, n.Server)
	n.Base = n.Server
	if in.Agreed != nil {
		n.Base = *in.Agreed
		n.Base.Global = withUnknown(n.Base.Global, n.Server.Global)
	}
	merged, conflicts := merge(n.Base.tree(), n.Local.tree(), n.Server.tree())
	var err error
	n.Conflicts = conflicts
	n.Merged, err = termsOf(merged)
	n.keepEnough()
	return n, err
}

// keepEnough: several removals at once may leave too few participants. Then those that were agreed on first count.
func (n *Negotiation) keepEnough() {
	switch {
	case len(n.Merged.Sites) >= fewest:
	case len(n.Server.Sites) >= fewest:
		n.Merged.Sites = n.Server.Sites
		n.Conflicts = append(n.Conflicts, "sites")
	default:
		n.Merged.Sites = n.Local.Sites
	}
}

// Adopts tells whether something is to be changed here.
func (n Negotiation) Adopts() bool { return !same(n.Merged.tree(), n.Local.tree()) }

// Offers tells whether something is to be changed everywhere.
func (n Negotiation) Offers() bool { return !same(n.Merged.tree(), n.Server.tree()) }
