// Package tlsprofile knows which TLS the administrator of an OpenShift wants its components to speak: the profile of the
// APIServer named cluster. Servers follow it from one connection to the next, without a restart.
package tlsprofile

import (
	"crypto/tls"
	"slices"

	configv1 "github.com/openshift/api/config/v1"
)

// Profile is what a TLS security profile comes down to. It never changes, so it can be handed around.
type Profile struct {
	// Name is Old, Intermediate, Modern or Custom.
	Name string
	// Chosen tells that somebody named a profile; it is false for the default of OpenShift.
	Chosen bool
	// MinVersion is a version of crypto/tls, and never less than 1.2: nothing that talks to the operator needs less.
	MinVersion uint16
	// Ciphers are the suites of TLS 1.2 that the profile allows, by their names in OpenSSL and in its order. Suites that Go
	// considers broken are not among them. Those of TLS 1.3 cannot be chosen.
	Ciphers []string
}

// Old is the name of the profile that allows more than most servers do by themselves.
const Old = string(configv1.TLSProfileOldType)

// suites are the suites of TLS 1.2 that can be served, by their names in OpenSSL.
var suites = map[string]uint16{
	"ECDHE-ECDSA-AES128-GCM-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-RSA-AES128-GCM-SHA256":   tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	"ECDHE-ECDSA-AES256-GCM-SHA384": tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-RSA-AES256-GCM-SHA384":   tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	"ECDHE-ECDSA-CHACHA20-POLY1305": tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-RSA-CHACHA20-POLY1305":   tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	"ECDHE-ECDSA-AES128-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
	"ECDHE-RSA-AES128-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	"ECDHE-ECDSA-AES256-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	"ECDHE-RSA-AES256-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
}

// Of is what an administrator has written; nil, and what this version does not know, is OpenShift's default.
func Of(written *configv1.TLSSecurityProfile) Profile {
	p := Profile{Name: string(configv1.TLSProfileIntermediateType)}
	spec := configv1.TLSProfiles[configv1.TLSProfileIntermediateType]
	if written != nil {
		if written.Type == configv1.TLSProfileCustomType && written.Custom != nil {
			p.Name, p.Chosen, spec = string(written.Type), true, &written.Custom.TLSProfileSpec
		} else if known, ok := configv1.TLSProfiles[written.Type]; ok {
			p.Name, p.Chosen, spec = string(written.Type), true, known
		}
	}
	p.MinVersion = tls.VersionTLS12
	if spec.MinTLSVersion == configv1.VersionTLS13 {
		p.MinVersion = tls.VersionTLS13
	}
	for _, name := range spec.Ciphers {
		if _, ok := suites[name]; ok && p.MinVersion < tls.VersionTLS13 {
			p.Ciphers = append(p.Ciphers, name)
		}
	}
	return p
}

// Version is the minimum as a cluster calls it: 1.2 or 1.3.
func (p Profile) Version() string {
	if p.MinVersion == tls.VersionTLS13 {
		return "1.3"
	}
	return "1.2"
}

// Standard are the suites by the names that the standards, and Go, give them.
func (p Profile) Standard() []string {
	var list []string
	for _, name := range p.Ciphers {
		list = append(list, tls.CipherSuiteName(suites[name]))
	}
	return list
}

// Configure makes a server follow the profile. Where the profile leaves no suite of TLS 1.2, 1.3 is the least.
func (p Profile) Configure(config *tls.Config) {
	config.MinVersion, config.CipherSuites = p.MinVersion, nil
	for _, name := range p.Ciphers {
		config.CipherSuites = append(config.CipherSuites, suites[name])
	}
	if len(config.CipherSuites) == 0 {
		config.MinVersion = tls.VersionTLS13
	}
}

// Equal tells whether both ask for the same.
func (p Profile) Equal(other Profile) bool {
	return p.Name == other.Name && p.Chosen == other.Chosen && p.MinVersion == other.MinVersion && slices.Equal(p.Ciphers, other.Ciphers)
}
