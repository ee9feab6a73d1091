package cluster

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/internal/tlsprofile"
)

// The cluster's own TLS follows the profile of an OpenShift. What was there before a change of ours is kept on the
// StatefulSet, so that it can be put back; what somebody else has set stays theirs: a stricter minimum, a list of suites of
// their own. Where there is no profile nothing in this file does anything.

// AnnotationTLS on the StatefulSet says which settings follow the profile, as a JSON object of kept values.
const AnnotationTLS = names.AnnotationPrefix + "tls-before"

// tlsIgnored is the value of names.AnnotationTLSProfile that leaves a cluster's TLS alone.
const tlsIgnored = "ignore"

// kept is what was there before the operator changed a setting, and what it set.
type kept struct {
	Before string `json:"before"`
	Set    string `json:"set"`
}

// tlsSetting is one setting of the cluster that a profile has an opinion on.
type tlsSetting struct {
	name string
	get  func(*rest.Cluster) (value string, known bool)
	put  func(*rest.Cluster, string)
	// want is the value under a profile where the cluster would have another by itself.
	want func(p tlsprofile.Profile, own string) string
}

var tlsSettings = []tlsSetting{
	text("min_control_TLS_version", func(c *rest.Cluster) **string { return &c.MinControlTLSVersion }, minimum),
	text("min_data_TLS_version", func(c *rest.Cluster) **string { return &c.MinDataTLSVersion }, minimum),
	text("min_sentinel_TLS_version", func(c *rest.Cluster) **string { return &c.MinSentinelTLSVersion }, minimum),
	text("control_cipher_suites", func(c *rest.Cluster) **string { return &c.ControlCipherSuites }, openSSL),
	text("data_cipher_list", func(c *rest.Cluster) **string { return &c.DataCipherList }, openSSL),
	{
		name: "sentinel_cipher_suites",
		get: func(c *rest.Cluster) (string, bool) {
			if c.SentinelCipherSuites == nil {
				return "", false
			}
			return strings.Join(*c.SentinelCipherSuites, ":"), true
		},
		put: func(c *rest.Cluster, value string) {
			c.SentinelCipherSuites = &rest.Strings{}
			if value != "" {
				*c.SentinelCipherSuites = strings.Split(value, ":")
			}
		},
		want: suitesOf(tlsprofile.Profile.Standard),
	},
}

func text(name string, slot func(*rest.Cluster) **string, want func(tlsprofile.Profile, string) string) tlsSetting {
	return tlsSetting{name: name, want: want,
		get: func(c *rest.Cluster) (string, bool) {
			if *slot(c) == nil {
				return "", false
			}
			return **slot(c), true
		},
		put: func(c *rest.Cluster, value string) { *slot(c) = &value },
	}
}

// minimum is the stricter one of the profile's and the cluster's own.
func minimum(p tlsprofile.Profile, own string) string { return max(p.Version(), own) }

var openSSL = suitesOf(func(p tlsprofile.Profile) []string { return p.Ciphers })

// factory are the lists of suites that clusters come with. Any other was chosen by somebody.
var factory = []string{"", "DEFAULT", "DEFAULT:!3DES", "HIGH:!3DES", "HIGH:!3DES:!aNULL"}

// suitesOf replaces the list that a cluster comes with by that of a profile which somebody has chosen. Old is passed over:
// it allows more than clusters do by themselves.
func suitesOf(list func(tlsprofile.Profile) []string) func(tlsprofile.Profile, string) string {
	return func(p tlsprofile.Profile, own string) string {
		wanted := strings.Join(list(p), ":")
		if !p.Chosen || p.Name == tlsprofile.Old || wanted == "" || !slices.Contains(factory, own) {
			return own
		}
		return wanted
	}
}

// tlsPlan is what is to be noted on the StatefulSet before the cluster is changed, and the change; nil for none.
type tlsPlan struct {
	note   string
	change Step
}

// planTLS compares the cluster's settings with the profile. Without a reading of them everything stays as it is noted.
func planTLS(in Inputs, o *Observed) tlsPlan {
	noted := notedTLS(o)
	if o.TLS == nil {
		return tlsPlan{note: writtenTLS(noted)}
	}
	put, notes := putTLS{update: &rest.Cluster{}}, map[string]kept{}
	for _, s := range tlsSettings {
		have, known := s.get(o.TLS)
		if !known { // this version of the cluster has no such setting
			continue
		}
		own := have
		if k, ok := noted[s.name]; ok && (have == k.Set || have == k.Before) {
			own = k.Before
		}
		wanted := own
		if in.TLS != nil {
			wanted = s.want(*in.TLS, own)
		}
		if have != wanted {
			s.put(put.update, wanted)
			put.changes = append(put.changes, s.name+": "+or(have, "unset")+" → "+or(wanted, "unset"))
		}
		switch {
		case wanted != own:
			notes[s.name] = kept{Before: own, Set: wanted}
		case have != own: // until it is seen to be put back
			notes[s.name] = noted[s.name]
		}
	}
	p := tlsPlan{note: writtenTLS(notes)}
	if put.changes != nil {
		p.change = put
	}
	return p
}

// notedTLS reads the note; one that cannot be read is none.
func notedTLS(o *Observed) map[string]kept {
	notes := map[string]kept{}
	if o.Set != nil && o.Set.Annotations[AnnotationTLS] != "" {
		if err := json.Unmarshal([]byte(o.Set.Annotations[AnnotationTLS]), &notes); err != nil {
			return map[string]kept{}
		}
	}
	return notes
}

func writtenTLS(notes map[string]kept) string {
	maps.DeleteFunc(notes, func(_ string, k kept) bool { return k == kept{} })
	if len(notes) == 0 {
		return ""
	}
	raw, err := json.Marshal(notes) // sorted by name
	if err != nil {
		return ""
	}
	return string(raw)
}

// notingTLS is the StatefulSet with the note.
func notingTLS(set *appsv1.StatefulSet, note string) *appsv1.StatefulSet {
	if note == "" {
		return set
	}
	set = set.DeepCopy()
	metav1.SetMetaDataAnnotation(&set.ObjectMeta, AnnotationTLS, note)
	return set
}

// followsTLS tells whether the cluster's TLS settings have to be read.
func followsTLS(in Inputs, o *Observed) bool {
	return in.TLS != nil || o.Set != nil && o.Set.Annotations[AnnotationTLS] != ""
}

// putTLS changes the cluster's TLS.
type putTLS struct {
	update  *rest.Cluster
	changes []string
}

func (s putTLS) String() string { return "TLS profile: " + strings.Join(s.changes, ", ") }

func (s putTLS) perform(ctx context.Context, h *hands) error {
	err := h.api.UpdateCluster(ctx, s.update)
	if rest.IsRefused(err) {
		return outcome.Refused("metadata.annotations", "the cluster refuses the TLS profile of this OpenShift (%s): %s; annotate it with %s=%s to leave its TLS alone",
			strings.Join(s.changes, ", "), answer(err), names.AnnotationTLSProfile, tlsIgnored)
	}
	return h.did(s.String(), err)
}
