package api

import (
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// collection is a kind of object that clients create, change and delete at once, without a state machine.
type collection struct {
	kind      Kind
	typeName  string
	missing   string // error code of an unknown uid
	uniqueKey string // field that no two objects share
	// check holds the rules of a kind; old is nil on create.
	check func(c *call, old, ask Object) error
	// guard refuses deletion.
	guard func(c *call, old Object) error
	// complete fills a new object in.
	complete func(o Object)
	// permissionKey names the kind in roles_permissions of databases.
	permissionKey string
}

var namePattern = regexp.MustCompile(`^[a-zA-Z0-9_ \[\]()@,.;#-]+$`)

func (k collection) routes(path, viewAll, view, create, update, remove string) []route {
	return []route{
		{method: http.MethodGet, pattern: path, permission: viewAll, serve: k.list},
		{method: http.MethodPost, pattern: path, permission: create, serve: k.create},
		{method: http.MethodGet, pattern: path + "/{uid}", permission: view, serve: k.get},
		{method: http.MethodPut, pattern: path + "/{uid}", permission: update, serve: k.update},
		{method: http.MethodDelete, pattern: path + "/{uid}", permission: remove, serve: k.delete},
	}
}

func (k collection) render(o Object) Object { return schema.Render(k.typeName, o, schema.View{}) }

func (k collection) list(c *call) (any, error) {
	all, err := c.Engine.List(c.ctx(), k.kind)
	if err != nil {
		return nil, err
	}
	out := make([]Object, 0, len(all))
	for _, o := range all {
		out = append(out, k.render(o))
	}
	return out, nil
}

func (k collection) must(c *call) (Object, error) {
	o, err := c.Engine.Get(c.ctx(), k.kind, c.params["uid"])
	if err == nil && o == nil {
		err = refusal(http.StatusNotFound, k.missing, "%s %s does not exist", k.typeName, c.params["uid"])
	}
	return o, err
}

func (k collection) get(c *call) (any, error) {
	o, err := k.must(c)
	if err != nil {
		return nil, err
	}
	return k.render(o), nil
}

func (k collection) create(c *call) (any, error) {
	ask, err := c.typed(k.typeName, schema.Create)
	if err != nil {
		return nil, err
	}
	if err := k.validate(c, nil, ask); err != nil {
		return nil, err
	}
	if c.dryRun() {
		return nil, nil
	}
	uid := schema.IntOf(ask, "uid")
	if uid == 0 {
		if uid, err = c.Engine.NextUID(c.ctx(), k.kind); err != nil {
			return nil, err
		}
	}
	ask["uid"] = uid
	if ask["account_id"] == nil {
		ask["account_id"] = int64(1)
	}
	if k.complete != nil {
		k.complete(ask)
	}
	stored, err := c.put(k.kind, id(uid), ask)
	if err != nil {
		return nil, err
	}
	return k.render(stored), nil
}

func (k collection) update(c *call) (any, error) {
	old, err := k.must(c)
	if err != nil {
		return nil, err
	}
	ask, err := c.typed(k.typeName, schema.Change)
	if err != nil {
		return nil, err
	}
	delete(ask, "uid")
	if err := k.validate(c, old, ask); err != nil {
		return nil, err
	}
	if c.dryRun() {
		return nil, nil
	}
	stored, err := c.Engine.Update(c.ctx(), k.kind, c.params["uid"], func(o Object) (Object, error) {
		if o == nil {
			return nil, ErrNotFound
		}
		for key, v := range ask {
			o[key] = v
		}
		return o, nil
	})
	if err != nil {
		return nil, err
	}
	return k.render(stored), nil
}

func (k collection) delete(c *call) (any, error) {
	old, err := k.must(c)
	if err != nil {
		return nil, err
	}
	if k.guard != nil {
		if err := k.guard(c, old); err != nil {
			return nil, err
		}
	}
	if c.dryRun() {
		return nil, nil
	}
	action, err := c.dropPermissions(k.permissionKey, schema.IntOf(old, "uid"))
	if err != nil {
		return nil, err
	}
	if err := c.remove(k.kind, c.params["uid"]); err != nil || action == "" {
		return nil, err
	}
	return Object{"action_uid": action}, nil
}

func (k collection) validate(c *call, old, ask Object) error {
	all, err := c.Engine.List(c.ctx(), k.kind)
	if err != nil {
		return err
	}
	for _, other := range all {
		if old != nil && schema.IntOf(other, "uid") == schema.IntOf(old, "uid") {
			continue
		}
		if v := schema.TextOf(ask, k.uniqueKey); v != "" && strings.EqualFold(v, schema.TextOf(other, k.uniqueKey)) {
			return refusal(http.StatusBadRequest, "name_already_exists", "An object with this %s already exists", k.uniqueKey)
		}
		if uid := schema.IntOf(ask, "uid"); uid != 0 && uid == schema.IntOf(other, "uid") {
			return refusal(http.StatusConflict, "uid_exists", "uid %d is taken", uid)
		}
	}
	if k.check == nil {
		return nil
	}
	return k.check(c, old, ask)
}

var roles = collection{
	kind: KindRole, typeName: "role", missing: "role_not_exist", uniqueKey: "name",
	check: func(c *call, old, ask Object) error {
		if err := checkName(ask, "invalid_param"); err != nil || old == nil || ask["management"] == nil {
			return err
		}
		uid := schema.IntOf(old, "uid")
		return c.keepAnAdmin(nil, func(r Object) Object {
			if schema.IntOf(r, "uid") == uid {
				r["management"] = ask["management"]
			}
			return r
		})
	},
	guard: func(c *call, old Object) error {
		users, err := c.Engine.List(c.ctx(), KindUser)
		if err != nil {
			return err
		}
		for _, u := range users {
			for _, uid := range list(u["role_uids"]) {
				if n, _ := schema.Int(uid); n == schema.IntOf(old, "uid") {
					return refusal(http.StatusNotAcceptable, "invalid_param", "Role is used by user %v", u["uid"])
				}
			}
		}
		return nil
	},
	permissionKey: "role_uid",
	complete: func(o Object) {
		if o["management"] == nil {
			o["management"] = roleNone
		}
	},
}

var redisACLs = collection{
	kind: KindRedisACL, typeName: "redis_acl", missing: "redis_acl_not_exist", uniqueKey: "name",
	check: func(_ *call, old, ask Object) error {
		if old != nil && schema.IntOf(old, "uid") <= int64(len(predefinedACLs)) {
			return refusal(http.StatusConflict, "invalid_param", "Predefined Redis ACLs can not be changed")
		}
		if err := checkName(ask, "invalid_param"); err != nil {
			return err
		}
		rule, said := ask["acl"].(string)
		if !said {
			return nil
		}
		return checkACL(rule)
	},
	guard: func(_ *call, old Object) error {
		if schema.IntOf(old, "uid") <= int64(len(predefinedACLs)) {
			return refusal(http.StatusConflict, "invalid_param", "Predefined Redis ACLs can not be deleted")
		}
		return nil
	},
	permissionKey: "redis_acl_uid",
}

var ldapMappings = collection{
	kind: KindLDAPMapping, typeName: "ldap_mapping", missing: "ldap_mapping_not_exist", uniqueKey: "name",
	check: func(c *call, _, ask Object) error {
		if err := checkName(ask, "invalid_name_param"); err != nil {
			return err
		}
		if dn, said := ask["dn"].(string); said && !strings.Contains(dn, "=") {
			return refusal(http.StatusBadRequest, "invalid_dn_param", "'%s' is not a distinguished name", dn)
		}
		if c.resolveRoles(ask) != nil {
			return refusal(http.StatusBadRequest, "invalid_role_uids_param", "role_uids names a role that does not exist")
		}
		return nil
	},
	complete: func(o Object) { schema.Fill("ldap_mapping", o) },
}

var bdbGroups = collection{
	kind: KindBDBGroup, typeName: "bdb_group", missing: "bdb_group_not_exist", uniqueKey: "uid",
	complete: func(o Object) {
		o["members"] = []any{}
		delete(o, "account_id")
	},
}

func checkName(ask Object, code string) error {
	name, said := ask["name"].(string)
	if said && !namePattern.MatchString(name) {
		return refusal(http.StatusBadRequest, code, "'%s' is not an acceptable name", name)
	}
	return nil
}

// aclWord is the form of one term of an access list: +get -@dangerous ~key* %R~key* &channel allkeys ...
var aclWord = regexp.MustCompile(`^([+-]@?[a-zA-Z0-9|_.-]+|%(R|W|RW|WR)~\S+|~\S+|&\S+|\(.*\)?|.*\)|on|off|reset|resetkeys|` +
	`resetchannels|allkeys|allchannels|allcommands|nocommands|clearselectors|sanitize-payload|skip-sanitize-payload)$`)

func checkACL(rule string) error {
	for _, word := range strings.Fields(rule) {
		if !aclWord.MatchString(word) || strings.HasPrefix(word, "#") || strings.HasPrefix(word, ">") {
			return refusal(http.StatusBadRequest, "invalid_param", "'%s' is not a Redis ACL term", word)
		}
	}
	return nil
}

// validateACL is POST /v1/redis_acls/validate.
func validateACL(c *call) (any, error) {
	ask, err := c.typed("redis_acl", schema.Create)
	if err != nil {
		return nil, err
	}
	if err := redisACLs.validate(c, nil, ask); err != nil {
		return nil, err
	}
	return redisACLs.render(ask), nil
}

// dropPermissions takes a role or access list that is about to go out of all databases: public clients delete roles
// that databases still name, and expect that to work. It returns the action of the last database it changed.
func (c *call) dropPermissions(key string, uid int64) (string, error) {
	if key == "" {
		return "", nil
	}
	c.bdbs.Lock()
	defer c.bdbs.Unlock()
	bdbs, err := c.Engine.List(c.ctx(), KindBDB)
	if err != nil {
		return "", err
	}
	action := ""
	for _, b := range bdbs {
		before, kept := list(b["roles_permissions"]), []any{}
		for _, p := range before {
			if schema.IntOf(object(p), key) != uid {
				kept = append(kept, p)
			}
		}
		if len(kept) == len(before) {
			continue
		}
		uid := schema.IntOf(b, "uid")
		stored, err := c.Engine.UpdateBDB(c.ctx(), uid, Object{"roles_permissions": kept}, "")
		if errors.Is(err, ErrBusy) {
			// The database is being changed anyway; it takes this along.
			stored, err = c.Engine.Update(c.ctx(), KindBDB, id(uid), func(o Object) (Object, error) {
				if o != nil {
					o["roles_permissions"] = kept
				}
				return o, nil
			})
		}
		if err != nil {
			return "", err
		}
		action = schema.TextOf(stored, "action_uid")
	}
	return action, nil
}
