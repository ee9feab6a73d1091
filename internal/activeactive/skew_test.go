package activeactive

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func TestAA9_WhatAnOlderOperatorDoesNotKnowIsNotRemoved(t *testing.T) {
	for _, c := range []struct{ name, spec, common, want string }{
		{"nothing unknown", `{"memorySize":"1GB"}`, `{"memorySize":"2GB"}`, `{"memorySize":"1GB"}`},
		{"a field", `{"memorySize":"1GB"}`, `{"memorySize":"2GB","future":1}`, `{"memorySize":"1GB","future":1}`},
		{"a field that is known and was removed here", `{}`, `{"memorySize":"2GB"}`, `{}`},
		{"a member of an object", `{"backup":{"interval":2}}`, `{"backup":{"interval":1,"future":{"a":1}}}`, `{"backup":{"interval":2,"future":{"a":1}}}`},
		{"an object that was removed here", `{}`, `{"backup":{"interval":1,"future":1}}`, `{}`},
		{"a list that is as it was", `{"modulesList":[{"name":"search","version":"2.10"}]}`, `{"modulesList":[{"name":"search","version":"2.10","future":1}]}`,
			`{"modulesList":[{"name":"search","version":"2.10","future":1}]}`},
		{"a list that was changed here", `{"modulesList":[{"name":"json"}]}`, `{"modulesList":[{"name":"search","future":1}]}`, `{"modulesList":[{"name":"json"}]}`},
		{"what nobody can read", `{"memorySize":"1GB"}`, `{"shardCount":"many","future":1}`, `{"memorySize":"1GB"}`},
		{"a null", `{}`, `{"future":null}`, `{}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := withUnknown(parsed(t, c.spec), parsed(t, c.common)); !reflect.DeepEqual(got, parsed(t, c.want)) {
				t.Errorf("%v", got)
			}
		})
	}
}

// newer lets a participant with a newer operator have set something.
func (s *scene) newer(future string) {
	s.t.Helper()
	configs := []*rest.BDB{s.obs.CRDB.DefaultDBConfig}
	for _, inst := range *s.obs.CRDB.Instances {
		configs = append(configs, inst.DBConfig)
	}
	for _, config := range configs {
		for i, tag := range *config.Tags {
			if tag.Key == bdb.TagGlobalSpec {
				common := parsed(s.t, tag.Value)
				common["future"] = future
				raw, err := json.Marshal(common)
				if err != nil {
					s.t.Fatal(err)
				}
				(*config.Tags)[i].Value = string(raw)
			}
		}
	}
}

func TestAA9_AnOlderOperatorBesideANewerOne(t *testing.T) {
	s := newScene(t).made()
	s.newer("yes")
	if p := s.plan(); p.End != nil || len(p.Steps) > 0 {
		t.Fatalf("at rest: %v %v", p.Steps, p.End)
	}
	s.in.Database.Spec.GlobalConfigurations.MemorySize = "200MB"
	sent := tagsOf(s.asks().body.DefaultDBConfig)[bdb.TagGlobalSpec]
	if !strings.Contains(sent, `"future":"yes"`) || !strings.Contains(sent, "200MB") {
		t.Errorf("sent %s", sent)
	}
	t.Run("after its upgrade it takes it in", func(t *testing.T) {
		terms, err := negotiate(s.in, s.obs.CRDB)
		if err != nil {
			t.Fatal(err)
		}
		text, err := textOf(desired(s.in, s.obs.CRDB, terms.Merged.Sites).agreement(terms.Server))
		if err != nil || strings.Contains(text, "future") {
			t.Errorf("%s %v", text, err)
		}
	})
}

func TestAA9_RemovalsOnSeveralSidesLeaveEnough(t *testing.T) {
	s := newScene(t, among("here", "there", "third")).made()
	among("here", "there")(s.in.Database) // while another one took there out
	*s.obs.CRDB.Instances = slices.DeleteFunc(*s.obs.CRDB.Instances, func(i rest.CRDBInstance) bool { return strings.Contains(i.ClusterName(), ".there.") })
	p := s.plan()
	if len(p.Steps) != 1 {
		t.Fatalf("%v %v", p.Steps, p.End)
	}
	taken, is := p.Steps[0].(adopt)
	if !is || len(taken.spec.ParticipatingClusters) != 2 || taken.spec.ParticipatingClusters[1].Name != "third" || !slices.Contains(taken.conflicts, "sites") {
		t.Errorf("%+v", p.Steps[0])
	}
	t.Run("the last one may take another in again", func(t *testing.T) {
		s := newScene(t).made()
		*s.obs.CRDB.Instances = (*s.obs.CRDB.Instances)[:1]
		if ask := s.asks(); ask.op != opAdd {
			t.Errorf("%s", ask)
		}
	})
}
