package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheFilesAreCurrent(t *testing.T) {
	dir := t.TempDir()
	if err := generate(dir); err != nil {
		t.Fatal(err)
	}
	fresh, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := filepath.Glob("../../config/grafana/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(fresh) != len(kept) || len(fresh) != len(All()) {
		t.Errorf("%d files are generated, %d are kept", len(fresh), len(kept))
	}
	for _, path := range fresh {
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		have, err := os.ReadFile(filepath.Join("../../config/grafana", filepath.Base(path)))
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != string(have) {
			t.Errorf("config/grafana/%s is not current; run make generate", filepath.Base(path))
		}
	}
}

// written is what the lint looks at, as Grafana would read it.
type asRead struct {
	UID, Title, Description string
	Panels                  []struct {
		ID                       int
		Type, Title, Description string
		GridPos                  place
		FieldConfig              struct{ Defaults struct{ Unit string } }
		Targets                  []struct {
			RefID, Expr, LegendFormat string
			Datasource                struct{ UID string }
		}
	}
	Templating struct {
		List []struct{ Name, Type string }
	}
}

func TestLint(t *testing.T) {
	uids := map[string]bool{}
	for _, d := range All() {
		raw, err := grafana(d)
		if err != nil {
			t.Fatal(err)
		}
		var got asRead
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatalf("%s: %v", d.Name, err)
		}
		for _, problem := range lint(got) {
			t.Errorf("%s: %s", d.Name, problem)
		}
		if uids[got.UID] {
			t.Errorf("%s: uid %s is taken", d.Name, got.UID)
		}
		uids[got.UID] = true
	}
	broken := asRead{UID: strings.Repeat("x", 41)}
	if err := json.Unmarshal([]byte(`{"panels":[{"id":1,"type":"stat","gridPos":{"x":0,"y":0,"w":30,"h":2},"targets":[{"expr":"x{cluster=\"$nobody\"}"}]},{"id":1,"type":"stat","gridPos":{"x":1,"y":1,"w":2,"h":2}}]}`), &broken); err != nil {
		t.Fatal(err)
	}
	if n := len(lint(broken)); n < 12 {
		t.Errorf("the lint finds only %d problems in a broken dashboard: %v", n, lint(broken))
	}
}

var variableUse = regexp.MustCompile(`\$([a-z_]\w*)`)

func lint(d asRead) []string {
	var problems []string
	say := func(wrong bool, what string) {
		if wrong {
			problems = append(problems, what)
		}
	}
	say(d.UID == "" || len(d.UID) > 40, "the uid has 1 to 40 characters")
	say(d.Title == "" || d.Description == "", "title or description is missing")
	known := map[string]bool{"__rate_interval": true}
	for _, v := range d.Templating.List {
		known[v.Name] = true
	}
	say(!known["datasource"], "there is no variable datasource")
	ids, filled := map[int]bool{}, map[[2]int]bool{}
	for _, p := range d.Panels {
		say(ids[p.ID], "two panels have the same id: "+p.Title)
		ids[p.ID] = true
		say(p.GridPos.X+p.GridPos.W > pageWidth, "does not fit on the page: "+p.Title)
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				say(filled[[2]int{x, y}], "lies on another panel: "+p.Title)
				filled[[2]int{x, y}] = true
			}
		}
		say(p.Title == "", "a panel has no title")
		if p.Type == "row" {
			continue
		}
		say(p.Description == "", "no description: "+p.Title)
		say(p.FieldConfig.Defaults.Unit == "", "no unit: "+p.Title)
		say(len(p.Targets) == 0, "no query: "+p.Title)
		refs := map[string]bool{}
		for _, q := range p.Targets {
			say(q.RefID == "" || refs[q.RefID], "queries need names of their own: "+p.Title)
			refs[q.RefID] = true
			say(q.LegendFormat == "", "no legend: "+p.Title)
			say(q.Datasource.UID != "${datasource}", "the data source cannot be chosen: "+p.Title)
			for _, use := range variableUse.FindAllStringSubmatch(q.Expr, -1) {
				say(!known[use[1]], "unknown variable $"+use[1]+": "+p.Title)
			}
		}
	}
	return problems
}
