package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"sort"
	"strings"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// unauthorized is a 401 with an empty body, whatever the reason.
func unauthorized() error { return &Error{Status: http.StatusUnauthorized} }

// digest is how passwords are kept; Redis access lists understand the same form.
func digest(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}

// admit finds out who asks.
func (s *Server) admit(c *call, rt *route) error {
	if rt.pattern == "/v1/local/node/master_healthcheck" && !s.healthcheckNeedsUser(c) {
		return nil
	}
	user, err := s.identify(c)
	if err != nil {
		return err
	}
	c.user = user
	return nil
}

func (s *Server) healthcheckNeedsUser(c *call) bool {
	policy, err := s.Engine.Peek(c.ctx(), KindPolicy, Singleton)
	needs, said := policy["master_healthcheck_api_auth"].(bool)
	return err != nil || !said || needs
}

func (s *Server) identify(c *call) (Object, error) {
	header := c.request.Header.Get("Authorization")
	scheme, rest, _ := strings.Cut(header, " ")
	switch strings.ToLower(scheme) {
	case "jwt", "bearer":
		return s.userOfToken(c, strings.TrimSpace(rest))
	case "basic":
		return s.userOfBasic(c)
	}
	if user := s.userOfCertificate(c); user != nil {
		return user, nil
	}
	return nil, unauthorized()
}

func (s *Server) userOfBasic(c *call) (Object, error) {
	// Signing in for a token is the way in when basic authentication is off for everything else.
	cluster, err := s.Engine.Peek(c.ctx(), KindCluster, Singleton)
	if err != nil {
		return nil, err
	}
	allowed, said := cluster["control_plane_basic_authentication"].(bool)
	if said && !allowed && c.request.URL.Path != "/v1/users/authorize" {
		return nil, unauthorized()
	}
	name, password, ok := c.request.BasicAuth()
	if !ok {
		return nil, unauthorized()
	}
	return s.userOfPassword(c, name, password)
}

// userOfPassword checks a name or e-mail and its password, under the lock-out policy.
func (s *Server) userOfPassword(c *call, name, password string) (Object, error) {
	user, err := s.findUser(c, name)
	if err != nil {
		return nil, err
	}
	if user == nil {
		s.Logger.Warn("login refused", "user", name, "why", "unknown", "path", c.request.URL.Path)
		return nil, unauthorized()
	}
	key, policy := userKeyOf(user), s.lockoutPolicy(c)
	if s.lockouts.locked(key, policy, s.Now()) {
		s.Logger.Warn("login refused", "user", name, "why", "locked", "path", c.request.URL.Path)
		return nil, unauthorized()
	}
	if !passwordMatches(user, password) {
		s.lockouts.failed(key, policy, s.Now())
		s.Logger.Warn("login refused", "user", name, "why", "wrong password", "path", c.request.URL.Path)
		return nil, unauthorized()
	}
	s.lockouts.clear(key)
	if s.passwordExpired(c, user) {
		return nil, refusal(http.StatusUnauthorized, "password_expired", "The password has expired")
	}
	return user, nil
}

func passwordMatches(user Object, password string) bool {
	given, match := []byte(digest(password)), 0
	for _, d := range digests(user) {
		match |= subtle.ConstantTimeCompare(given, []byte(d))
	}
	return match == 1
}

func digests(user Object) []string {
	var out []string
	list, _ := user["_password_sha256"].([]any)
	for _, d := range list {
		if text, ok := d.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

func (s *Server) passwordExpired(c *call, user Object) bool {
	cluster, err := s.Engine.Peek(c.ctx(), KindCluster, Singleton)
	days := schema.IntOf(cluster, "password_expiration_duration")
	if err != nil || days <= 0 {
		return false
	}
	issued, err := time.Parse(time.RFC3339, schema.TextOf(user, "password_issue_date"))
	return err == nil && s.Now().After(issued.Add(time.Duration(days)*24*time.Hour))
}

// findUser looks a user up by e-mail or by name; absent is nil without error.
func (s *Server) findUser(c *call, name string) (Object, error) {
	users, err := s.Engine.List(c.ctx(), KindUser)
	if err != nil {
		return nil, err
	}
	if len(users) == 0 && s.Engine.NodeUID() != 0 {
		return nil, ErrNoQuorum // a member that has just started and not caught up yet knows nobody
	}
	for _, key := range []string{"email", "name"} {
		for _, u := range users {
			if name != "" && strings.EqualFold(schema.TextOf(u, key), name) {
				return u, nil
			}
		}
	}
	return nil, nil
}

func userKeyOf(user Object) string {
	return schema.TextOf(user, "email") + "/" + schema.TextOf(user, "name")
}

// userOfCertificate signs a user in by the client certificate of the connection, when the cluster wants that.
func (s *Server) userOfCertificate(c *call) Object {
	r := c.request
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 || !s.clusterFlag(c, "mtls_certificate_authentication") {
		return nil
	}
	trusted, err := s.Engine.Peek(c.ctx(), KindCertificate, "mtls_trusted_ca")
	if err != nil || trusted == nil {
		return nil
	}
	leaf := r.TLS.PeerCertificates[0]
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(schema.TextOf(trusted, "certificate")))
	for _, cert := range r.TLS.PeerCertificates[1:] {
		between.AddCert(cert)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: s.Now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}); err != nil {
		return nil
	}
	users, err := s.Engine.List(c.ctx(), KindUser)
	if err != nil {
		return nil
	}
	for _, u := range users {
		if schema.TextOf(u, "auth_method") == "certificate" &&
			schema.TextOf(u, "certificate_subject_line") == leaf.Subject.String() {
			return u
		}
	}
	return nil
}

// parseCertificate reads the first certificate of a PEM text.
func parseCertificate(text string) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, refusal(http.StatusBadRequest, "invalid_certificate", "The certificate is not PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, refusal(http.StatusBadRequest, "invalid_certificate", "The certificate can not be read")
	}
	return cert, nil
}

// permit refuses callers whose roles lack a permission.
func (s *Server) permit(c *call, permission string) error {
	if permission == "" || c.user == nil {
		return nil
	}
	managements, err := s.managements(c, c.user)
	if err != nil {
		return err
	}
	for _, m := range managements {
		if may(m, permission) {
			return nil
		}
	}
	return refusal(http.StatusForbidden, "unauthorized_action", "The role of the user lacks permission %s", permission)
}

// managements are the management roles of a user, the names of permissions.go.
func (s *Server) managements(c *call, user Object) ([]string, error) {
	roles, err := s.Engine.List(c.ctx(), KindRole)
	if err != nil {
		return nil, err
	}
	held := map[int64]bool{}
	for _, uid := range list(user["role_uids"]) {
		if n, ok := schema.Int(uid); ok {
			held[n] = true
		}
	}
	found := map[string]bool{}
	for _, r := range roles {
		if held[schema.IntOf(r, "uid")] {
			found[schema.TextOf(r, "management")] = true
		}
	}
	out := make([]string, 0, len(found))
	for m := range found {
		out = append(out, m)
	}
	sort.Strings(out)
	return out, nil
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}
