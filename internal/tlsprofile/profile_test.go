package tlsprofile

import (
	"crypto/tls"
	"strings"
	"testing"

	configv1 "github.com/openshift/api/config/v1"
)

func written(kind configv1.TLSProfileType) *configv1.TLSSecurityProfile {
	return &configv1.TLSSecurityProfile{Type: kind}
}

func custom(version configv1.TLSProtocolVersion, ciphers ...string) *configv1.TLSSecurityProfile {
	return &configv1.TLSSecurityProfile{Type: configv1.TLSProfileCustomType,
		Custom: &configv1.CustomTLSProfile{TLSProfileSpec: configv1.TLSProfileSpec{MinTLSVersion: version, Ciphers: ciphers}}}
}

const strong = "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384 " +
	"ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305"

func TestOf(t *testing.T) {
	for _, c := range []struct {
		name    string
		written *configv1.TLSSecurityProfile
		want    Profile
		ciphers string
	}{
		{"nothing is Intermediate, which nobody chose", nil, Profile{Name: "Intermediate", MinVersion: tls.VersionTLS12}, strong},
		{"an empty one too", &configv1.TLSSecurityProfile{}, Profile{Name: "Intermediate", MinVersion: tls.VersionTLS12}, strong},
		{"a type of tomorrow too", written("Quantum"), Profile{Name: "Intermediate", MinVersion: tls.VersionTLS12}, strong},
		{"Custom without its part too", written("Custom"), Profile{Name: "Intermediate", MinVersion: tls.VersionTLS12}, strong},
		{"Intermediate", written("Intermediate"), Profile{Name: "Intermediate", Chosen: true, MinVersion: tls.VersionTLS12}, strong},
		{"Modern has no suites to choose", written("Modern"), Profile{Name: "Modern", Chosen: true, MinVersion: tls.VersionTLS13}, ""},
		{"Old is never less than 1.2, and without what is broken", written("Old"), Profile{Name: "Old", Chosen: true, MinVersion: tls.VersionTLS12},
			strong + " ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA ECDHE-ECDSA-AES256-SHA ECDHE-RSA-AES256-SHA"},
		{"Custom keeps its order", custom(configv1.VersionTLS12, "TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "RC4-MD5", "ECDHE-RSA-AES128-GCM-SHA256"),
			Profile{Name: "Custom", Chosen: true, MinVersion: tls.VersionTLS12}, "ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-AES128-GCM-SHA256"},
		{"1.3 has no suites to choose", custom(configv1.VersionTLS13, "ECDHE-RSA-AES256-GCM-SHA384"),
			Profile{Name: "Custom", Chosen: true, MinVersion: tls.VersionTLS13}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Ciphers = strings.Fields(c.ciphers)
			if got := Of(c.written); !got.Equal(c.want) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

// TestEverySuiteIsOne: a table entry with another suite's number, or one that Go holds for broken, would go unnoticed.
func TestEverySuiteIsOne(t *testing.T) {
	secure := map[uint16]*tls.CipherSuite{}
	for _, s := range tls.CipherSuites() {
		secure[s.ID] = s
	}
	for name, id := range suites {
		s := secure[id]
		if s == nil {
			t.Errorf("%s: not a suite that Go calls secure", name)
			continue
		}
		// ECDHE-RSA-AES128-GCM-SHA256 is TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, and CBC goes without saying.
		letters := strings.NewReplacer("TLS", "", "WITH", "", "CBC", "", "_", "", "-", "")
		if got, want := letters.Replace(s.Name), letters.Replace(name); got != want && got != want+"SHA256" {
			t.Errorf("%s is %s", name, s.Name)
		}
	}
}

func TestConfigure(t *testing.T) {
	for _, c := range []struct {
		name    string
		written *configv1.TLSSecurityProfile
		version uint16
		suites  int
	}{
		{"Intermediate", nil, tls.VersionTLS12, 6},
		{"Modern", written("Modern"), tls.VersionTLS13, 0},
		{"no suite of 1.2 that can be served leaves 1.3", custom(configv1.VersionTLS12, "AES128-SHA256"), tls.VersionTLS13, 0},
	} {
		config := &tls.Config{MinVersion: tls.VersionTLS12, CipherSuites: []uint16{1}}
		Of(c.written).Configure(config)
		if config.MinVersion != c.version || len(config.CipherSuites) != c.suites {
			t.Errorf("%s: %x, %v", c.name, config.MinVersion, config.CipherSuites)
		}
	}
	if p := Of(custom(configv1.VersionTLS12, "ECDHE-RSA-CHACHA20-POLY1305")); p.Standard()[0] != "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" || p.Version() != "1.2" {
		t.Errorf("%v, %s", p.Standard(), p.Version())
	}
	if v := Of(written("Modern")).Version(); v != "1.3" {
		t.Errorf("Modern is %s", v)
	}
}
