package cluster

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	configv1 "github.com/openshift/api/config/v1"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/internal/tlsprofile"
)

// profile is one that somebody chose; an empty name is the default, which nobody did.
func profile(name string, ciphers ...string) *tlsprofile.Profile {
	written := &configv1.TLSSecurityProfile{Type: configv1.TLSProfileType(name)}
	if ciphers != nil {
		written.Custom = &configv1.CustomTLSProfile{TLSProfileSpec: configv1.TLSProfileSpec{MinTLSVersion: configv1.VersionTLS12, Ciphers: ciphers}}
	}
	p := tlsprofile.Of(written)
	return &p
}

// asMade is the TLS that a cluster comes with.
func asMade() *rest.Cluster {
	return &rest.Cluster{
		MinControlTLSVersion: rest.Ptr("1.2"), MinDataTLSVersion: rest.Ptr("1.2"), MinSentinelTLSVersion: rest.Ptr("1.2"),
		ControlCipherSuites: rest.Ptr("DEFAULT:!3DES"), DataCipherList: rest.Ptr("HIGH:!3DES:!aNULL"), SentinelCipherSuites: &rest.Strings{},
	}
}

// tlsScene plays the operator and the cluster in turn.
type tlsScene struct {
	t  *testing.T
	in Inputs
	o  *Observed
}

func newTLSScene(t *testing.T) *tlsScene {
	t.Helper()
	rec := newREC()
	s := &tlsScene{t: t, in: inputs(rec), o: healthy(rec)}
	s.o.TLS = asMade()
	return s
}

// turn lets the operator decide and its change arrive, and returns what it said.
func (s *tlsScene) turn() string {
	s.t.Helper()
	said := ""
	for _, step := range planOf(s.in, s.o).Steps {
		switch step := step.(type) {
		case applyObjects:
			for _, object := range step.objects {
				if set, ok := object.(*appsv1.StatefulSet); ok {
					s.o.Set.Annotations[AnnotationTLS] = set.Annotations[AnnotationTLS]
				}
			}
		case putTLS:
			if said != "" {
				s.t.Error("two changes in one run")
			}
			said = step.String()
			for _, setting := range tlsSettings {
				if value, asked := setting.get(step.update); asked {
					setting.put(s.o.TLS, value)
				}
			}
		}
	}
	return strings.TrimPrefix(said, "TLS profile: ")
}

// expect is turn until there is nothing left to do.
func (s *tlsScene) expect(want string) {
	s.t.Helper()
	if got := s.turn(); got != want {
		s.t.Errorf("%s\nwant %s", got, want)
	}
	if again := s.turn(); again != "" {
		s.t.Errorf("again: %s", again)
	}
}

const raised = "min_control_TLS_version: 1.2 → 1.3, min_data_TLS_version: 1.2 → 1.3, min_sentinel_TLS_version: 1.2 → 1.3"

func TestTLSFollowsTheProfile(t *testing.T) {
	s := newTLSScene(t)
	s.expect("") // no OpenShift
	s.in.TLS = profile("")
	s.expect("") // its default is what clusters do
	s.in.TLS = profile("Old")
	s.expect("") // and it does not make them more lenient
	if s.o.Set.Annotations[AnnotationTLS] != "" {
		t.Errorf("noted %s", s.o.Set.Annotations[AnnotationTLS])
	}
	s.in.TLS = profile("Modern")
	s.expect(raised)
	s.in.TLS = profile("Custom", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384")
	s.expect(strings.NewReplacer("1.2 → 1.3", "1.3 → 1.2").Replace(raised) +
		", control_cipher_suites: DEFAULT:!3DES → ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384" +
		", data_cipher_list: HIGH:!3DES:!aNULL → ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384" +
		", sentinel_cipher_suites: unset → TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")
	s.in.TLS = profile("")
	s.expect("control_cipher_suites: ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384 → DEFAULT:!3DES" +
		", data_cipher_list: ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384 → HIGH:!3DES:!aNULL" +
		", sentinel_cipher_suites: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 → unset")
	if s.o.Set.Annotations[AnnotationTLS] != "" {
		t.Errorf("still noted: %s", s.o.Set.Annotations[AnnotationTLS])
	}
}

func TestTLSThatSomebodySetIsTheirs(t *testing.T) {
	s := newTLSScene(t)
	s.o.TLS.MinDataTLSVersion = rest.Ptr("1.3")
	s.o.TLS.DataCipherList = rest.Ptr("ECDHE-RSA-AES256-GCM-SHA384")
	s.in.TLS = profile("Custom", "ECDHE-RSA-AES128-GCM-SHA256")
	s.expect("control_cipher_suites: DEFAULT:!3DES → ECDHE-RSA-AES128-GCM-SHA256, sentinel_cipher_suites: unset → TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
	s.o.TLS.ControlCipherSuites = rest.Ptr("ECDHE-RSA-CHACHA20-POLY1305") // set over ours
	s.expect("")
	s.in.TLS = profile("Modern")
	s.expect("min_control_TLS_version: 1.2 → 1.3, min_sentinel_TLS_version: 1.2 → 1.3, sentinel_cipher_suites: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 → unset")
	s.in.TLS = profile("")
	s.expect("min_control_TLS_version: 1.3 → 1.2, min_sentinel_TLS_version: 1.3 → 1.2")
	if *s.o.TLS.MinDataTLSVersion != "1.3" || *s.o.TLS.DataCipherList != "ECDHE-RSA-AES256-GCM-SHA384" || *s.o.TLS.ControlCipherSuites != "ECDHE-RSA-CHACHA20-POLY1305" {
		t.Errorf("%s %s %s", *s.o.TLS.MinDataTLSVersion, *s.o.TLS.DataCipherList, *s.o.TLS.ControlCipherSuites)
	}
}

func TestTLSIsLeftAloneWhereToldSo(t *testing.T) {
	rec := newREC()
	b := newBench(t, rec)
	b.kind.TLS = always{profile("Modern")}
	in, err := b.kind.gather(t.Context(), rec)
	if err != nil || in.TLS == nil {
		t.Fatalf("%+v, %v", in.TLS, err)
	}
	rec.Annotations = map[string]string{names.AnnotationTLSProfile: "ignore"}
	if in, err = b.kind.gather(t.Context(), rec); err != nil || in.TLS != nil {
		t.Errorf("%+v, %v", in.TLS, err)
	}
	s := newTLSScene(t)
	s.in.TLS = profile("Modern")
	s.expect(raised)
	s.in.TLS = nil // said later: what was there before comes back
	s.expect(strings.NewReplacer("1.2 → 1.3", "1.3 → 1.2").Replace(raised))
}

type always struct{ profile *tlsprofile.Profile }

func (a always) Profile() *tlsprofile.Profile { return a.profile }

func TestTLSKeepsItsNoteWhileTheClusterIsNotRead(t *testing.T) {
	s := newTLSScene(t)
	s.in.TLS = profile("Modern")
	s.expect(raised)
	noted := s.o.Set.Annotations[AnnotationTLS]
	s.o.TLS, s.in.TLS = nil, nil
	s.expect("")
	if s.o.Set.Annotations[AnnotationTLS] != noted {
		t.Errorf("%s, was %s", s.o.Set.Annotations[AnnotationTLS], noted)
	}
}

func TestTLSOfAnOlderCluster(t *testing.T) {
	s := newTLSScene(t)
	s.o.TLS = &rest.Cluster{MinControlTLSVersion: rest.Ptr("1.2")}
	s.in.TLS = profile("Modern")
	s.expect("min_control_TLS_version: 1.2 → 1.3")
}

func TestTLSIsReadOnlyWhereItMatters(t *testing.T) {
	s := newTLSScene(t)
	if followsTLS(s.in, s.o) {
		t.Error("read without a profile")
	}
	s.in.TLS = profile("Modern")
	if !followsTLS(s.in, s.o) {
		t.Error("not read")
	}
	s.expect(raised)
	if s.in.TLS = nil; !followsTLS(s.in, s.o) {
		t.Error("what is to be put back is not read")
	}
}

func TestTLSThatTheClusterRefuses(t *testing.T) {
	step := putTLS{update: &rest.Cluster{MinDataTLSVersion: rest.Ptr("1.3")}, changes: []string{"min_data_TLS_version: 1.2 → 1.3"}}
	err := step.perform(t.Context(), &hands{api: refusing{}, run: &Run{}})
	var rejected *outcome.Rejected
	if !errors.As(err, &rejected) || !strings.Contains(err.Error(), "open-redis-enterprise.io/tls-profile=ignore") {
		t.Errorf("%v", err)
	}
}

// refusing is a cluster that takes no other TLS.
type refusing struct{ API }

func (refusing) UpdateCluster(context.Context, *rest.Cluster) error {
	return &rest.Error{Status: http.StatusNotAcceptable, Code: "min_version_not_supported"}
}
