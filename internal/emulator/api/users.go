package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

func id(uid int64) string { return strconv.FormatInt(uid, 10) }

func (c *call) renderUser(u Object) Object {
	o := schema.Render("user", u, schema.View{})
	if c.lockouts.locked(userKeyOf(u), c.lockoutPolicy(c), c.Now()) {
		o["status"] = "locked"
	}
	if managements, err := c.managements(c, u); err == nil {
		o["role"] = strongest(managements)
	}
	return o
}

// strongest is the role that the old single-role field shows.
func strongest(managements []string) string {
	for _, m := range managementRoles {
		for _, have := range managements {
			if have == m {
				return m
			}
		}
	}
	return roleNone
}

func listUsers(c *call) (any, error) {
	users, err := c.Engine.List(c.ctx(), KindUser)
	if err != nil {
		return nil, err
	}
	out := make([]Object, 0, len(users))
	for _, u := range users {
		out = append(out, c.renderUser(u))
	}
	return out, nil
}

func (c *call) mustUser() (Object, error) {
	user, err := c.Engine.Get(c.ctx(), KindUser, c.params["uid"])
	if err == nil && user == nil {
		err = refusal(http.StatusNotFound, "user_not_exist", "User %s does not exist", c.params["uid"])
	}
	return user, err
}

func getUser(c *call) (any, error) {
	user, err := c.mustUser()
	if err != nil {
		return nil, err
	}
	return c.renderUser(user), nil
}

func createUser(c *call) (any, error) {
	ask, err := c.typed("user", schema.Create)
	if err != nil {
		return nil, err
	}
	if err := c.checkUser(nil, ask); err != nil {
		return nil, err
	}
	if c.dryRun() {
		return nil, nil
	}
	uid := schema.IntOf(ask, "uid")
	if uid == 0 {
		if uid, err = c.Engine.NextUID(c.ctx(), KindUser); err != nil {
			return nil, err
		}
	}
	user := schema.Fill("user", schema.Clone(ask))
	user["uid"], user["status"] = uid, "active"
	for _, key := range []string{"bdbs_email_alerts", "role_uids"} {
		if user[key] == nil {
			user[key] = []any{}
		}
	}
	if user["name"] == nil {
		user["name"] = schema.TextOf(ask, "email")
	}
	if user["cluster_email_alerts"] == nil {
		user["cluster_email_alerts"] = false
	}
	if password := schema.TextOf(ask, "password"); password != "" {
		setPasswords(user, []string{digest(password)}, schema.Timestamp(c.Now()))
	}
	delete(user, "password")
	delete(user, "role")
	stored, err := c.put(KindUser, id(uid), user)
	if err != nil {
		return nil, err
	}
	return c.renderUser(stored), nil
}

func setPasswords(user Object, digests []string, issued string) {
	kept := make([]any, len(digests))
	for i, d := range digests {
		kept[i] = d
	}
	user["_password_sha256"], user["password_issue_date"] = kept, issued
}

// put stores an object that must not exist yet or replaces it.
func (c *call) put(kind Kind, key string, o Object) (Object, error) {
	return c.Engine.Update(c.ctx(), kind, key, func(Object) (Object, error) { return o, nil })
}

// checkUser holds the rules of creating (old is nil) and changing a user. It resolves the old single role.
func (c *call) checkUser(old, ask Object) error {
	users, err := c.Engine.List(c.ctx(), KindUser)
	if err != nil {
		return err
	}
	method := schema.TextOf(ask, "auth_method")
	if old == nil {
		if err := neededForUser(ask, method); err != nil {
			return err
		}
	}
	for _, other := range users {
		if old != nil && schema.IntOf(other, "uid") == schema.IntOf(old, "uid") {
			continue
		}
		if email := schema.TextOf(ask, "email"); email != "" && strings.EqualFold(email, schema.TextOf(other, "email")) {
			return refusal(http.StatusBadRequest, "email_already_exists", "User with this email already exists")
		}
		if name := schema.TextOf(ask, "name"); name != "" && schema.TextOf(ask, "email") == "" && old == nil &&
			name == schema.TextOf(other, "name") {
			return refusal(http.StatusBadRequest, "name_already_exists", "User with this name already exists")
		}
		if uid := schema.IntOf(ask, "uid"); old == nil && uid != 0 && uid == schema.IntOf(other, "uid") {
			return refusal(http.StatusConflict, "uid_exists", "User with uid %d already exists", uid)
		}
	}
	if err := c.resolveRoles(ask); err != nil {
		return err
	}
	if password, said := ask["password"].(string); said {
		return c.checkComplexity(password, schema.TextOf(ask, "email"))
	}
	return nil
}

func neededForUser(ask Object, method string) error {
	switch {
	case method == "certificate" && schema.TextOf(ask, "certificate_subject_line") == "":
		return badRequest("A certificate user needs certificate_subject_line")
	// Users of databases often have a name and no e-mail; public clients make them so.
	case method != "certificate" && schema.TextOf(ask, "email") == "" && schema.TextOf(ask, "name") == "":
		return badRequest("A user needs 'email' or 'name'")
	case (method == "" || method == "regular") && schema.TextOf(ask, "password") == "":
		return badRequest("'password' is a required property of user")
	}
	return nil
}

// resolveRoles checks role_uids and turns the old role word into them.
func (c *call) resolveRoles(ask Object) error {
	roles, err := c.Engine.List(c.ctx(), KindRole)
	if err != nil {
		return err
	}
	known, byName := map[int64]bool{}, map[string]int64{}
	for _, r := range roles {
		uid := schema.IntOf(r, "uid")
		known[uid] = true
		byName[strings.ToLower(schema.TextOf(r, "name"))] = uid
		byName[schema.TextOf(r, "management")] = uid
	}
	if word, said := ask["role"].(string); said && ask["role_uids"] == nil {
		uid, there := byName[strings.ToLower(word)]
		if !there {
			return refusal(http.StatusBadRequest, "role_not_exist", "Role %s does not exist", word)
		}
		ask["role_uids"] = []any{uid}
	}
	delete(ask, "role")
	for _, uid := range list(ask["role_uids"]) {
		if n, _ := schema.Int(uid); !known[n] {
			return refusal(http.StatusBadRequest, "role_not_exist", "Trying to associate with a non-existing role: %d", n)
		}
	}
	return nil
}

func updateUser(c *call) (any, error) {
	old, err := c.mustUser()
	if err != nil {
		return nil, err
	}
	ask, err := c.typed("user", schema.Change)
	if err != nil {
		return nil, err
	}
	delete(ask, "uid")
	if err := c.checkUser(old, ask); err != nil {
		return nil, err
	}
	password, newPassword := ask["password"].(string)
	if newPassword && passwordMatches(old, password) {
		return nil, refusal(http.StatusBadRequest, "new_password_same_as_current", "This password is already in use")
	}
	if err := c.keepAnAdmin(func(u Object) Object {
		if schema.IntOf(u, "uid") == schema.IntOf(old, "uid") && ask["role_uids"] != nil {
			u["role_uids"] = ask["role_uids"]
		}
		return u
	}, nil); err != nil {
		return nil, err
	}
	if c.dryRun() {
		return nil, nil
	}
	stored, err := c.Engine.Update(c.ctx(), KindUser, c.params["uid"], func(u Object) (Object, error) {
		if u == nil {
			return nil, ErrNotFound
		}
		for k, v := range ask {
			u[k] = v
		}
		delete(u, "password")
		if newPassword {
			setPasswords(u, []string{digest(password)}, schema.Timestamp(c.Now()))
		}
		return u, nil
	})
	if err != nil {
		return nil, err
	}
	if newPassword {
		c.lockouts.clear(userKeyOf(stored))
	}
	return c.renderUser(stored), nil
}

func deleteUser(c *call) (any, error) {
	user, err := c.mustUser()
	if err != nil {
		return nil, err
	}
	uid := schema.IntOf(user, "uid")
	if err := c.keepAnAdmin(func(u Object) Object {
		if schema.IntOf(u, "uid") == uid {
			return nil
		}
		return u
	}, nil); err != nil {
		return nil, err
	}
	return nil, c.remove(KindUser, id(uid))
}

func (c *call) remove(kind Kind, key string) error {
	_, err := c.Engine.Update(c.ctx(), kind, key, func(Object) (Object, error) { return nil, nil })
	return err
}

// keepAnAdmin refuses a change after which nobody would be an administrator. change rewrites users (nil removes one),
// changeRole rewrites roles.
func (c *call) keepAnAdmin(change func(Object) Object, changeRole func(Object) Object) error {
	roles, err := c.Engine.List(c.ctx(), KindRole)
	if err != nil {
		return err
	}
	users, err := c.Engine.List(c.ctx(), KindUser)
	if err != nil {
		return err
	}
	admins := map[int64]bool{}
	for _, r := range roles {
		if changeRole != nil {
			r = changeRole(r)
		}
		if schema.TextOf(r, "management") == roleAdmin {
			admins[schema.IntOf(r, "uid")] = true
		}
	}
	for _, u := range users {
		if change != nil {
			u = change(u)
		}
		for _, uid := range list(u["role_uids"]) {
			if n, _ := schema.Int(uid); admins[n] {
				return nil
			}
		}
	}
	return refusal(http.StatusBadRequest, "change_last_admin_role_not_allowed", "The cluster needs at least one admin")
}

// currentRole is GET /v1/users/role.
func currentRole(c *call) (any, error) {
	managements, err := c.managements(c, c.user)
	if err != nil {
		return nil, err
	}
	return Object{"role": strongest(managements)}, nil
}

// userPermissions is GET /v1/users/permissions and .../{role}.
func userPermissions(c *call) (any, error) {
	wanted := c.params["role"]
	out := Object{}
	for _, r := range managementRoles {
		if wanted == "" || wanted == r {
			out[r] = Object{"api_permissions": permissionsOf(r), "ui_permissions": []string{}}
		}
	}
	if len(out) == 0 {
		return nil, refusal(http.StatusNotFound, "role_not_exist", "Role %s does not exist", wanted)
	}
	return out, nil
}
