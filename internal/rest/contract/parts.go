package contract

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

func (s *suite) cluster(t *testing.T) {
	ctx := t.Context()
	c, err := s.client.GetCluster(ctx)
	must(t, err)
	if rest.Value(c.Name) == "" {
		t.Error("the cluster has no name")
	}
	if s.client.StateID() == 0 {
		t.Error("no cluster-state-id came with the answer")
	}
	policy, err := s.client.GetPolicy(ctx)
	must(t, err)
	if p := rest.Value(policy.RedisUpgradePolicy); p != "major" && p != "latest" {
		t.Errorf("redis_upgrade_policy is %q", p)
	}
	before := rest.Value(policy.SlaveHAGracePeriod)
	must(t, s.client.UpdatePolicy(ctx, &rest.ClusterPolicy{SlaveHAGracePeriod: rest.Ptr(before + 1)}))
	policy, err = s.client.GetPolicy(ctx)
	must(t, err)
	if got := rest.Value(policy.SlaveHAGracePeriod); got != before+1 {
		t.Errorf("slave_ha_grace_period is %d after a change to %d", got, before+1)
	}
	must(t, s.client.UpdatePolicy(ctx, &rest.ClusterPolicy{SlaveHAGracePeriod: &before}))
	license, err := s.client.GetLicense(ctx)
	must(t, err)
	if license.Expired || rest.Value(license.ShardsLimit) <= 0 {
		t.Errorf("licence: expired %v, limit %d", license.Expired, rest.Value(license.ShardsLimit))
	}
	services, err := s.client.GetServices(ctx)
	must(t, err)
	if services["cm_server"].OperatingMode == "" {
		t.Error("services do not name cm_server")
	}
	if _, err := s.client.ListModules(ctx); err != nil {
		t.Error(err)
	}
	certs, err := s.client.GetCertificates(ctx)
	must(t, err)
	if !strings.Contains(certs["api_cert"], "BEGIN CERTIFICATE") {
		t.Error("there is no api_cert")
	}
	s.metrics(t)
	raw, err := s.client.GetSchema(ctx, "bdb")
	must(t, err)
	if !json.Valid(raw) || !strings.Contains(string(raw), "memory_size") {
		t.Error("the schema of bdb does not know memory_size")
	}
	check, err := s.client.CheckCluster(ctx)
	must(t, err)
	if !check.Result {
		t.Errorf("the cluster's own check failed: %+v", check)
	}
}

func (s *suite) nodes(t *testing.T) {
	ctx := t.Context()
	nodes, err := s.client.ListNodes(ctx)
	must(t, err)
	statuses, err := s.client.NodeStatuses(ctx)
	must(t, err)
	masters := 0
	for _, n := range nodes {
		if n.UID == 0 || n.Addr == "" || n.Status != rest.NodeActive || n.SoftwareVersion == "" || n.TotalMemory == 0 {
			t.Errorf("node %+v", n)
		}
		if statuses[n.UID].Role == rest.RoleMaster {
			masters++
		}
		one, err := s.client.GetNode(ctx, n.UID)
		if err != nil || one.Addr != n.Addr {
			t.Errorf("node %s alone: %v %v", n.UID, one, err)
		}
		sees, err := s.client.At(s.addressOf(n)).SeesMaster(ctx)
		if err != nil || !sees {
			t.Errorf("node %s sees no master: %v", n.UID, err)
		}
	}
	if masters != 1 {
		t.Errorf("%d masters", masters)
	}
	_, err = s.client.GetNode(ctx, 9999)
	wants(t, "a node that does not exist", err, rest.IsNotFound)
	_, err = s.client.GetNodeAction(ctx, nodes[0].UID, rest.RemoveNode)
	wants(t, "an action that was never started", err, rest.IsNotFound)
}

// addressOf finds the address that reaches a node: the suite may be outside of the cluster's network.
func (s *suite) addressOf(n rest.Node) string {
	for _, a := range s.Addresses {
		if a == n.Addr || strings.HasPrefix(a, n.Addr+":") {
			return a
		}
	}
	return n.Addr
}

func (s *suite) master(t *testing.T) rest.Node {
	t.Helper()
	nodes, err := s.client.ListNodes(t.Context())
	must(t, err)
	statuses, err := s.client.NodeStatuses(t.Context())
	must(t, err)
	for _, n := range nodes {
		if statuses[n.UID].Role == rest.RoleMaster {
			return n
		}
	}
	t.Fatal("there is no master")
	return rest.Node{}
}

func (s *suite) redirect(t *testing.T) {
	ctx, master := t.Context(), s.master(t)
	nodes, err := s.client.ListNodes(ctx)
	must(t, err)
	policy, err := s.client.GetPolicy(ctx)
	must(t, err)
	for _, n := range nodes {
		if n.UID == master.UID {
			continue
		}
		_, err := s.client.At(s.addressOf(n)).ListNodes(ctx)
		if rest.Code(err) != "not_leader" && err != nil {
			t.Errorf("node %s: %v", n.UID, err)
		}
		through := *s
		through.Addresses = []string{s.addressOf(n)}
		follows := through.as(t, s.Credentials)
		if _, err := follows.ListNodes(ctx); err != nil {
			t.Errorf("a read through node %s: %v", n.UID, err)
		}
		// A write carries its body and its credentials along.
		must(t, follows.UpdatePolicy(ctx, &rest.ClusterPolicy{SlaveHAGracePeriod: policy.SlaveHAGracePeriod}))
	}
}

func (s *suite) credentials(t *testing.T) {
	_, err := s.as(t, rest.Credentials{Username: s.Credentials.Username, Password: "wrong"}).ListNodes(t.Context())
	wants(t, "a wrong password", err, rest.IsUnauthorized)
	_, err = s.as(t, rest.Credentials{}).ListNodes(t.Context())
	wants(t, "no credentials", err, rest.IsUnauthorized)
	if _, err := s.client.ListNodes(t.Context()); err != nil {
		t.Errorf("the right password after that: %v", err)
	}
}

func (s *suite) userPasswords(t *testing.T) {
	ctx := t.Context()
	roles, err := s.client.ListRoles(ctx)
	must(t, err)
	var admin []rest.UID
	for _, r := range roles {
		if r.Management == "admin" {
			admin = append(admin, r.UID)
		}
	}
	const email = "contract@example.com"
	body := &rest.User{Email: rest.Ptr(email), Name: rest.Ptr("contract"), Password: rest.Ptr("first-Password1"), RoleUIDs: &admin}
	user, err := s.client.CreateUser(ctx, body)
	must(t, err)
	t.Cleanup(func() {
		if err := s.client.DeleteUser(context.WithoutCancel(ctx), rest.Value(user.UID)); err != nil {
			t.Error(err)
		}
	})
	_, err = s.client.CreateUser(ctx, body)
	wants(t, "the same e-mail again", err, rest.IsExists)

	old := s.as(t, rest.Credentials{Username: email, Password: "first-Password1"})
	fresh := s.as(t, rest.Credentials{Username: email, Password: "second-Password2"})
	must(t, s.client.AddUserPassword(ctx, email, "second-Password2"))
	for name, c := range map[string]*rest.Client{"old": old, "new": fresh} {
		if _, err := c.ListNodes(ctx); err != nil {
			t.Errorf("the %s password during the rotation: %v", name, err)
		}
	}
	must(t, s.client.DeleteUserPassword(ctx, email, "first-Password1"))
	if _, err := fresh.ListNodes(ctx); err != nil {
		t.Errorf("the new password: %v", err)
	}
	_, err = old.ListNodes(ctx)
	wants(t, "the old password after the rotation", err, rest.IsUnauthorized)
	wants(t, "deleting the last password", s.client.DeleteUserPassword(ctx, email, "second-Password2"), rest.IsRefused)
}

func (s *suite) maintenance(t *testing.T) {
	ctx, master := t.Context(), s.master(t)
	nodes, err := s.client.ListNodes(ctx)
	must(t, err)
	for _, n := range nodes {
		if n.UID == master.UID {
			continue
		}
		s.nodeAction(t, n.UID, rest.MaintenanceOn)
		s.nodeAction(t, n.UID, rest.MaintenanceOff)
		return
	}
}

func (s *suite) nodeAction(t *testing.T, uid rest.UID, action string) {
	t.Helper()
	must(t, s.client.StartNodeAction(t.Context(), uid, action, rest.NodeActionRequest{}))
	until(t, action, func(ctx context.Context) (bool, error) {
		a, err := s.client.GetNodeAction(ctx, uid, action)
		if rest.IsNotFound(err) {
			return true, nil // over and forgotten
		}
		if err != nil {
			return false, err
		}
		if a.Phase() == rest.Failed {
			t.Fatalf("%s failed: %s %s", action, a.ErrorCode, a.ErrorMessage)
		}
		return a.Phase() == rest.Succeeded, nil
	})
}

// unique is a database name that no earlier run left behind.
func unique(prefix string) string {
	return prefix + "-" + time.Now().UTC().Format("20060102-150405")
}
