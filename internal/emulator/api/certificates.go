package api

import (
	"crypto/tls"
	"net/http"
	"slices"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// Certificates of a cluster. The cluster makes the internal ones itself.
var (
	internalCertificates = []string{
		"api", "ccs_internode_encryption", "cm", "data_internode_encryption", "metrics_exporter", "proxy", "syncer",
	}
	optionalCertificates = []string{"ldap_client", "mtls_trusted_ca", "sso_issuer", "sso_service"}
	withoutKey           = []string{"mtls_trusted_ca", "sso_issuer"}
)

// getCertificates is GET /v1/cluster/certificates: a flat map, private keys included.
func getCertificates(c *call) (any, error) {
	certs, err := c.Engine.List(c.ctx(), KindCertificate)
	if err != nil {
		return nil, err
	}
	out := Object{}
	for _, cert := range certs {
		name := schema.TextOf(cert, "name")
		out[name+"_cert"] = schema.TextOf(cert, "certificate")
		if !slices.Contains(withoutKey, name) {
			out[name+"_key"] = schema.TextOf(cert, "key")
		}
	}
	return out, nil
}

// putCertificates is PUT /v1/cluster/certificates: all are checked before any is changed.
func putCertificates(c *call) (any, error) {
	raw, err := c.needBody()
	if err != nil {
		return nil, err
	}
	for _, e := range list(raw["certificates"]) {
		if err := knownCertificate(schema.TextOf(object(e), "name")); err != nil {
			return nil, err
		}
	}
	ask, err := schema.Check("cluster_certificates_update", raw, schema.Create)
	if err != nil {
		return nil, err
	}
	return nil, c.installCertificates(list(ask["certificates"]))
}

// updateCertificate is the older PUT /v1/cluster/update_cert.
func updateCertificate(c *call) (any, error) {
	raw, err := c.needBody()
	if err != nil {
		return nil, err
	}
	if err := knownCertificate(schema.TextOf(raw, "name")); err != nil {
		return nil, err
	}
	ask, err := schema.Check("cluster_certificate", raw, schema.Create)
	if err != nil {
		return nil, err
	}
	return nil, c.installCertificates([]any{ask})
}

func knownCertificate(name string) error {
	if slices.Contains(internalCertificates, name) || slices.Contains(optionalCertificates, name) {
		return nil
	}
	return refusal(http.StatusForbidden, "invalid_certificate", "There is no certificate '%s'", name)
}

func (c *call) installCertificates(asked []any) error {
	for _, e := range asked {
		if err := c.checkCertificate(object(e)); err != nil {
			return err
		}
	}
	for _, e := range asked {
		o := object(e)
		name := schema.TextOf(o, "name")
		stored := Object{"name": name, "certificate": o["certificate"], "key": schema.TextOf(o, "key"), "_given": true}
		if _, err := c.put(KindCertificate, name, stored); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) checkCertificate(o Object) error {
	name, text, key := schema.TextOf(o, "name"), schema.TextOf(o, "certificate"), schema.TextOf(o, "key")
	cert, err := parseCertificate(text)
	if err != nil {
		return err
	}
	if c.Now().After(cert.NotAfter) {
		return refusal(http.StatusNotAcceptable, "certificate_expired", "The certificate %s has expired", name)
	}
	if slices.Contains(withoutKey, name) {
		return nil
	}
	if _, err := tls.X509KeyPair([]byte(text), []byte(key)); err != nil {
		return refusal(http.StatusBadRequest, "invalid_certificate", "Certificate and key of %s do not belong together", name)
	}
	return nil
}

// deleteCertificate is DELETE /v1/cluster/certificates/{certificate_name}; only optional ones go.
func deleteCertificate(c *call) (any, error) {
	name := c.params["certificate_name"]
	if err := knownCertificate(name); err != nil {
		return nil, err
	}
	if !slices.Contains(optionalCertificates, name) {
		return nil, refusal(http.StatusForbidden, "invalid_certificate", "Certificate %s can not be deleted", name)
	}
	o, err := c.Engine.Get(c.ctx(), KindCertificate, name)
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, refusal(http.StatusNotFound, "not_found", "Certificate %s is not installed", name)
	}
	return nil, c.remove(KindCertificate, name)
}

// rotateCertificates is POST /v1/cluster/certificates/rotate.
func rotateCertificates(c *call) (any, error) {
	ask, err := c.typed("certificate_rotate", schema.Change)
	if err != nil {
		return nil, err
	}
	names := internalCertificates
	if name := schema.TextOf(ask, "name"); name != "" {
		if !slices.Contains(internalCertificates, name) {
			return nil, refusal(http.StatusForbidden, "invalid_certificate", "Certificate %s is not made by the cluster", name)
		}
		names = []string{name}
	}
	return nil, c.Engine.RotateCertificates(c.ctx(), names)
}
