package api

import (
	"io"
	"net/http"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

func listModules(*call) (any, error) { return schema.Modules(), nil }

func getModule(c *call) (any, error) {
	for _, m := range schema.Modules() {
		if m["uid"] == c.params["uid"] {
			return m, nil
		}
	}
	return nil, refusal(http.StatusNotFound, "module_not_exist", "Module %s does not exist", c.params["uid"])
}

// deleteModule refuses: the bundled modules stay.
func deleteModule(c *call) (any, error) {
	if _, err := getModule(c); err != nil {
		return nil, err
	}
	return nil, refusal(http.StatusNotAcceptable, "invalid_param", "Bundled modules can not be deleted")
}

// uploadModule is every way to bring a module: switched off unless the cluster allows it, and then not emulated.
func uploadModule(c *call) (any, error) {
	_, _ = io.Copy(io.Discard, io.LimitReader(c.request.Body, 64<<20))
	if !c.clusterFlag(c, "allow_modules_upload") {
		return nil, refusal(http.StatusForbidden, "modules_upload_disabled", "Uploading modules is disabled in this cluster")
	}
	return nil, ErrUnsupported
}

func listArtifacts(*call) (any, error) { return []Object{}, nil }

func missingArtifact(*call) (any, error) {
	return nil, refusal(http.StatusNotFound, "module_not_exist", "There is no such user-defined module")
}

func moduleCapabilities(*call) (any, error) {
	all := []Object{}
	for _, name := range []string{
		"types", "crdb", "failover_migrate", "persistence_aof", "persistence_rdb", "clustering", "backup_restore",
		"hash_policy", "ipc", "reshard_rebalance", "eviction_expiry", "intershard_tls", "intershard_tls_pass",
		"module_config", "bigstore_version_2", "flash",
	} {
		all = append(all, Object{"name": name, "desc": name})
	}
	return Object{"all_capabilities": all}, nil
}

// configModules is POST /v1/bdbs/{uid}/modules/config and its older path.
func configModules(c *call) (any, error) {
	raw, err := c.needBody()
	if err != nil {
		return nil, err
	}
	bdb, err := c.mustBDB("uid")
	if err != nil {
		return nil, err
	}
	wanted, ok := raw["modules"].([]any)
	if !ok {
		return nil, refusal(http.StatusBadRequest, "missing_field", "'modules' is a required property")
	}
	modules := list(bdb["module_list"])
	for _, w := range wanted {
		name := schema.TextOf(object(w), "module_name")
		args, isText := object(w)["module_args"].(string)
		if !isText {
			return nil, refusal(http.StatusBadRequest, "param_error", "module_args must be a string")
		}
		found := false
		for _, m := range modules {
			if o := object(m); o["module_name"] == name {
				o["module_args"], found = args, true
			}
		}
		if !found {
			return nil, refusal(http.StatusNotFound, "module_not_exist", "Database does not use module %s", name)
		}
	}
	_, err = c.changeBDB(bdb, Object{"module_list": modules}, "")
	return nil, err
}

// upgradeModules is POST /v1/bdbs/{uid}/modules/upgrade: bundled modules follow the version of the database.
func upgradeModules(c *call) (any, error) {
	raw, err := c.needBody()
	if err != nil {
		return nil, err
	}
	if _, err := c.mustBDB("uid"); err != nil {
		return nil, err
	}
	if len(list(raw["modules"])) == 0 {
		return nil, refusal(http.StatusBadRequest, "missing_field", "'modules' is a required property")
	}
	return nil, refusal(http.StatusNotAcceptable, "missing_module", "That module version is not installed")
}
