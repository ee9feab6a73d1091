package activeactive

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Settings that each participant has for itself: which clients it trusts comes from Secrets of its own (AA-11).
const pathCertificates = "clientAuthenticationCertificates"

// notCommon are the settings that the common configuration does not have: those of each participant, and the protocol,
// which is always the same.
var notCommon = []string{pathCertificates, "rolesPermissions", "type"}

// pathTags is the field of tags, which the common configuration and each instance have (AA-19).
const pathTags = "tags"

// resourceKind is the value of bdb.TagResource.
const resourceKind = "RedisEnterpriseActiveActiveDatabase"

// Desired is what the database should be, with every reference looked up.
type Desired struct {
	in       Inputs
	password password
	sites    map[string]Site
	// global are the common settings, with what this version does not know of them.
	global tree
	// sharded tells whether an existing database can have more than one shard; nil for a new one.
	sharded *bool
	// managed are the optional settings that were agreed on so far: taken out of the spec, they go back to the default.
	managed []string
	// tags are the user's tags among them.
	tags []string
}

// desired looks up what the spec refers to.
func desired(in Inputs, crdb *rest.CRDB, sites map[string]Site) Desired {
	d := Desired{in: in, sites: sites, password: passwordOf(in, crdb), global: globalTree(in.Database.Spec.GlobalConfigurations)}
	if crdb != nil {
		agreed := serverTerms(crdb, in.Database.Spec.GlobalConfigurations).Global
		d.global = withUnknown(d.global, agreed)
		d.managed, d.tags = managedIn(in.Database.Name, agreed)
	}
	if crdb != nil && crdb.DefaultDBConfig != nil {
		d.sharded = rest.Ptr(rest.Value(crdb.DefaultDBConfig.Sharding))
	}
	return d
}

// managedIn are the optional settings, and the tags, that an agreed form has. The form and what it asks for change in one task, so that
// what it had is known until the clusters have been told.
func managedIn(name string, agreed tree) (fields, tags []string) {
	settings, err := globalOf(agreed, pathGlobal)
	if err != nil || settings == nil {
		return nil, nil // written by another version: nothing is known to be in use
	}
	spec := settings.DatabaseSpec()
	if fields, err = bdb.ManagedFields(bdb.Inputs{Name: name, Spec: spec}); err != nil {
		fields = nil
	}
	return fields, bdb.ManagedTags(spec)
}

// inputs are those of the mapping table for some settings and tags of the operator's own.
func (d Desired) inputs(settings *v1alpha1.GlobalConfigurations, own map[string]string) bdb.Inputs {
	db := d.in.Database
	spec := *settings.DatabaseSpec()
	switch {
	case d.sharded != nil:
		spec.ShardingEnabled = d.sharded
	case spec.ShardingEnabled == nil:
		spec.ShardingEnabled = rest.Ptr(true) // AA-7
	}
	return bdb.Inputs{Name: db.Name, Spec: &spec, Tags: own, ManagedTags: append(slices.Clone(db.Status.ManagedTags), d.tags...), ManagedFields: d.managed}
}

// common are the inputs of the common configuration.
func (d Desired) common() bdb.Inputs {
	in := d.inputs(d.in.Database.Spec.GlobalConfigurations, d.commonTags())
	if d.password.send {
		in.Password = d.password.value
	}
	return in
}

// commonTags say whose database it is and what all participants have agreed on (AA-4).
func (d Desired) commonTags() map[string]string {
	db := d.in.Database
	tags := map[string]string{bdb.TagManagedBy: bdb.ManagedBy, bdb.TagResource: resourceKind, bdb.TagResourceName: db.Name, bdb.TagGlobalSpec: d.globalText()}
	spec := db.Spec.GlobalConfigurations.DatabaseSpec()
	if spec.DatabaseServicePort != nil {
		tags[bdb.TagServicePort] = strconv.Itoa(*spec.DatabaseServicePort)
	}
	latest := d.password.common // while the Secret here is not right, what others have said stays
	if d.password.send {
		latest = d.password.print
	}
	if name := passwordSecret(db); name != "" && latest != "" {
		tags[bdb.TagSecretName], tags[bdb.TagSecretLatest] = name, latest
	}
	return tags
}

// globalText is the agreed form of the settings. Signs that a tag cannot have are written as JSON escapes.
func (d Desired) globalText() string {
	raw, err := json.Marshal(d.global)
	if err != nil { // plain values cannot fail
		return "{}"
	}
	return string(raw)
}

// siteTags are those of one instance.
func (d Desired) siteTags(cluster string) map[string]string {
	site, tags := d.sites[cluster], d.commonTags()
	maps.Copy(tags, map[string]string{
		bdb.TagName: d.in.Database.Name, bdb.TagNamespace: site.Namespace, bdb.TagReplicationPort: strconv.Itoa(site.Port),
	})
	if remote := d.in.remoteOf(cluster); remote != nil {
		tags[bdb.TagRemoteCluster] = remote.Name
	}
	return tags
}

// body makes the whole database.
func (d Desired) body() (*rest.CRDB, error) {
	config, err := bdb.CreatePart(d.common(), bdb.Except(notCommon...))
	if err != nil {
		return nil, d.explain(err)
	}
	var instances []rest.CRDBInstance
	for _, cluster := range slices.Sorted(maps.Keys(d.sites)) {
		inst, err := d.instance(cluster)
		if err != nil {
			return nil, err
		}
		instances = append(instances, *inst)
	}
	return &rest.CRDB{Name: rest.Ptr(d.in.Database.Name), Encryption: rest.Ptr(true), ManagedBy: rest.Ptr(bdb.ManagedBy),
		DefaultDBConfig: config, Instances: &instances}, nil
}

// instance makes the part of one cluster. Clients are asked for certificates everywhere from the beginning.
func (d Desired) instance(cluster string) (*rest.CRDBInstance, error) {
	settings, paths, err := d.settingsOf(cluster)
	if err != nil {
		return nil, err
	}
	in := d.inputs(settings, d.siteTagsWith(cluster, settings))
	in.ClientCertificates = certificates(d.in)
	config, err := bdb.CreatePart(in, bdb.Only(append(paths, pathTags, pathCertificates)...))
	if err != nil {
		return nil, d.explain(err)
	}
	return &rest.CRDBInstance{Cluster: d.cluster(cluster), DBConfig: config}, nil
}

// settingsOf are the settings of one cluster, and which of them differ from the common ones. Those of other clusters are
// theirs to say.
func (d Desired) settingsOf(cluster string) (*v1alpha1.GlobalConfigurations, []string, error) {
	db := d.in.Database
	if cluster != d.in.own() {
		return db.Spec.GlobalConfigurations, nil, nil
	}
	over, err := overrides(db)
	if err != nil {
		return nil, nil, err
	}
	settings, err := localSpec(db)
	return settings, slices.Sorted(maps.Keys(over)), err
}

func (d Desired) siteTagsWith(cluster string, settings *v1alpha1.GlobalConfigurations) map[string]string {
	tags := d.siteTags(cluster)
	if port := settings.DatabaseSpec().DatabaseServicePort; port != nil {
		tags[bdb.TagServicePort] = strconv.Itoa(*port)
	}
	return tags
}

// cluster says how the others reach one of the participants (AA-5).
func (d Desired) cluster(name string) *rest.CRDBCluster {
	site := d.sites[name]
	db := d.in.Database.Name
	out := &rest.CRDBCluster{Name: name, URL: site.URL, ReplicationEndpoint: site.endpoint(db), ReplicationTLSSNI: db + site.Suffix}
	if remote := d.in.remoteOf(name); remote != nil {
		if c, known := d.in.Credentials[remote.Name]; known {
			out.Credentials = &rest.BootstrapCredential{Username: c.Username, Password: c.Password}
		}
	}
	return out
}

// change is what an existing database must be told, and only that (AA-10).
type change struct {
	body    *rest.CRDB
	changes []string
	// upgrade is for a version, which needs a call of its own.
	upgrade *rest.UpgradeRequest
}

// changes compares the settings of the common configuration, and of the instances whose settings are known here.
func (d Desired) changes(obs Observed) (change, error) {
	var out change
	crdb := obs.CRDB
	if err := errors.Join(d.shardsFit(), d.refusals(obs)); err != nil {
		return out, err
	}
	have := crdb.DefaultDBConfig
	if have == nil {
		have = &rest.BDB{}
	}
	config, changes, err := bdb.DiffPart(d.common(), have, bdb.Except(notCommon...))
	if err != nil {
		return out, d.explain(err)
	}
	if d.password.send && (config == nil || config.RedisPassword == nil) {
		if config == nil {
			config = &rest.BDB{}
		}
		config.RedisPassword = d.password.value
		changes = append(changes, bdb.Change{Path: "spec.databaseSecretName", Setting: "authentication_redis_pass", From: "***", To: "*** (changed)"})
	}
	out.note("", changes)
	var instances []rest.CRDBInstance
	for _, inst := range rest.Value(crdb.Instances) {
		changed, err := d.instanceChange(crdb, inst, &out)
		if err != nil {
			return out, err
		}
		if changed != nil {
			instances = append(instances, *changed)
		}
	}
	if config != nil || len(instances) > 0 {
		out.body = &rest.CRDB{DefaultDBConfig: config}
		if len(instances) > 0 {
			out.body.Instances = &instances
		}
	}
	if obs.BDB != nil {
		in := d.common()
		var told []bdb.Change
		if out.upgrade, told, err = bdb.Upgrade(in, obs.BDB); err != nil {
			return out, d.explain(err)
		}
		if out.body == nil {
			out.note("", told)
		}
	}
	return out, nil
}

// refusals are the settings of this cluster's part that cannot change any more.
func (d Desired) refusals(obs Observed) error {
	if obs.BDB == nil {
		return nil
	}
	settings, own, err := d.settingsOf(d.in.own())
	if err != nil {
		return err
	}
	found, err := bdb.Refusals(d.inputs(settings, nil), obs.BDB)
	if err != nil {
		return d.explain(err)
	}
	var errs []error
	for _, one := range found {
		key := strings.TrimPrefix(one.Path, "spec.")
		if slices.Contains(own, key) {
			errs = append(errs, outcome.Reject(pathOverrides, "%s: %s", key, one.Message))
		} else {
			errs = append(errs, outcome.Reject(globalPath(one.Path), "%s", one.Message))
		}
	}
	return errors.Join(errs...)
}

func (c *change) note(where string, changes []bdb.Change) {
	for _, one := range changes {
		one.Path = globalPath(one.Path)
		if one.Setting == pathTags {
			one.From, one.To = "", "changed" // the agreed settings are among them, and told one by one
			c.changes = append(c.changes, strings.TrimSpace(where+" "+one.Path+" (tags)"))
			continue
		}
		c.changes = append(c.changes, strings.TrimSpace(where+" "+one.String()))
	}
}

// instanceChange is what changes about one instance; nil for nothing.
func (d Desired) instanceChange(crdb *rest.CRDB, inst rest.CRDBInstance, out *change) (*rest.CRDBInstance, error) {
	name := inst.ClusterName()
	if _, stays := d.sites[name]; !stays {
		return nil, nil
	}
	have := inst.DBConfig
	if have == nil {
		have = &rest.BDB{}
	}
	settings, paths, err := d.settingsOf(name)
	if err != nil {
		return nil, err
	}
	tags := d.siteTagsWith(name, settings)
	if theirs := tagsOf(have)[bdb.TagServicePort]; name != d.in.own() && theirs != "" {
		tags[bdb.TagServicePort] = theirs // theirs to say
	}
	if theirs := tagsOf(have)[bdb.TagRemoteCluster]; theirs != "" {
		tags[bdb.TagRemoteCluster] = theirs // names of remote clusters may differ
	}
	in := d.inputs(settings, tags)
	part := []string{pathTags}
	if name == d.in.own() {
		in.ClientCertificates = certificates(d.in)
		part = append(part, pathCertificates)
		for _, path := range Overridable {
			if slices.Contains(paths, path) || bdb.Sets(inst.DBConfig, path) {
				part = append(part, path)
				in.ManagedFields = append(slices.Clip(in.ManagedFields), path) // an override that was taken away
			}
		}
	}
	config, changes, err := bdb.DiffPart(in, have, bdb.Only(part...))
	if err != nil {
		return nil, d.explain(err)
	}
	out.note(name, changes)
	cluster := d.clusterChange(crdb, inst)
	if cluster != nil {
		out.changes = append(out.changes, name+" is reached at "+cluster.URL+" and "+cluster.ReplicationEndpoint)
	}
	if config == nil && cluster == nil {
		return nil, nil
	}
	return &rest.CRDBInstance{ID: inst.ID, DBConfig: config, Cluster: cluster}, nil
}

// clusterChange is how one of the participants is to be reached, if that is not what they know (RERC-8), or if the
// credentials here are others than when they were last sent from here.
func (d Desired) clusterChange(crdb *rest.CRDB, inst rest.CRDBInstance) *rest.CRDBCluster {
	name := inst.ClusterName()
	now, want := siteOf(crdb, inst), d.sites[name]
	now.Namespace = want.Namespace // which is a tag
	if now != want || d.credentialsChanged(name) {
		return d.cluster(name)
	}
	return nil
}

// credentialsChanged tells whether the credentials of a participant are not those that were known to be in use.
func (d Desired) credentialsChanged(cluster string) bool {
	was, now := d.in.known(cluster), d.credentialsPrint(cluster)
	return was != "" && now != "" && was != now
}

func (d Desired) credentialsPrint(cluster string) string {
	remote := d.in.remoteOf(cluster)
	if remote == nil {
		return ""
	}
	c, known := d.in.Credentials[remote.Name]
	if !known {
		return ""
	}
	return fingerprint(d.in.Database.Name, cluster, []byte(c.Username), []byte(c.Password))
}

// credentialsOf are the fingerprints of the credentials that are sent with some instances: another password makes another
// wish, and is known to be in use once the task has succeeded.
func (d Desired) credentialsOf(sent ...rest.CRDBInstance) map[string]string {
	out := map[string]string{}
	for _, inst := range sent {
		if inst.Cluster != nil && inst.Cluster.Credentials != nil {
			out[inst.ClusterName()] = d.credentialsPrint(inst.ClusterName())
		}
	}
	return out
}

// agreement is what to remember once all participants have what is written here. What was known of a Secret that cannot be
// read now stays: it may be about to be replaced, and the next one is newer than what was known of it.
func (d Desired) agreement(server Terms) Terms {
	server = whatIsKnown(server)
	server.Secrets = map[string]string{}
	for cluster := range d.sites {
		if print := cmp.Or(d.credentialsPrint(cluster), d.in.known(cluster)); print != "" {
			server.Secrets[cluster] = print
		}
	}
	if p := d.password; p.common != "" && (p.print == p.common || d.in.known(purposePassword) == p.common) {
		server.Secrets[purposePassword] = p.common
	}
	return server
}

// known is the fingerprint of a secret that all participants were last known to have; empty for none.
func (in Inputs) known(purpose string) string {
	if in.Agreed == nil {
		return ""
	}
	return in.Agreed.Secrets[purpose]
}

// shardsFit: a database that was created without sharding cannot have it later (AA-7).
func (d Desired) shardsFit() error {
	spec := d.in.Database.Spec.GlobalConfigurations.DatabaseSpec()
	if d.sharded == nil {
		return nil
	}
	if *d.sharded {
		if spec.ShardingEnabled != nil && !*spec.ShardingEnabled {
			return outcome.Reject(pathGlobal+".shardingEnabled", "the database was created with sharding, which cannot be taken away: set it to true, or leave it out")
		}
		return nil
	}
	if spec.ShardCount != nil && *spec.ShardCount > 1 {
		return outcome.Reject(pathGlobal+".shardCount", "the database was created without sharding and has one shard for good; create another one to have more")
	}
	return nil
}

// explain gives an error of the mapping its meaning, under the field that the user typed.
func (d Desired) explain(err error) error {
	var invalid *bdb.Invalid
	if errors.As(err, &invalid) {
		return &outcome.Rejected{Reason: invalid.ConditionReason(), Path: globalPath(invalid.Path), Message: invalid.Message}
	}
	return err
}
