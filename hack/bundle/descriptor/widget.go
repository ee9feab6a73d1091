package descriptor

import (
	"encoding/json"
	"slices"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// The names that the console knows.
const (
	ui      = "urn:alm:descriptor:com.tectonic.ui:"
	object  = "urn:alm:descriptor:io.kubernetes:"
	text    = ui + "text"
	number  = ui + "number"
	boolean = ui + "booleanSwitch"
	hidden  = ui + "hidden"
	more    = ui + "advanced"
	choice  = ui + "select:"

	conditions = "urn:alm:descriptor:io.kubernetes.conditions"
	phase      = "urn:alm:descriptor:io.kubernetes.phase"
)

// specWidgets says how a field of the spec is shown. A field without widgets is a heading over the fields below it.
func specWidgets(kind string, f field) []string {
	if hiddenField(kind, f.path) {
		return []string{hidden}
	}
	widgets := exceptions[kind][f.path]
	if widgets == nil {
		widgets = byName(last(f.path))
	}
	if widgets == nil {
		widgets = bySchema(f.schema)
	}
	if advanced(f) {
		widgets = append(slices.Clone(widgets), more)
	}
	if on := dependency(kind, f.path); on != "" {
		widgets = append(slices.Clone(widgets), ui+"fieldDependency:"+on)
	}
	return widgets
}

// statusWidgets says how a field of the status is shown.
func statusWidgets(f field) []string {
	switch name := last(f.path); {
	case name == "conditions":
		return []string{conditions}
	case f.path == "state" || f.path == "status":
		return []string{phase}
	case strings.HasSuffix(name, "SecretName"):
		return []string{object + "Secret"}
	case name == "responderUrl":
		return []string{"urn:alm:descriptor:org.w3:link"}
	case len(f.schema.Properties) > 0:
		return nil
	}
	return []string{text}
}

// byName recognises fields that mean the same everywhere.
func byName(name string) []string {
	switch {
	case strings.HasSuffix(name, "SecretName"), slices.Contains(secretNames, name):
		return []string{object + "Secret"}
	case name == "storageClassName":
		return []string{object + "StorageClass"}
	case name == "serviceAccountName":
		return []string{object + "ServiceAccount"}
	case name == "priorityClassName":
		return []string{object + "PriorityClass"}
	case name == "imagePullPolicy":
		return []string{ui + "imagePullPolicy"}
	case name == "resources", strings.HasSuffix(name, "Resources"):
		return []string{ui + "resourceRequirements"}
	}
	return nil
}

// bySchema takes the widget from the type.
func bySchema(s apiextensions.JSONSchemaProps) []string {
	switch {
	case len(s.Enum) > 0:
		return choices(s)
	case s.XIntOrString:
		return []string{text}
	case s.Type == "boolean":
		return []string{boolean}
	case s.Type == "integer", s.Type == "number":
		return []string{number}
	case s.Type == "string":
		return []string{text}
	}
	return nil
}

// choices offers the values that the schema allows.
func choices(s apiextensions.JSONSchemaProps) []string {
	var out []string
	for _, raw := range s.Enum {
		var value string
		if json.Unmarshal(raw.Raw, &value) == nil && value != "" {
			out = append(out, choice+value)
		}
	}
	return out
}

// advanced fields are folded away: what few forms need, and whatever Kubernetes itself defines.
func advanced(f field) bool {
	top, _, nested := strings.Cut(f.path, ".")
	top = strings.TrimSuffix(top, "[0]")
	if slices.Contains(advancedTrees, top) {
		return true
	}
	if nested {
		return false
	}
	isMap := f.schema.AdditionalProperties != nil
	return embedded[top] && !strings.HasSuffix(top, "NodeResources") && top != "podAntiAffinity" || isMap
}

func hiddenField(kind, path string) bool {
	return slices.ContainsFunc(hiddenTrees[kind], func(tree string) bool {
		return path == tree || strings.HasPrefix(path, tree+".")
	})
}

// dependency is the switch that must be on before a field is shown, as path:value.
func dependency(kind, path string) string {
	prefix := ""
	if rest, global := strings.CutPrefix(path, globalPrefix); global {
		kind, path, prefix = databaseKind, rest, globalPrefix
	}
	on := dependencies[kind][path]
	if on == "" {
		return ""
	}
	return prefix + on
}

// last is the name of a field without what it is in.
func last(path string) string { return path[strings.LastIndex(path, ".")+1:] }
