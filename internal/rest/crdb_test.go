package rest_test

import (
	"strings"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/internal/rest/resttest"
)

func scripted(t *testing.T, tr *resttest.Transport) *rest.Client {
	t.Helper()
	c := rest.New(rest.Options{Addresses: func() []string { return []string{"10.0.0.1"} }, ServerName: "rec", Transport: tr})
	t.Cleanup(c.Close)
	return c
}

const aaGUID = "e58b4461-5a8d-4b17-8c1e-e7b5b2ad1f27"

func TestCRDBCallsCarryTheTaskID(t *testing.T) {
	var tr resttest.Transport
	path := "/v1/crdbs/" + aaGUID
	answer := resttest.Always(resttest.JSON(`{"id": "task-1", "status": "queued", "crdb_guid": "` + aaGUID + `"}`))
	for _, on := range []string{"POST /v1/crdbs", "PATCH " + path, "POST " + path + "/updates", "DELETE " + path, "PUT " + path + "/flush", "PUT " + path + "/purge", "POST " + path + "/upgrade"} {
		method, at, _ := strings.Cut(on, " ")
		tr.On(method, at, answer)
	}
	c, ctx := scripted(t, &tr), t.Context()
	for _, call := range []func() (*rest.CRDBTask, error){
		func() (*rest.CRDBTask, error) { return c.CreateCRDB(ctx, "task-1", &rest.CRDB{Name: rest.Ptr("aa")}) },
		func() (*rest.CRDBTask, error) {
			return c.UpdateCRDB(ctx, aaGUID, "task-1", &rest.CRDB{DefaultDBConfig: &rest.BDB{Replication: rest.Ptr(false)}})
		},
		func() (*rest.CRDBTask, error) {
			return c.ModifyCRDB(ctx, aaGUID, "task-1", &rest.CRDBModify{RemoveInstances: []rest.Int{2}, ForceRemove: true})
		},
		func() (*rest.CRDBTask, error) { return c.DeleteCRDB(ctx, aaGUID, "task-1") },
		func() (*rest.CRDBTask, error) { return c.FlushCRDB(ctx, aaGUID, "task-1") },
		func() (*rest.CRDBTask, error) { return c.PurgeCRDB(ctx, aaGUID, "task-1", 2) },
		func() (*rest.CRDBTask, error) {
			return c.UpgradeCRDB(ctx, aaGUID, "task-1", &rest.UpgradeRequest{})
		},
	} {
		task, err := call()
		if err != nil || task.ID != "task-1" || task.GUID != aaGUID || task.Phase() != rest.Running {
			t.Errorf("%+v, %v", task, err)
		}
	}
	for _, r := range tr.Requests() {
		if r.Header.Get("X-Task-ID") != "task-1" {
			t.Errorf("%s carries no task id", r.Line())
		}
	}
	expect(t, tr.Lines()[:4], `POST /v1/crdbs {"name":"aa"}`, `PATCH `+path+` {"default_db_config":{"replication":false}}`,
		`POST `+path+`/updates {"remove_instances":[2],"force_remove":true}`, `DELETE `+path)
	if last := tr.Lines()[5]; last != `PUT `+path+`/purge {"instances":[2]}` {
		t.Errorf("the purge is %s", last)
	}
}

func TestCRDBAnswersAreReadInTheirForms(t *testing.T) {
	const one = `{"guid": "g", "name": "aa", "instances": [{"id": 1, "db_uid": "7", "cluster": {"name": "a"}}, {"id": 2, "db_uid": null}, {"id": 3, "db_uid": ""}]}`
	for name, body := range map[string]string{"a list": "[" + one + "]", "a wrapped list": `{"crdbs": [` + one + "]}"} {
		var tr resttest.Transport
		tr.On("GET", "/v1/crdbs", resttest.Always(resttest.JSON(body)))
		list, err := scripted(t, &tr).ListCRDBs(t.Context())
		if err != nil || len(list) != 1 || list[0].LocalUID() != 7 || (*list[0].Instances)[0].ClusterName() != "a" {
			t.Errorf("%s: %v, %v", name, list, err)
		}
	}
	var tr resttest.Transport
	tr.On("GET", "/v1/crdbs", resttest.Always(resttest.JSON(`"nonsense"`)))
	if _, err := scripted(t, &tr).ListCRDBs(t.Context()); err == nil {
		t.Error("nonsense is a list")
	}
}

func TestCRDBTaskSaysWhatFailedWhere(t *testing.T) {
	var tr resttest.Transport
	tr.On("GET", "/v1/crdb_tasks/x", resttest.Always(resttest.JSON(`{"id": "x", "status": "failed", "errors": [
		{"cluster_name": "a", "description": "Unavailable or invalid port", "error_code": "db_create_failed"}, {"error_code": "other"}]}`)))
	task, err := scripted(t, &tr).GetCRDBTask(t.Context(), "x")
	if err != nil || task.Phase() != rest.Failed || task.Message() != "a: Unavailable or invalid port; other" {
		t.Errorf("%+v, %v", task, err)
	}
}

func TestCRDBHealthIsUpOnlyWithLinks(t *testing.T) {
	var tr resttest.Transport
	tr.On("GET", "/v1/crdbs/g/health_report", resttest.Always(resttest.JSON(`[
		{"cluster_name": "a", "connection_error": null, "active_config_version": 1, "configurations": [{"version": 1, "status": "commit-completed"}], "connections": [
			{"name": "b", "status": "ok", "replication_links": [{"link_uid": "1:2", "status": "up"}]},
			{"name": "c", "status": "ok", "replication_links": [{"link_uid": "1:3", "status": "down"}]}, {"name": "d", "status": "ok"}]},
		{"cluster_name": "b", "connection_error": "no route"}]`)))
	reports, err := scripted(t, &tr).CRDBHealth(t.Context(), "g")
	if err != nil || len(reports) != 2 || reports[0].ConnectionError != "" || reports[1].ConnectionError != "no route" {
		t.Fatalf("%+v, %v", reports, err)
	}
	for i, up := range []bool{true, false, false} {
		if c := reports[0].Connections[i]; c.Up() != up {
			t.Errorf("the connection to %s is up: %v", c.Name, c.Up())
		}
	}
}
