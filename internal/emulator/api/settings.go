package api

import (
	"net/http"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// settings is a singleton that is read and changed as a whole.
type settings struct {
	kind     Kind
	typeName string
	quiet    bool // PUT answers without a body
	deep     bool // nested sections are merged, not replaced
	check    func(c *call, old, ask Object) error
	after    func(c *call, stored Object) error
	show     func(c *call, o Object) error // adds what is kept elsewhere
}

func (s settings) routes(path, view, update string) []route {
	return []route{
		{method: http.MethodGet, pattern: path, permission: view, serve: s.get},
		{method: http.MethodPut, pattern: path, permission: update, serve: s.put},
	}
}

func (s settings) get(c *call) (any, error) {
	o, err := s.load(c)
	if err != nil {
		return nil, err
	}
	return s.render(c, o)
}

func (s settings) render(c *call, o Object) (any, error) {
	if s.show != nil {
		if err := s.show(c, o); err != nil {
			return nil, err
		}
	}
	return schema.Render(s.typeName, o, schema.View{}), nil
}

func (s settings) load(c *call) (Object, error) {
	o, err := c.Engine.Get(c.ctx(), s.kind, Singleton)
	if err == nil && o == nil {
		o = schema.Settings(s.typeName)
	}
	return o, err
}

func (s settings) put(c *call) (any, error) {
	raw, err := c.needBody()
	if err != nil {
		return nil, err
	}
	ask, err := schema.Check(s.typeName, raw, schema.Change)
	if err != nil {
		return nil, err
	}
	old, err := s.load(c)
	if err != nil {
		return nil, err
	}
	if s.check != nil {
		if err := s.check(c, old, ask); err != nil {
			return nil, err
		}
	}
	if c.dryRun() {
		return s.render(c, s.merge(old, ask))
	}
	stored, err := c.Engine.Update(c.ctx(), s.kind, Singleton, func(o Object) (Object, error) {
		if o == nil {
			o = schema.Settings(s.typeName)
		}
		return s.merge(o, ask), nil
	})
	if err == nil && s.after != nil {
		err = s.after(c, stored)
	}
	if err != nil || s.quiet {
		return nil, err
	}
	return s.render(c, stored)
}

func (s settings) merge(o, ask Object) Object {
	o = schema.Clone(o)
	for key, v := range ask {
		section, isObject := v.(map[string]any)
		present, wasObject := o[key].(map[string]any)
		if s.deep && isObject && wasObject {
			for k, e := range section {
				present[k] = e
			}
			continue
		}
		o[key] = v
	}
	return o
}

// reset puts a singleton back to its initial state.
func (s settings) reset(c *call) (any, error) {
	_, err := c.put(s.kind, Singleton, schema.Settings(s.typeName))
	return nil, err
}

var (
	clusterSettings = settings{kind: KindCluster, typeName: "cluster", deep: true, check: checkCluster, show: showCertificates}
	policySettings  = settings{kind: KindPolicy, typeName: "cluster_policy", quiet: true, check: checkPolicy, after: afterPolicy}

	servicesSettings    = settings{kind: KindServices, typeName: "services_configuration", deep: true}
	cmSettings          = settings{kind: KindCMSettings, typeName: "cm_settings"}
	jobSettings         = settings{kind: KindJobScheduler, typeName: "job_scheduler", deep: true}
	metricsSettings     = settings{kind: KindMetrics, typeName: "metrics_config"}
	diagnosticsSettings = settings{kind: KindDiagnostics, typeName: "diagnostics_config", deep: true}
	ldapSettings        = settings{kind: KindLDAP, typeName: "ldap_config", check: checkLDAP}
	ssoSettings         = settings{kind: KindSSO, typeName: "sso_config", quiet: true, check: checkSSO}
	ocspSettings        = settings{kind: KindOCSP, typeName: "ocsp_config", check: checkOCSP}
	auditSettings       = settings{kind: KindAudit, typeName: "db_conns_auditing_config"}
)

// showCertificates adds the copies of two certificates that the cluster object carries.
func showCertificates(c *call, o Object) error {
	for _, name := range []string{"proxy", "syncer"} {
		cert, err := c.Engine.Get(c.ctx(), KindCertificate, name)
		if err != nil {
			return err
		}
		o[name+"_certificate"] = schema.TextOf(cert, "certificate")
	}
	return nil
}

// checkCluster refuses ports that the API front already has.
func checkCluster(_ *call, old, ask Object) error {
	ports := []string{
		"cm_port", "cnm_http_port", "cnm_https_port", "crdb_coordinator_port", "envoy_admin_port",
		"envoy_mgmt_server_port", "gossip_envoy_admin_port",
	}
	taken := map[int64]string{}
	for _, p := range ports {
		n := schema.IntOf(old, p)
		if v, said := ask[p]; said {
			n, _ = schema.Int(v)
		}
		if n == 0 {
			continue
		}
		if other, there := taken[n]; there {
			return refusal(http.StatusBadRequest, "bad_nginx_conf", "%s and %s want the same port %d", other, p, n)
		}
		taken[n] = p
	}
	return nil
}

func checkPolicy(_ *call, old, ask Object) error {
	if on, said := ask["rack_aware"].(bool); said && !on && schema.BoolOf(old, "rack_aware") {
		return badRequest("Rack awareness can not be switched off")
	}
	return nil
}

// afterPolicy refreshes the copies in the cluster object.
func afterPolicy(c *call, policy Object) error {
	_, err := c.Engine.Update(c.ctx(), KindCluster, Singleton, func(o Object) (Object, error) {
		if o == nil {
			return nil, ErrNotFound
		}
		copyPolicy(o, policy)
		o["rack_aware"] = schema.BoolOf(policy, "rack_aware")
		return o, nil
	})
	return err
}

// restorePolicy is PUT /v1/cluster/policy/restore_default. Rack awareness stays: it cannot be switched off.
func restorePolicy(c *call) (any, error) {
	old, err := policySettings.load(c)
	if err != nil {
		return nil, err
	}
	fresh := schema.Settings("cluster_policy")
	fresh["rack_aware"] = schema.BoolOf(old, "rack_aware")
	if _, err := c.put(KindPolicy, Singleton, fresh); err != nil {
		return nil, err
	}
	return nil, afterPolicy(c, fresh)
}

func checkLDAP(_ *call, old, ask Object) error {
	now := settings{}.merge(old, ask)
	clash := func(a, b string) bool { return present(now, a) && present(now, b) }
	switch {
	case clash("user_dn_template", "user_dn_query"):
		return refusal(http.StatusBadRequest, "illegal_fields_combination", "user_dn_template and user_dn_query exclude each other")
	case clash("dn_group_attr", "dn_group_query"):
		return refusal(http.StatusBadRequest, "illegal_fields_combination", "dn_group_attr and dn_group_query exclude each other")
	case (schema.BoolOf(now, "control_plane") || schema.BoolOf(now, "data_plane")) && len(list(now["uris"])) == 0:
		return refusal(http.StatusBadRequest, "illegal_fields_combination", "LDAP needs uris to be switched on")
	}
	return nil
}

func present(o Object, key string) bool {
	switch v := o[key].(type) {
	case nil:
		return false
	case string:
		return v != ""
	case map[string]any:
		return schema.TextOf(v, "base") != "" || schema.TextOf(v, "filter") != ""
	}
	return true
}

func checkSSO(c *call, old, ask Object) error {
	now := settings{}.merge(old, ask)
	if !schema.BoolOf(now, "control_plane") {
		return nil
	}
	if schema.TextOf(object(now["issuer"]), "id") == "" || schema.TextOf(object(now["issuer"]), "login_url") == "" {
		return refusal(http.StatusBadRequest, "missing_param", "SSO needs issuer.id and issuer.login_url")
	}
	for _, name := range []string{"sso_service", "sso_issuer"} {
		cert, err := c.Engine.Get(c.ctx(), KindCertificate, name)
		if err != nil {
			return err
		}
		if cert == nil {
			return refusal(http.StatusNotAcceptable, "missing_certificate", "SSO needs the certificate %s", name)
		}
	}
	return nil
}

func checkOCSP(_ *call, _, ask Object) error {
	if schema.BoolOf(ask, "ocsp_functionality") {
		return refusal(http.StatusNotAcceptable, "no_responder_url", "The proxy certificate names no OCSP responder")
	}
	return nil
}

// ocspStatus is GET /v1/ocsp/status and POST /v1/ocsp/test: proxy certificates of the emulator name no responder.
func ocspStatus(c *call) (any, error) {
	if c.request.Method == http.MethodPost {
		return nil, refusal(http.StatusNotAcceptable, "no_responder_url", "The proxy certificate names no OCSP responder")
	}
	return Object{
		"cert_status": "UNKNOWN", "responder_url": "", "next_update": "", "produced_at": "", "revocation_time": "",
		"this_update": "",
	}, nil
}

// deleteAudit is DELETE /v1/cluster/auditing/db_conns.
func deleteAudit(c *call) (any, error) {
	o, err := c.Engine.Get(c.ctx(), KindAudit, Singleton)
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, refusal(http.StatusNotFound, "db_conns_audit_config_not_found", "There is no auditing configuration")
	}
	policy, err := policySettings.load(c)
	if err != nil {
		return nil, err
	}
	if schema.BoolOf(policy, "db_conns_auditing") {
		return nil, refusal(http.StatusNotAcceptable, "cannot_delete_audit_config_when_policy_enabled",
			"The cluster policy audits new databases")
	}
	bdbs, err := c.Engine.List(c.ctx(), KindBDB)
	if err != nil {
		return nil, err
	}
	for _, b := range bdbs {
		if schema.BoolOf(b, "db_conns_auditing") {
			return nil, refusal(http.StatusNotAcceptable, "cannot_delete_audit_config_when_bdb_enabled",
				"Database %v is audited", b["uid"])
		}
	}
	return nil, c.remove(KindAudit, Singleton)
}

// noServiceProvider is GET /v1/cluster/sso/saml/metadata/sp: there is no service certificate to describe.
func noServiceProvider(*call) (any, error) {
	return nil, refusal(http.StatusNotAcceptable, "missing_certificate", "SSO needs the certificate sso_service")
}

// changeHashing is PATCH /v1/cluster/change_password_hashing_algorithm. The choice is kept and shown; digests stay as
// they are.
func changeHashing(c *call) (any, error) {
	raw, err := c.needBody()
	if err != nil {
		return nil, err
	}
	algorithm := schema.TextOf(raw, "algorithm")
	if algorithm != "SHA-256" && algorithm != "PBKDF2" {
		return nil, badRequest("algorithm must be SHA-256 or PBKDF2")
	}
	_, err = c.Engine.Update(c.ctx(), KindCluster, Singleton, func(o Object) (Object, error) {
		if schema.TextOf(o, "password_hashing_algorithm") == algorithm {
			return nil, refusal(http.StatusBadRequest, "invalid_param", "%s is in use already", algorithm)
		}
		o["password_hashing_algorithm"] = algorithm
		return o, nil
	})
	return nil, err
}
