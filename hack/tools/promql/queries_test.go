package promql

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

const root = "../../.."

// choices stand for the variables of Grafana.
var choices = strings.NewReplacer("$__rate_interval", "1m", "$cluster", ".*", "$node", ".*", "$db", ".*", "$namespace", ".*")

// successors are documented as what replaces a metric of version 1, although the list of version 2 lacks them.
var successors = []string{"db_memory_limit_bytes"}

// suffixes are the series of a histogram.
var suffixes = regexp.MustCompile(`_(bucket|sum|count)$`)

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// known are the documented metrics of a cluster and those of the operator.
func known(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for line := range strings.Lines(read(t, "internal/emulator/metrics/testdata/names.txt")) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "v2" {
			names[f[1]] = true
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(read(t, "docs/operator-metrics.md"), -1) {
		names[m[1]] = true
	}
	for _, name := range successors {
		names[name] = true
	}
	if len(names) < 200 {
		t.Fatalf("only %d names are known", len(names))
	}
	return names
}

type dashboard struct {
	Title  string
	Panels []struct {
		Title   string
		Targets []struct{ Expr string }
	}
	Templating struct {
		List []struct {
			Name  string
			Query any
		}
	}
}

func dashboards(t *testing.T) []dashboard {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "config/grafana/*.json"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%v %v", files, err)
	}
	var all []dashboard
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(raw, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, d)
	}
	return all
}

// problems says what is wrong with an expression.
func problems(expression string, names map[string]bool) []string {
	parsed, err := parser.ParseExpr(choices.Replace(expression))
	if err != nil {
		return []string{err.Error()}
	}
	var list []string
	selectors := 0
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if v, ok := node.(*parser.VectorSelector); ok {
			selectors++
			if !names[v.Name] && !names[suffixes.ReplaceAllString(v.Name, "")] {
				list = append(list, v.Name+" is no known metric")
			}
		}
		return nil
	})
	if selectors == 0 {
		list = append(list, "asks for no metric")
	}
	return list
}

func TestEveryQueryParsesAndAsksForKnownMetrics(t *testing.T) {
	names := known(t)
	queries := 0
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				queries++
				for _, problem := range problems(q.Expr, names) {
					t.Errorf("%s / %s: %s\n%s", d.Title, p.Title, problem, q.Expr)
				}
			}
		}
	}
	if queries < 100 {
		t.Errorf("only %d queries", queries)
	}
	for _, bad := range []string{"sum(", "bdb_conns", "vector(0)", "has_quorum{"} {
		if len(problems(bad, names)) == 0 {
			t.Errorf("nothing is found wrong with %q", bad)
		}
	}
}

// values of a variable: label_values(selector, label) or query_result(expression).
var (
	labelValues = regexp.MustCompile(`^label_values\((.+), \w+\)$`)
	queryResult = regexp.MustCompile(`^query_result\((.+)\)$`)
)

func TestEveryVariableAsksForKnownMetrics(t *testing.T) {
	names := known(t)
	checked := 0
	for _, d := range dashboards(t) {
		for _, v := range d.Templating.List {
			o, ok := v.Query.(map[string]any)
			if !ok {
				continue // the data source itself
			}
			text, _ := o["query"].(string)
			inner := labelValues.FindStringSubmatch(text)
			if inner == nil {
				inner = queryResult.FindStringSubmatch(text)
			}
			if inner == nil {
				t.Errorf("%s: $%s asks %q", d.Title, v.Name, text)
				continue
			}
			checked++
			for _, problem := range problems(inner[1], names) {
				t.Errorf("%s: $%s: %s", d.Title, v.Name, problem)
			}
		}
	}
	if checked < 8 {
		t.Errorf("only %d variables", checked)
	}
}
