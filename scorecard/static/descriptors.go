package static

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// Fewer descriptors than these mean that forms have lost fields.
const (
	leastSpec   = 280
	leastStatus = 65
)

// entry is a descriptor of either kind.
type entry struct {
	path, title, text string
	widgets           []string
}

func specEntries(owned v1alpha1.CRDDescription) []entry {
	var out []entry
	for _, d := range owned.SpecDescriptors {
		out = append(out, entry{d.Path, d.DisplayName, d.Description, d.XDescriptors})
	}
	return out
}

func statusEntries(owned v1alpha1.CRDDescription) []entry {
	var out []entry
	for _, d := range owned.StatusDescriptors {
		out = append(out, entry{d.Path, d.DisplayName, d.Description, d.XDescriptors})
	}
	return out
}

// Schema is that of a version of an owned kind.
func (b Bundle) Schema(kind, version string) (apiextensions.JSONSchemaProps, bool) {
	for _, crd := range b.V1CRDs {
		for _, v := range crd.Spec.Versions {
			if crd.Spec.Names.Kind == kind && v.Name == version && v.Schema != nil {
				return *v.Schema.OpenAPIV3Schema, true
			}
		}
	}
	return apiextensions.JSONSchemaProps{}, false
}

// Descriptors checks that every field that a form shows is described once, on the kind and version that has it.
func Descriptors(t report.T, v Bundle) {
	t.Helper()
	specs, statuses := 0, 0
	for _, owned := range v.CSV.Spec.CustomResourceDefinitions.Owned {
		schema, there := v.Schema(owned.Kind, owned.Version)
		if !there {
			t.Errorf("the bundle holds no %s of %s", owned.Version, owned.Name)
			continue
		}
		specs += len(owned.SpecDescriptors)
		statuses += len(owned.StatusDescriptors)
		about := named{t, owned.Version + " " + owned.Kind}
		checkEntries(about, "spec", schema.Properties["spec"], specEntries(owned))
		checkEntries(about, "status", schema.Properties["status"], statusEntries(owned))
	}
	if specs < leastSpec || statuses < leastStatus {
		t.Errorf("%d descriptors of specs and %d of status, want at least %d and %d", specs, statuses, leastSpec, leastStatus)
	}
	t.Logf("%d descriptors of specs, %d of status", specs, statuses)
}

// named says what its findings are about.
type named struct {
	report.T
	about string
}

// Errorf names what the finding is about.
func (n named) Errorf(format string, args ...any) {
	n.Helper()
	n.T.Errorf("%s: "+format, append([]any{n.about}, args...)...)
}

func checkEntries(t report.T, part string, schema apiextensions.JSONSchemaProps, entries []entry) {
	t.Helper()
	seen := map[string]bool{}
	for _, e := range entries {
		field, there := resolve(schema, e.path)
		switch {
		case !there:
			t.Errorf("%s.%s does not exist", part, e.path)
		case seen[e.path]:
			t.Errorf("%s.%s is described twice", part, e.path)
		case e.title == "" || e.title[0] < 'A' || e.title[0] > 'Z' && e.title[0] < 'a' && e.title != "mDNS":
			t.Errorf("%s.%s has the title %q", part, e.path, e.title)
		case e.text == "" || len(e.text) > 400:
			t.Errorf("%s.%s has a description of %d characters", part, e.path, len(e.text))
		}
		seen[e.path] = true
		checkWidgets(t, part, e, field, entries)
	}
	for name := range schema.Properties {
		if !seen[name] {
			t.Errorf("%s.%s has no descriptor", part, name)
		}
	}
}

// resolve follows a path as the console does; [0] stands for the elements of a list.
func resolve(schema apiextensions.JSONSchemaProps, path string) (apiextensions.JSONSchemaProps, bool) {
	for _, name := range strings.Split(path, ".") {
		plain, element := strings.CutSuffix(name, "[0]")
		child, there := schema.Properties[plain]
		if !there || element && (child.Items == nil || child.Items.Schema == nil) {
			return child, false
		}
		if schema = child; element {
			schema = *child.Items.Schema
		}
	}
	return schema, true
}

// known are the names that the console documents, with those that take an argument ending in a colon.
var known = map[string][]string{
	"spec": {"podCount", "resourceRequirements", "booleanSwitch", "checkbox", "text", "number", "password", "updateStrategy",
		"imagePullPolicy", "nodeAffinity", "podAffinity", "podAntiAffinity", "advanced", "hidden", "endpointList", "selector:", "select:", "fieldDependency:"},
	"status": {"text", "podStatuses"},
}

var knownWhole = map[string][]string{
	"status": {"urn:alm:descriptor:io.kubernetes.conditions", "urn:alm:descriptor:io.kubernetes.phase",
		"urn:alm:descriptor:io.kubernetes.phase:reason", "urn:alm:descriptor:org.w3:link"},
}

// referable are kinds that a field may name, with a page of their own in the console.
var referable = []string{"Secret", "ConfigMap", "ServiceAccount", "StorageClass", "PriorityClass", "Service", "Namespace"}

func checkWidgets(t report.T, part string, e entry, field apiextensions.JSONSchemaProps, all []entry) {
	t.Helper()
	var offered []string
	for _, widget := range e.widgets {
		if !isKnown(part, widget) {
			t.Errorf("%s.%s: the console does not know %s", part, e.path, widget)
		}
		if value, isChoice := strings.CutPrefix(widget, "urn:alm:descriptor:com.tectonic.ui:select:"); isChoice {
			offered = append(offered, value)
		}
		if dependency, depends := strings.CutPrefix(widget, "urn:alm:descriptor:com.tectonic.ui:fieldDependency:"); depends {
			path, _, _ := strings.Cut(dependency, ":")
			if !slices.ContainsFunc(all, func(o entry) bool { return o.path == path }) {
				t.Errorf("%s.%s depends on %s, which has no descriptor", part, e.path, path)
			}
		}
	}
	if part == "status" || slices.Contains(e.widgets, "urn:alm:descriptor:com.tectonic.ui:hidden") {
		return
	}
	if allowed := enum(field); !slices.Equal(offered, allowed) {
		t.Errorf("spec.%s offers %v, the schema allows %v", e.path, offered, allowed)
	}
	if want := wanted(field); want != "" && !slices.Contains(e.widgets, want) {
		t.Errorf("spec.%s is a %s and is shown as %v", e.path, field.Type, e.widgets)
	}
}

func isKnown(part, widget string) bool {
	if slices.Contains(knownWhole[part], widget) {
		return true
	}
	if kind, isReference := strings.CutPrefix(widget, "urn:alm:descriptor:io.kubernetes:"); isReference {
		return slices.Contains(referable, kind)
	}
	name, isUI := strings.CutPrefix(widget, "urn:alm:descriptor:com.tectonic.ui:")
	return isUI && slices.ContainsFunc(known[part], func(k string) bool {
		return name == k || strings.HasSuffix(k, ":") && strings.HasPrefix(name, k)
	})
}

// wanted is the widget without which a field of this type cannot be edited.
func wanted(field apiextensions.JSONSchemaProps) string {
	if field.Type == "boolean" {
		return "urn:alm:descriptor:com.tectonic.ui:booleanSwitch"
	}
	return ""
}

func enum(field apiextensions.JSONSchemaProps) []string {
	var out []string
	for _, raw := range field.Enum {
		var value string
		if json.Unmarshal(raw.Raw, &value) == nil && value != "" {
			out = append(out, value)
		}
	}
	return out
}
