package descriptor

import (
	"strings"
	"unicode"
)

// title is the heading of a field: its name as words. A name that says nothing alone gets the one of what it is in.
func title(kind, path string) string {
	if fixed := titles[kind][path]; fixed != "" {
		return fixed
	}
	if rest, global := strings.CutPrefix(path, globalPrefix); global {
		return title(databaseKind, rest)
	}
	parent, name, nested := parentOf(path)
	words := split(name)
	if nested && vague[name] {
		words = append(strings.Fields(element(title(kind, strings.TrimSuffix(parent, "[0]")), strings.HasSuffix(parent, "[0]"))), words...)
	}
	return strings.Join(once(words), " ")
}

// parentOf takes the last name off a path.
func parentOf(path string) (parent, name string, nested bool) {
	if i := strings.LastIndex(path, "."); i >= 0 {
		return path[:i], strings.TrimSuffix(path[i+1:], "[0]"), true
	}
	return "", strings.TrimSuffix(path, "[0]"), false
}

// element is what one element of a list is called.
func element(list string, isElement bool) string {
	if !isElement {
		return list
	}
	if singular, known := singulars[list]; known {
		return singular
	}
	return strings.TrimSuffix(list, "s")
}

// once drops a word that stands twice in a row.
func once(words []string) []string {
	var out []string
	for _, w := range words {
		if len(out) == 0 || !strings.EqualFold(out[len(out)-1], w) {
			out = append(out, w)
		}
	}
	return out
}

// split takes a name apart where its case changes or at underscores, and writes each word as it should read.
func split(name string) []string {
	name = strings.TrimPrefix(name, "bdb_")
	if rest := strings.TrimPrefix(name, "redisEnterprise"); rest != "" && rest != "Cluster" {
		name = rest
	}
	if rest, secret := strings.CutSuffix(name, "SecretName"); secret && rest != "" {
		name = rest + "Secret"
	}
	for from, to := range whole {
		if name == from {
			return []string{to}
		}
	}
	var words []string
	start, runes := 0, []rune(name)
	flush := func(end int) {
		if end > start {
			words = append(words, word(string(runes[start:end])))
		}
		start = end
	}
	for i := 1; i < len(runes); i++ {
		switch {
		case runes[i] == '_':
			flush(i)
			start = i + 1
		case unicode.IsUpper(runes[i]) && !unicode.IsUpper(runes[i-1]):
			flush(i)
		case unicode.IsUpper(runes[i]) && i+1 < len(runes) && unicode.IsLower(runes[i+1]) && !plural(runes, i):
			flush(i)
		}
	}
	flush(len(runes))
	return words
}

// plural recognises the s of CIDRs and APIs, which begins no word.
func plural(runes []rune, i int) bool {
	return i+2 <= len(runes) && runes[i+1] == 's' && (i+2 == len(runes) || unicode.IsUpper(runes[i+2]))
}

func word(w string) string {
	if read, known := spelling[strings.ToLower(w)]; known {
		return read
	}
	return strings.ToUpper(w[:1]) + w[1:]
}

// vague names mean something only together with what they are in.
var vague = map[string]bool{
	"enabled": true, "disabled": true, "threshold": true, "url": true, "name": true, "namespace": true, "path": true, "query": true, "repository": true, "versionTag": true,
	"digestHash": true, "imagePullPolicy": true, "resources": true, "operatingMode": true, "type": true, "version": true, "config": true,
	"container": true, "prefix": true, "subdir": true, "bucketName": true, "host": true, "port": true, "ip": true, "s3": true, "http": true,
	"https": true, "source": true, "base": true, "filter": true, "scope": true, "template": true, "attribute": true, "method": true,
	"interval": true, "status": true, "succeeded": true, "role": true, "acl": true, "kind": true, "filterType": true, "generation": true,
	"region": true, "endpoint": true, "bucket": true, "major": true, "id": true,
}

// whole are names that are not taken apart.
var whole = map[string]string{ //nolint:gosec // names of fields
	"saslauthd": "SASL Authentication", "slaveHA": "Replica HA", "slaveHAGracePeriod": "Replica HA Grace Period",
	"podCIDRs": "Pod CIDRs", "managedAPIs": "Managed APIs", "memcachedSaslSecretName": "Memcached SASL Secret",
	"enforceIPv4": "Enforce IPv4", "isRof": "Extend Memory With Flash", "rofRamSize": "Memory Size on Flash Databases",
	"rofRamRatio": "Memory Ratio on Flash Databases", "searchOnBigstore": "Search Indexes on Flash", "resp3": "RESP3",
	"resp3Default": "RESP3 Default", "redisOnFlashSpec": "Flash Storage", "persistentSpec": "Persistent Storage",
	"ingressOrRouteSpec": "External Access", "ossCluster": "OSS Cluster Protocol", "tlsMode": "TLS Mode", "sso": "Single Sign-On",
	"activeActive": "Active-Active", "specStatus": "Spec Status", "IPFamily": "IP Family",
}

// singulars are lists whose element is not called like the list without its last letter.
var singulars = map[string]string{"Host Aliases": "Host Alias"}

// spelling says how a word is written that is not just capitalised. Some say nothing and are left out of no title.
var spelling = map[string]string{
	"api": "API", "fqdn": "FQDN", "url": "URL", "db": "Database", "ldap": "LDAP", "saml": "SAML", "ocsp": "OCSP", "tls": "TLS", "ui": "UI",
	"ca": "CA", "ttl": "TTL", "oss": "OSS", "ip": "IP", "ram": "RAM", "s3": "S3", "abs": "Azure Blob Storage", "ftp": "FTP", "gcs": "Google Cloud Storage",
	"sftp": "SFTP", "acl": "ACL", "sasl": "SASL", "ha": "HA", "cba": "Certificate-Based Login", "oid": "OID", "sni": "SNI", "id": "ID",
	"http": "HTTP", "https": "HTTPS", "cm": "Admin Console", "cp": "Control Plane", "dp": "Data Plane", "idp": "Identity Provider", "sp": "Service Provider",
	"sso": "SSO", "dmc": "Proxy", "crdt": "Active-Active", "crdb": "Active-Active", "src": "Source", "num": "Number of", "cert": "Certificate", "uid": "UID",
	"pkeys": "Private Keys", "mdns": "mDNS", "pdns": "PowerDNS", "aws": "AWS", "mb": "MB", "spec": "Settings", "rdb": "RDB", "fips": "FIPS",
	"redb": "Database", "redbs": "Databases", "bigstore": "Flash Storage", "ipfamily": "IP Family", "dns": "DNS",
	"rec": "Cluster", "max": "Maximum", "min": "Minimum", "on": "on", "or": "or", "for": "for", "to": "to", "per": "per", "auth": "Authentication",
	"cidr": "CIDR", "conns": "Connections", "subdir": "Directory", "env": "Environment", "vars": "Variables", "guid": "GUID", "entityid": "Entity ID", "cidrs": "CIDRs", "apis": "APIs",
}

// titles are headings that do not follow from the name.
var titles = map[string]map[string]string{
	clusterKind: {
		"nodes": "Nodes", "redisEnterpriseNodeResources": "Node Resources", "uiServiceType": "Admin Console Service Type",
		"uiAnnotations": "Admin Console Service Annotations", "username": "Administrator Name", "state": "State", "license": "License Text",
		"redisEnterpriseImageSpec": "Node Image", "redisEnterpriseServicesRiggerImageSpec": "Services Rigger Image",
		"bootstrapperImageSpec": "Bootstrapper Image", "redisEnterprisePodAnnotations": "Node Pod Annotations",
		"usageMeter.callHomeClient.imageSpec": "Call Home Client Image", "ossClusterSettings": "External Access of OSS Cluster Databases", "encryptPkeys": "Encrypt Private Keys",
	},
	databaseKind: {"type": "Protocol", "status": "State", "redisEnterpriseCluster.name": "Cluster Name", "redisEnterpriseCluster": "Cluster",
		"modulesList": "Modules"},
	remoteKind: {"status": "State", "recName": "Cluster Name", "recNamespace": "Cluster Namespace"},
	activeKind: {"status": "State", "redisEnterpriseCluster": "Cluster", "redisEnterpriseCluster.name": "Cluster Name",
		"globalConfigurations": "Global Settings"},
}
