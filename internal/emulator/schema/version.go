package schema

// SoftwareVersion is the release whose documentation is emulated.
const SoftwareVersion = "8.2.0-101"

type offer struct{ short, full string }

// Database versions a node of this release offers, oldest first.
var offers = []offer{{"7.2", "7.2.4"}, {"7.4", "7.4.2"}, {"8.0", "8.0.2"}, {"8.2", "8.2.0"}}

// SupportedDatabaseVersions is the list under that name in nodes.
func SupportedDatabaseVersions() []any {
	list := make([]any, 0, len(offers))
	for _, o := range offers {
		list = append(list, Object{"db_type": "redis", "version": o.full, "redis_version": o.short, "major": true})
	}
	return append(list, Object{"db_type": "memcached", "version": "1.4.17", "redis_version": "", "major": true})
}

// supportedVersions are the versions that every node offers.
func supportedVersions(nodes []Object) []offer {
	count, order := map[offer]int{}, []offer{}
	for _, n := range nodes {
		for _, v := range listOf(n["supported_database_versions"]) {
			o, _ := v.(map[string]any)
			if TextOf(o, "db_type") != "redis" {
				continue
			}
			entry := offer{TextOf(o, "redis_version"), TextOf(o, "version")}
			if count[entry] == 0 {
				order = append(order, entry)
			}
			count[entry]++
		}
	}
	common := order[:0]
	for _, entry := range order {
		if count[entry] == len(nodes) {
			common = append(common, entry)
		}
	}
	return common
}

// module is a bundled module: its facts, no binary.
type module struct {
	name, display, version, capability, args string
	number                                   int64
	uid                                      string
}

var modules = []module{
	{name: "search", display: "Redis Query Engine", version: "8.2.1", number: 80201, capability: "Search and query",
		args: "PARTITIONS AUTO", uid: "5d1a6a7f02a94a3b9a4be6a7c5f10001"},
	{name: "ReJSON", display: "JSON", version: "8.2.0", number: 80200, capability: "JSON documents",
		uid: "5d1a6a7f02a94a3b9a4be6a7c5f10002"},
	{name: "timeseries", display: "Time series", version: "8.2.0", number: 80200, capability: "Time series",
		uid: "5d1a6a7f02a94a3b9a4be6a7c5f10003"},
	{name: "bf", display: "Probabilistic", version: "8.2.0", number: 80200, capability: "Probabilistic types",
		uid: "5d1a6a7f02a94a3b9a4be6a7c5f10004"},
}

// Modules are the objects of /v1/modules.
func Modules() []Object {
	out := make([]Object, 0, len(modules))
	for _, m := range modules {
		o := Defaults("module")
		for k, v := range (Object{
			"uid": m.uid, "module_name": m.name, "display_name": m.display, "semantic_version": m.version,
			"version": m.number, "capability_name": m.capability, "command_line_args": m.args, "author": "Redis",
			"description": m.capability, "capabilities": []any{}, "is_bundled": true, "min_redis_version": "8.0",
			"compatible_redis_version": "8.2", "config_command": "CONFIG SET", "license": "", "email": "",
			"homepage": "https://redis.io", "sha256": nil, "module_file": nil, "platforms": nil,
		}) {
			o[k] = v
		}
		out = append(out, o)
	}
	return out
}

// bundledModuleList is what a database of version 8 or later gets unasked.
func bundledModuleList(bdb Object) []any {
	list := []any{}
	if TextOf(bdb, "type") == "memcached" || TextOf(bdb, "redis_version") < "8" {
		return list
	}
	for _, m := range modules {
		switch {
		case BoolOf(bdb, "bigstore") && m.name != "ReJSON" && m.name != "bf":
		case BoolOf(bdb, "crdt") && m.name != "search" && m.name != "ReJSON":
		default:
			list = append(list, m.entry())
		}
	}
	return list
}

func (m module) entry() Object {
	return Object{"module_name": m.name, "semantic_version": m.version, "module_id": m.uid, "module_args": ""}
}

// ruleModules completes the modules asked for and refuses unknown ones.
func ruleModules(w wish) error {
	if !w.says("module_list") {
		return nil
	}
	list := listOf(w.asked["module_list"])
	for i, e := range list {
		o, _ := e.(map[string]any)
		m := findModule(TextOf(o, "module_name"))
		if m == nil {
			return notAcceptable("missing_module", "Module '%s' is not installed", TextOf(o, "module_name"))
		}
		full := m.entry()
		for k, v := range o {
			full[k] = v
		}
		list[i] = full
	}
	w.now["module_list"], w.asked["module_list"] = list, list
	return nil
}

func findModule(name string) *module {
	for i := range modules {
		if modules[i].name == name {
			return &modules[i]
		}
	}
	return nil
}
