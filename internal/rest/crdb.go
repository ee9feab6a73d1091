package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
)

// CRDB is an Active-Active database on the wire. As with BDB, nil is not sent.
type CRDB struct {
	GUID              *string          `json:"guid,omitempty"`
	Name              *string          `json:"name,omitempty"`
	DefaultDBConfig   *BDB             `json:"default_db_config,omitempty"`
	Instances         *[]CRDBInstance  `json:"instances,omitempty"`
	Encryption        *bool            `json:"encryption,omitempty"`
	CausalConsistency *bool            `json:"causal_consistency,omitempty"`
	FeaturesetVersion *Int             `json:"featureset_version,omitempty"`
	ProtocolVersion   *Int             `json:"protocol_version,omitempty"`
	ManagedBy         *string          `json:"managed_by,omitempty"`
	LocalDatabases    *[]CRDBLocalPart `json:"local_databases,omitempty"`
}

// String shows guid and name; the fields hold passwords of the participating clusters.
func (c CRDB) String() string { return "crdb " + Value(c.GUID) + " " + Value(c.Name) }

// GoString hides the secrets from %#v as well.
func (c CRDB) GoString() string { return "rest.CRDB{" + c.String() + "}" }

// MarshalLog hides the secrets from loggers of Kubernetes.
func (c CRDB) MarshalLog() any { return c.String() }

// LogValue hides the secrets from structured logs.
func (c CRDB) LogValue() slog.Value { return slog.StringValue(c.String()) }

// LocalUID is the database on the cluster that answered; zero when it is not told.
func (c CRDB) LocalUID() UID {
	for _, l := range Value(c.LocalDatabases) {
		if l.BDBUID != 0 {
			return l.BDBUID
		}
	}
	for _, i := range Value(c.Instances) {
		if i.DBUID != nil && *i.DBUID != 0 {
			return *i.DBUID
		}
	}
	return 0
}

// CRDBLocalPart is the database of an instance on the cluster that answered.
type CRDBLocalPart struct {
	ID     Int `json:"id"`
	BDBUID UID `json:"bdb_uid"`
}

// CRDBInstance is the part of an Active-Active database on one cluster. The cluster that takes the request gives the ID.
type CRDBInstance struct {
	ID          *Int         `json:"id,omitempty"`
	Cluster     *CRDBCluster `json:"cluster,omitempty"`
	Compression *Int         `json:"compression,omitempty"`
	DBConfig    *BDB         `json:"db_config,omitempty"`
	DBUID       *UID         `json:"db_uid,omitempty"`
}

// ClusterName is the cluster that the instance is on.
func (i CRDBInstance) ClusterName() string {
	if i.Cluster == nil {
		return ""
	}
	return i.Cluster.Name
}

// String shows number and cluster; the fields hold a password.
func (i CRDBInstance) String() string { return "instance on " + i.ClusterName() }

// GoString hides the secrets from %#v as well.
func (i CRDBInstance) GoString() string { return "rest.CRDBInstance{" + i.String() + "}" }

// MarshalLog hides the secrets from loggers of Kubernetes.
func (i CRDBInstance) MarshalLog() any { return i.String() }

// LogValue hides the secrets from structured logs.
func (i CRDBInstance) LogValue() slog.Value { return slog.StringValue(i.String()) }

// CRDBCluster says how the participants reach one of them.
type CRDBCluster struct {
	// Name is the full name of the cluster.
	Name string `json:"name,omitempty"`
	// URL is the admin API, as the others reach it.
	URL         string               `json:"url,omitempty"`
	Credentials *BootstrapCredential `json:"credentials,omitempty"`
	// ReplicationEndpoint is host:port of the database, as the others reach it.
	ReplicationEndpoint string `json:"replication_endpoint,omitempty"`
	ReplicationTLSSNI   string `json:"replication_tls_sni,omitempty"`
}

// CRDBModify changes the settings and the participants of an Active-Active database in one step.
type CRDBModify struct {
	CRDB            *CRDB          `json:"crdb,omitempty"`
	AddInstances    []CRDBInstance `json:"add_instances,omitempty"`
	RemoveInstances []Int          `json:"remove_instances,omitempty"`
	// ForceRemove does without the clusters that leave: they keep their data until they purge it.
	ForceRemove bool `json:"force_remove,omitempty"`
	// ForceUpdate does without those that do not answer, and renews the certificates that participants know of each other.
	ForceUpdate bool `json:"force_update,omitempty"`
}

// CRDBTask is work on an Active-Active database.
type CRDBTask struct {
	ID        string          `json:"id"`
	GUID      string          `json:"crdb_guid"`
	Operation string          `json:"operation"`
	Status    string          `json:"status"`
	Errors    []CRDBTaskError `json:"errors"`
}

// Phase reads the task's status word.
func (t CRDBTask) Phase() Phase { return PhaseOf(t.Status) }

// Message is what a failed task says about the clusters.
func (t CRDBTask) Message() string {
	var parts []string
	for _, e := range t.Errors {
		parts = append(parts, e.String())
	}
	return strings.Join(parts, "; ")
}

// CRDBTaskError is why a task failed on one cluster.
type CRDBTaskError struct {
	Cluster     string `json:"cluster_name"`
	Code        string `json:"error_code"`
	Description Text   `json:"description"`
}

// String is one sentence.
func (e CRDBTaskError) String() string {
	text := string(e.Description)
	if text == "" {
		text = e.Code
	}
	if e.Cluster == "" {
		return text
	}
	return e.Cluster + ": " + text
}

// CRDBHealth is what one participating cluster says, or the reason why it says nothing.
type CRDBHealth struct {
	Cluster         string                 `json:"cluster_name"`
	ConnectionError Text                   `json:"connection_error"`
	ActiveVersion   Int                    `json:"active_config_version"`
	Connections     []CRDBHealthConnection `json:"connections"`
	Configurations  []struct {
		Version   Int            `json:"version"`
		Status    string         `json:"status"`
		Instances []CRDBInstance `json:"instances"`
	} `json:"configurations"`
}

// Newest is the version of the newest configuration that the cluster has, and whether that names another cluster as a
// participant. Zero when it tells of no participants at all.
func (h CRDBHealth) Newest(cluster string) (version Int, lists bool) {
	for _, c := range h.Configurations {
		if len(c.Instances) == 0 || c.Version <= version {
			continue
		}
		version, lists = c.Version, false
		for _, inst := range c.Instances {
			lists = lists || inst.ClusterName() == cluster
		}
	}
	return version, lists
}

// CRDBHealthConnection is what a cluster says about its links to another one.
type CRDBHealthConnection struct {
	Name   string `json:"name"`
	Status Text   `json:"status"`
	Links  []struct {
		UID    Text   `json:"link_uid"`
		Status string `json:"status"`
	} `json:"replication_links"`
}

// Up tells whether all links to the other cluster replicate.
func (c CRDBHealthConnection) Up() bool {
	for _, l := range c.Links {
		if l.Status != "up" {
			return false
		}
	}
	return len(c.Links) > 0
}

func crdbPath(guid string) string { return "/v1/crdbs/" + url.PathEscape(guid) }

const crdbRoute = "/v1/crdbs/{guid}"

// ListCRDBs reads all Active-Active databases that the cluster takes part in.
func (c *Client) ListCRDBs(ctx context.Context) ([]CRDB, error) {
	var raw json.RawMessage
	if err := c.get(ctx, "/v1/crdbs", "/v1/crdbs", &raw); err != nil {
		return nil, err
	}
	var wrapped struct {
		CRDBs []CRDB `json:"crdbs"` // some answers wrap the list
	}
	var target any = &wrapped.CRDBs
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		target = &wrapped
	}
	if len(raw) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(raw, target); err != nil {
		return nil, &TransportError{Method: http.MethodGet, Path: "/v1/crdbs", Err: ErrUnreadable}
	}
	return wrapped.CRDBs, nil
}

// GetCRDB reads one Active-Active database.
func (c *Client) GetCRDB(ctx context.Context, guid string) (*CRDB, error) {
	out := new(CRDB)
	if err := c.get(ctx, crdbRoute, crdbPath(guid), out); err != nil {
		return nil, err
	}
	return out, nil
}

// crdbTask starts work. With a task id of the caller's choice the same request may be sent again: it finds the work that the
// first one started.
func (c *Client) crdbTask(ctx context.Context, method, route, path, taskID string, body any) (*CRDBTask, error) {
	out := new(CRDBTask)
	if err := c.do(ctx, call{method: method, route: route, path: path, body: body, out: out, taskID: taskID}); err != nil {
		return nil, err
	}
	if out.ID == "" {
		out.ID = taskID
	}
	return out, nil
}

// CreateCRDB starts the creation of an Active-Active database. The cluster must be among its instances.
func (c *Client) CreateCRDB(ctx context.Context, taskID string, body *CRDB) (*CRDBTask, error) {
	return c.crdbTask(ctx, http.MethodPost, "/v1/crdbs", "/v1/crdbs", taskID, body)
}

// CheckCreateCRDB asks whether CreateCRDB would be accepted; nothing is made.
func (c *Client) CheckCreateCRDB(ctx context.Context, body *CRDB) error {
	return c.post(ctx, "/v1/crdbs", "/v1/crdbs?dry_run=true", body, nil)
}

// UpdateCRDB changes the settings that are set in body, in common or of single instances.
func (c *Client) UpdateCRDB(ctx context.Context, guid, taskID string, body *CRDB) (*CRDBTask, error) {
	return c.crdbTask(ctx, http.MethodPatch, crdbRoute, crdbPath(guid), taskID, body)
}

// ModifyCRDB changes settings and participants.
func (c *Client) ModifyCRDB(ctx context.Context, guid, taskID string, body *CRDBModify) (*CRDBTask, error) {
	return c.crdbTask(ctx, http.MethodPost, crdbRoute+"/updates", crdbPath(guid)+"/updates", taskID, body)
}

// CheckModifyCRDB asks whether ModifyCRDB would be accepted; nothing changes.
func (c *Client) CheckModifyCRDB(ctx context.Context, guid string, body *CRDBModify) error {
	return c.post(ctx, crdbRoute+"/updates", crdbPath(guid)+"/updates?dry_run=true", body, nil)
}

// DeleteCRDB starts the deletion on all participants.
func (c *Client) DeleteCRDB(ctx context.Context, guid, taskID string) (*CRDBTask, error) {
	return c.crdbTask(ctx, http.MethodDelete, crdbRoute, crdbPath(guid), taskID, nil)
}

// FlushCRDB starts the removal of all data on all participants.
func (c *Client) FlushCRDB(ctx context.Context, guid, taskID string) (*CRDBTask, error) {
	return c.crdbTask(ctx, http.MethodPut, crdbRoute+"/flush", crdbPath(guid)+"/flush", taskID, nil)
}

// PurgeCRDB starts the removal of this cluster's instances, which the others have removed by force.
func (c *Client) PurgeCRDB(ctx context.Context, guid, taskID string, instances ...Int) (*CRDBTask, error) {
	body := struct {
		Instances []Int `json:"instances"`
	}{instances}
	return c.crdbTask(ctx, http.MethodPut, crdbRoute+"/purge", crdbPath(guid)+"/purge", taskID, body)
}

// UpgradeCRDB starts an upgrade of the database engine on all participants.
func (c *Client) UpgradeCRDB(ctx context.Context, guid, taskID string, body *UpgradeRequest) (*CRDBTask, error) {
	return c.crdbTask(ctx, http.MethodPost, crdbRoute+"/upgrade", crdbPath(guid)+"/upgrade", taskID, body)
}

// CRDBHealth asks all participants how they and their links are.
func (c *Client) CRDBHealth(ctx context.Context, guid string) ([]CRDBHealth, error) {
	var out []CRDBHealth
	err := c.get(ctx, crdbRoute+"/health_report", crdbPath(guid)+"/health_report", &out)
	return out, err
}

// GetCRDBTask reads a task of the cluster it was started on. IsNotFound for a task that existed means: its result is no
// longer kept, look at the database.
func (c *Client) GetCRDBTask(ctx context.Context, id string) (*CRDBTask, error) {
	out := new(CRDBTask)
	if err := c.get(ctx, "/v1/crdb_tasks/{id}", "/v1/crdb_tasks/"+url.PathEscape(id), out); err != nil {
		return nil, err
	}
	return out, nil
}

// ListCRDBTasks reads the tasks that are not over.
func (c *Client) ListCRDBTasks(ctx context.Context) ([]CRDBTask, error) {
	var out []CRDBTask
	err := c.get(ctx, "/v1/crdb_tasks", "/v1/crdb_tasks", &out)
	return out, err
}
