// Package recorded holds what calls of the admin API answered on a real cluster: the names and JSON types of every
// field, not the answers themselves. Comparing an emulated node with it shows where a client would stumble.
package recorded

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

//go:embed exchanges.txt
var table string

//go:embed statuses.txt
var statusTable string

// Exchange is one GET of the recording. The cluster it was recorded from had one node, one database made with a name
// and a memory size only, and an action that was over.
type Exchange struct {
	Path   string
	Fields map[string][]string // path inside the answer → JSON types seen
}

// notShown are recorded fields that a cluster may rightly leave out.
var notShown = map[string]string{
	"/v1/users/1 certificate_subject_line": "users with a certificate only",
}

// Exchanges are all calls of the recording, in order.
func Exchanges() []Exchange {
	var all []Exchange
	for _, line := range strings.Split(table, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) != 2 || words[0] == "#":
		case words[0] == "GET":
			all = append(all, Exchange{Path: words[1], Fields: map[string][]string{}})
		default:
			all[len(all)-1].Fields[words[0]] = strings.Split(words[1], "|")
		}
	}
	return all
}

// Status is one GET of which only the status was recorded.
type Status struct {
	Path string // objects of the cluster in braces: {bdb}, {node}, {shard}, {action}, {module}, {suffix}
	Want int
}

// Statuses are all calls of which the status was recorded.
func Statuses() []Status {
	var all []Status
	for _, line := range strings.Split(statusTable, "\n") {
		status, path, found := strings.Cut(line, " ")
		if want, err := strconv.Atoi(status); found && err == nil {
			all = append(all, Status{Path: path, Want: want})
		}
	}
	return all
}

// In puts the objects of a cluster into the path.
func (s Status) In(objects map[string]string) string {
	path := s.Path
	for kind, id := range objects {
		path = strings.ReplaceAll(path, "{"+kind+"}", id)
	}
	return path
}

// Differences lists what a client of the recorded cluster would miss in an answer: fields that are absent and fields
// of another type. More fields than recorded are no difference.
func (e Exchange) Differences(answer []byte) []string {
	decoder := json.NewDecoder(bytes.NewReader(answer))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return []string{"the answer is not JSON: " + err.Error()}
	}
	have := map[string]map[string]bool{}
	collect("", v, have)
	var problems []string
	for field, types := range e.Fields {
		if notShown[e.Path+" "+field] != "" || underAbsentElement(field, have) {
			continue
		}
		if len(have[field]) == 0 {
			problems = append(problems, fmt.Sprintf("%s is missing, recorded as %v", field, types))
		}
		for t := range have[field] {
			if !allowed(t, types) {
				problems = append(problems, fmt.Sprintf("%s is %s, recorded as %v", field, t, types))
			}
		}
	}
	sort.Strings(problems)
	return problems
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

func allowed(have string, types []string) bool {
	for _, t := range types {
		// A null was recorded where that cluster had nothing to say; another may have.
		if t == have || t == "null" {
			return true
		}
	}
	return false
}

// underAbsentElement is true for fields of elements of a list that is empty in the answer.
func underAbsentElement(field string, have map[string]map[string]bool) bool {
	for i := strings.LastIndex(field, "[]"); i >= 0; i = strings.LastIndex(field[:i], "[]") {
		if len(have[field[:i+2]]) == 0 && (i == 0 || len(have[field[:i]]) > 0) {
			return true
		}
	}
	return false
}
