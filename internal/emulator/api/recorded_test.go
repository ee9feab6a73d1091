package api_test

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"testing"
)

//go:embed testdata/recorded.txt
var recorded string

// notShown are recorded fields that an answer of the emulator rightly lacks.
var notShown = map[string]string{
	"/v1/users/1 certificate_subject_line": "shown for certificate users only",
}

// exchanges are the calls of the recording, with the types of every field.
func exchanges() map[string]map[string][]string {
	calls := map[string]map[string][]string{}
	var current map[string][]string
	for _, line := range strings.Split(recorded, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) != 2 || words[0] == "#":
		case words[0] == "GET":
			current = map[string][]string{}
			calls[words[1]] = current
		default:
			current[words[0]] = strings.Split(words[1], "|")
		}
	}
	return calls
}

// TestRecordedExchanges asks the surface what a real cluster was asked and compares every field and its JSON type.
func TestRecordedExchanges(t *testing.T) {
	b := newBench(t, 1)
	b.post("/v1/bdbs", `{"name":"recorded","memory_size":1073741824}`).is(200, "")
	b.post("/v1/nodes/1/actions/maintenance_on", "").is(200, "")
	compared := 0
	for path, fields := range exchanges() {
		t.Run(path, func(t *testing.T) {
			r := b.get(path)
			r.is(200, "")
			decoder := json.NewDecoder(bytes.NewReader(r.body))
			decoder.UseNumber()
			var answer any
			if err := decoder.Decode(&answer); err != nil {
				t.Fatal(err)
			}
			ours := map[string]map[string]bool{}
			collect("", answer, ours)
			compared += len(fields)
			for _, problem := range differences(path, fields, ours) {
				t.Error(problem)
			}
		})
	}
	if compared < 500 {
		t.Errorf("only %d recorded fields were compared", compared)
	}
}

func collect(path string, v any, into map[string]map[string]bool) {
	if path != "" {
		if into[path] == nil {
			into[path] = map[string]bool{}
		}
		into[path][typeOf(v)] = true
	}
	switch t := v.(type) {
	case map[string]any:
		for k, e := range t {
			collect(strings.TrimPrefix(path+"."+k, "."), e, into)
		}
	case []any:
		for _, e := range t {
			collect(path+"[]", e, into)
		}
	}
}

func typeOf(v any) string {
	switch t := v.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case string:
		return "text"
	case []any:
		return "list"
	case json.Number:
		if strings.Contains(t.String(), ".") {
			return "float"
		}
		return "int"
	}
	return "object"
}

func differences(path string, want map[string][]string, got map[string]map[string]bool) []string {
	var problems []string
	for field, types := range want {
		if notShown[path+" "+field] != "" || underAbsentElement(field, got) {
			continue
		}
		have := got[field]
		if len(have) == 0 {
			problems = append(problems, fmt.Sprintf("%s is missing, recorded as %v", field, types))
			continue
		}
		for h := range have {
			if !allowed(h, types) {
				problems = append(problems, fmt.Sprintf("%s is %s, recorded as %v", field, h, types))
			}
		}
	}
	sort.Strings(problems)
	return problems
}

func allowed(have string, types []string) bool {
	for _, t := range types {
		// A null was recorded where that cluster had nothing to say; another may have.
		if t == have || t == "null" {
			return true
		}
	}
	return false
}

// underAbsentElement is true for fields of elements of a list that is empty in our answer.
func underAbsentElement(field string, got map[string]map[string]bool) bool {
	for i := strings.LastIndex(field, "[]"); i >= 0; i = strings.LastIndex(field[:i], "[]") {
		if len(got[field[:i+2]]) == 0 && (i == 0 || len(got[field[:i]]) > 0) {
			return true
		}
	}
	return false
}
