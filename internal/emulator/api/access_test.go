package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestUsers(t *testing.T) {
	b := newBench(t, 1)
	b.post("/v1/users", `{"email":"a@b","password":"p","role":"db_viewer"}`).is(400, "role_not_exist")
	b.post("/v1/users", `{"email":"a@b","password":"p","role_uids":[9]}`).is(400, "role_not_exist")
	b.post("/v1/users", `{"email":"a@b"}`).is(400, "invalid_schema")
	b.post("/v1/users", `{"auth_method":"certificate"}`).is(400, "invalid_schema")
	b.post("/v1/users?dry_run", `{"email":"a@b","password":"p","role_uids":[1]}`).is(200, "")
	if n := len(b.get("/v1/users").list()); n != 1 {
		t.Fatalf("a dry run made a user: %d", n)
	}
	user := b.post("/v1/users", `{"email":"a@b","password":"p1","name":"A","role_uids":[1]}`).ok()
	if user["uid"] != 2.0 || user["status"] != "active" || user["role"] != "admin" || user["password"] != nil {
		t.Errorf("user %v", user)
	}
	b.post("/v1/users", `{"email":"A@B","password":"p","role_uids":[1]}`).is(400, "email_already_exists")
	b.post("/v1/users", `{"uid":2,"email":"c@d","password":"p"}`).is(409, "uid_exists")
	b.post("/v1/users", `{"password":"p"}`).is(400, "invalid_schema")
	b.post("/v1/users", `{"name":"only-a-name","password":"p","role_uids":[1]}`).is(200, "")
	b.post("/v1/users", `{"name":"only-a-name","password":"p","role_uids":[1]}`).is(400, "name_already_exists")
	b.as("only-a-name", "p").get("/v1/bdbs").is(200, "")
	b.delete("/v1/users/3").is(200, "")
	b.as("a@b", "p1").get("/v1/bdbs").is(200, "")
	b.as("A", "p1").get("/v1/bdbs").is(200, "")
	b.put("/v1/users/2", `{"password":"p1"}`).is(400, "new_password_same_as_current")
	b.put("/v1/users/2", `{"password":"p2","email_alerts":false}`).is(200, "")
	b.as("a@b", "p1").get("/v1/bdbs").is(401, "")
	b.as("a@b", "p2").get("/v1/bdbs").is(200, "")
	b.put("/v1/users/9", `{"name":"x"}`).is(404, "user_not_exist")
	b.delete("/v1/users/2").is(200, "")
	b.get("/v1/users/2").is(404, "user_not_exist")
	b.delete("/v1/users/1").is(400, "change_last_admin_role_not_allowed")
	b.put("/v1/users/1", `{"role_uids":[]}`).is(400, "change_last_admin_role_not_allowed")
}

func TestPasswordRotation(t *testing.T) {
	b := newBench(t, 1)
	b.post("/v1/users/password", `{"new_password":"second"}`).is(200, "")
	second := b.as(admin, "second")
	second.get("/v1/bdbs").is(200, "")
	b.get("/v1/bdbs").is(200, "")
	b.post("/v1/users/password", fmt.Sprintf(`{"username":%q,"new_password":"second"}`, admin)).is(400, "new_password_same_as_current")
	b.post("/v1/users/password", `{"username":"nobody","new_password":"x"}`).is(404, "user_not_exist")
	second.do("DELETE", "/v1/users/password", fmt.Sprintf(`{"username":%q,"old_password":%q}`, admin, password)).is(200, "")
	b.get("/v1/bdbs").is(401, "")
	second.do("DELETE", "/v1/users/password", `{"old_password":"second"}`).is(400, "cannot_delete_last_password")
	second.put("/v1/users/password", `{"new_password":"third"}`).is(200, "")
	second.get("/v1/bdbs").is(401, "")
	b.as(admin, "third").get("/v1/bdbs").is(200, "")
}

func TestPasswordComplexity(t *testing.T) {
	b := newBench(t, 1)
	b.put("/v1/cluster", `{"password_complexity":true,"password_min_length":10}`).is(200, "")
	for _, weak := range []string{"short", "alllowercase1!", "NODIGITS!aa", "Aa1!aaaaBB", "Abcdefg12"} {
		b.put("/v1/users/password", fmt.Sprintf(`{"new_password":%q}`, weak)).is(400, "password_not_complex")
	}
	b.put("/v1/users/password", `{"new_password":"Abcdef12!x"}`).is(200, "")
	b.as(admin, "Abcdef12!x").get("/v1/bdbs").is(200, "")
}

func TestExpiredPasswordsAreNamed(t *testing.T) {
	b := newBench(t, 1)
	b.put("/v1/cluster", `{"password_expiration_duration":1}`).is(200, "")
	b.get("/v1/cluster").is(200, "")
	b.now = b.now.Add(25 * time.Hour)
	b.post("/v1/users/authorize", "").is(401, "password_expired")
}

func TestRolesDecideWhatUsersMayDo(t *testing.T) {
	b := newBench(t, 1)
	users := map[string]*bench{}
	for i, management := range []string{"cluster_member", "cluster_viewer", "db_member", "db_viewer", "user_manager", "none"} {
		role := b.post("/v1/roles", fmt.Sprintf(`{"name":"r%d","management":%q}`, i, management)).ok()
		email := management + "@b"
		b.post("/v1/users", fmt.Sprintf(`{"email":%q,"password":"p","role_uids":[%v]}`, email, role["uid"])).is(200, "")
		users[management] = b.as(email, "p")
		if got := users[management].get("/v1/users/role").ok()["role"]; got != management {
			t.Errorf("%s is told %v", management, got)
		}
	}
	for _, c := range []struct {
		method, path, body string
		may                string
	}{
		{"GET", "/v1/bdbs", "", "cluster_member cluster_viewer db_member db_viewer user_manager"},
		{"POST", "/v1/bdbs?dry_run", `{"name":"x","memory_size":1}`, "cluster_member db_member"},
		{"PUT", "/v1/cluster?dry_run", `{"email_from":"x"}`, ""},
		{"GET", "/v1/users", "", "user_manager"},
		{"GET", "/v1/logs", "", "cluster_member cluster_viewer db_member user_manager"},
		{"GET", "/v1/jsonschema?object=bdb", "", "cluster_member cluster_viewer db_member db_viewer user_manager none"},
	} {
		for management, user := range users {
			want := 403
			for _, m := range strings.Fields(c.may) {
				if m == management {
					want = 200
				}
			}
			if r := user.do(c.method, c.path, c.body); r.status != want {
				t.Errorf("%s %s as %s: %d, want %d", c.method, c.path, management, r.status, want)
			}
		}
	}
	none := users["none"]
	none.post("/v1/users/password", fmt.Sprintf(`{"username":%q,"new_password":"x"}`, admin)).is(403, "unauthorized_action")
	none.post("/v1/users/password", `{"new_password":"mine"}`).is(200, "")
	if all := b.get("/v1/users/permissions").ok(); len(all) != 7 {
		t.Errorf("permissions of %d roles", len(all))
	}
	b.get("/v1/users/permissions/nobody").is(404, "role_not_exist")
}

func TestRolesAndACLs(t *testing.T) {
	b := newBench(t, 1)
	if roles := b.get("/v1/roles").list(); len(roles) != 1 || roles[0]["management"] != "admin" {
		t.Errorf("a fresh cluster has the roles %v", roles)
	}
	b.post("/v1/roles", `{"management":"admin"}`).is(400, "missing_field")
	b.post("/v1/roles", `{"name":"bad/name"}`).is(400, "invalid_param")
	b.post("/v1/roles", `{"name":"admin"}`).is(400, "name_already_exists")
	b.post("/v1/roles", `{"name":"x","management":"king"}`).is(400, "invalid_schema")
	b.put("/v1/roles/1", `{"management":"none"}`).is(400, "change_last_admin_role_not_allowed")
	b.delete("/v1/roles/1").is(406, "invalid_param")
	role := b.post("/v1/roles", `{"name":"db"}`).ok()
	if role["management"] != "none" {
		t.Errorf("role %v", role)
	}
	if acls := b.get("/v1/redis_acls").list(); len(acls) != 3 || acls[2]["acl"] != "+@all -@dangerous ~*" {
		t.Errorf("predefined ACLs %v", acls)
	}
	b.put("/v1/redis_acls/1", `{"acl":"+get"}`).is(409, "invalid_param")
	b.delete("/v1/redis_acls/3").is(409, "invalid_param")
	b.post("/v1/redis_acls", `{"name":"x","acl":"get"}`).is(400, "invalid_param")
	b.post("/v1/redis_acls/validate", `{"name":"x","acl":"+@read ~app:* &ch"}`).is(200, "")
	acl := b.post("/v1/redis_acls", `{"name":"x","acl":"+@read ~app:* %R~ro:* resetchannels"}`).ok()
	if acl["uid"] != 4.0 {
		t.Errorf("acl %v", acl)
	}
	body := fmt.Sprintf(`{"name":"a","memory_size":1,"roles_permissions":[{"role_uid":%v,"redis_acl_uid":4}]}`, role["uid"])
	b.post("/v1/bdbs", body).is(200, "")
	if a := b.delete("/v1/redis_acls/4").ok(); a["action_uid"] == nil {
		t.Errorf("deleting what a database names answers %v", a)
	}
	if left := b.get("/v1/bdbs/1").ok()["roles_permissions"].([]any); len(left) != 0 {
		t.Errorf("the database still names %v", left)
	}
	b.delete(fmt.Sprintf("/v1/roles/%v", role["uid"])).is(200, "")
	busyRole := b.post("/v1/roles", `{"name":"busy"}`).ok()
	b.engine.Steps = 3
	b.put("/v1/bdbs/1", fmt.Sprintf(`{"roles_permissions":[{"role_uid":%v,"redis_acl_uid":1}]}`, busyRole["uid"])).is(200, "")
	b.delete(fmt.Sprintf("/v1/roles/%v", busyRole["uid"])).is(200, "")
	if left := b.get("/v1/bdbs/1").ok()["roles_permissions"].([]any); len(left) != 0 {
		t.Errorf("the busy database still names %v", left)
	}
	for range 3 {
		b.get("/v1/actions").is(200, "")
	}
	b.get("/v1/redis_acls/4").is(404, "redis_acl_not_exist")
	b.post("/v1/ldap_mappings", `{"name":"m","dn":"x","role_uids":[1]}`).is(400, "invalid_dn_param")
	b.post("/v1/ldap_mappings", `{"name":"m","dn":"cn=x","role_uids":[7]}`).is(400, "invalid_role_uids_param")
	b.post("/v1/ldap_mappings", `{"name":"m","dn":"cn=x","role_uids":[1]}`).is(200, "")
	b.get("/v1/ldap_mappings/9").is(404, "ldap_mapping_not_exist")
}
