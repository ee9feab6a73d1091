package main

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Nothing leaves the cluster unless it has passed through here. Three nets hang below each other: values of Secrets are
// replaced in the Secrets, fields whose name tells that they are secret are replaced wherever they are, and what the Secrets
// held is looked for in every line of all files.

const removed = "REDACTED"

// secretWord is in the names of variables, keys and fields that hold what is secret.
var secretWord = regexp.MustCompile(`(?i)(passw|token|secret|credential|private|apikey|api_key|access_?key|authorization|license|licence)`)

// innocent are names with such a word that hold names, sizes or times.
var innocent = regexp.MustCompile(`(?i)(secretname|secretref|secretkeyref|secret_?names?|secrettype|secretrole|secretkey$|tokenexpir|automountserviceaccounttoken|serviceaccounttoken|licensestat|licensesecret|passwordissuedate|passwordmode|secrets$)`)

// public are keys of Secrets whose values stand elsewhere too and help to understand.
var public = []string{"username", "port", "service_name", "service_names", "oss_startup_nodes", "database_id", "ca.crt", "tls.crt", "cert", "certificate", "namespace", "name", "bind_dn", "dn"}

// shortest is the length of a value that is looked for in texts; a shorter one is in every second word.
const shortest = 4

var (
	privateKey = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----`)
	userinfo   = regexp.MustCompile(`([a-z][a-z0-9+.-]*://)[^/\s:@"']*:[^/\s@"']+@`)
	bearer     = regexp.MustCompile(`(?i)\b(bearer|basic) [A-Za-z0-9+/._~-]{16,}=*`)
	assigned   = regexp.MustCompile(`(?i)("?[a-z_-]*(?:passw(?:or)?d|token|secret_?key|access_?key|api_?key)"?\s*[:=]\s*)("[^"]*"|[^\s",}]+)`)
)

// redactor remembers what must not get out.
type redactor struct {
	values []string
	search *strings.Replacer
}

// learn notes the values of a Secret before they are removed.
func (r *redactor) learn(secret *unstructured.Unstructured) {
	data, _, _ := unstructured.NestedMap(secret.Object, "data")
	for key, encoded := range data {
		text, _ := encoded.(string)
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || slices.Contains(public, key) {
			continue
		}
		value := strings.TrimSpace(string(raw))
		for _, form := range []string{value, base64.StdEncoding.EncodeToString([]byte(value)), text, url.QueryEscape(value)} {
			if len(form) >= shortest && form != "true" && form != "false" {
				r.values = append(r.values, form)
			}
		}
		for line := range strings.Lines(value) { // a log breaks what has several lines
			if line = strings.TrimSpace(line); strings.Contains(value, "\n") && len(line) >= 16 && !strings.HasPrefix(line, "-----") {
				r.values = append(r.values, line)
			}
		}
	}
	r.search = nil
}

// text removes from a text what is known to be secret and what looks like it.
func (r *redactor) text(s string) string {
	if r.search == nil {
		// The longest first, or a short value would leave the rest of a longer one.
		slices.SortFunc(r.values, func(a, b string) int { return len(b) - len(a) })
		r.values = slices.Compact(r.values)
		var pairs []string
		for _, v := range r.values {
			pairs = append(pairs, v, removed)
		}
		r.search = strings.NewReplacer(pairs...)
	}
	s = privateKey.ReplaceAllString(s, removed)
	s = userinfo.ReplaceAllString(s, "${1}"+removed+"@")
	s = bearer.ReplaceAllString(s, "${1} "+removed)
	return r.search.Replace(s)
}

// line removes from a line of a log what is said to be secret as well.
func (r *redactor) line(s string) string {
	return r.text(assigned.ReplaceAllString(s, "${1}"+removed))
}

// object makes a copy that may be shown.
func (r *redactor) object(o *unstructured.Unstructured) *unstructured.Unstructured {
	out := o.DeepCopy()
	out.SetManagedFields(nil)
	annotations := out.GetAnnotations()
	delete(annotations, "kubectl.kubernetes.io/last-applied-configuration") // a copy from before anything was removed
	out.SetAnnotations(annotations)
	switch out.GetKind() {
	case "Secret":
		hideData(out)
	case "ConfigMap":
		r.walkData(out)
	}
	for key, value := range out.Object {
		if key != "metadata" && key != "data" {
			out.Object[key] = r.value(key, value)
		}
	}
	return out
}

// hideData replaces the values of a Secret by their sizes.
func hideData(o *unstructured.Unstructured) {
	for _, field := range []string{"data", "stringData"} {
		data, there, _ := unstructured.NestedMap(o.Object, field)
		if !there {
			continue
		}
		for key, value := range data {
			text, _ := value.(string)
			size := len(text)
			if raw, err := base64.StdEncoding.DecodeString(text); err == nil && field == "data" {
				size = len(raw)
			}
			data[key] = fmt.Sprintf("%s (%s bytes)", removed, strconv.Itoa(size))
		}
		o.Object[field] = data
	}
}

func (r *redactor) walkData(o *unstructured.Unstructured) {
	delete(o.Object, "binaryData")
	data, there, _ := unstructured.NestedMap(o.Object, "data")
	if !there {
		return
	}
	for key, value := range data {
		data[key] = r.value(key, value)
	}
	o.Object["data"] = data
}

// value goes through a value below a name.
func (r *redactor) value(name string, value any) any {
	switch v := value.(type) {
	case string:
		if secretWord.MatchString(name) && !innocent.MatchString(name) && v != "" {
			return removed
		}
		return v // the file as a whole is searched when it is written
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = r.value(name, e)
		}
		return out
	case map[string]any:
		return r.fields(v)
	}
	return value
}

// fields goes through a map. A variable of a container has its name in one field and its value in another.
func (r *redactor) fields(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for key, value := range m {
		out[key] = r.value(key, value)
	}
	name, _ := m["name"].(string)
	if _, isText := m["value"].(string); isText && secretWord.MatchString(name) {
		out["value"] = removed
	}
	return out
}
