package bdb

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
)

// specPaths lists the fields of a struct by their JSON names; structs are entered where the table knows their members.
func specPaths(t reflect.Type, prefix string) []string {
	var paths []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		path := prefix + name
		member := t.Field(i).Type
		if member.Kind() == reflect.Pointer {
			member = member.Elem()
		}
		if member.Kind() == reflect.Struct && !exempted(path) && !mapped(path) {
			paths = append(paths, specPaths(member, path+".")...)
			continue
		}
		paths = append(paths, path)
	}
	return paths
}

func exempted(path string) bool {
	return slices.ContainsFunc(notSent, func(e exempt) bool { return e.path == path }) ||
		slices.ContainsFunc(notYet, func(e struct {
			exempt
			set func(*v1alpha1.RedisEnterpriseDatabaseSpec) bool
		}) bool {
			return e.path == path
		})
}

func mapped(path string) bool {
	return slices.ContainsFunc(fields, func(f field) bool { return f.path == path })
}

func TestEverySpecFieldIsAccountedFor(t *testing.T) {
	paths := specPaths(reflect.TypeFor[v1alpha1.RedisEnterpriseDatabaseSpec](), "")
	if len(paths) < 35 {
		t.Fatalf("only %d fields were found, so the search is broken", len(paths))
	}
	for _, p := range paths {
		if mapped(p) == exempted(p) {
			t.Errorf("spec.%s must be either in the table or on exactly one list of fields that are not", p)
		}
	}
	for _, f := range fields {
		parent, _, _ := strings.Cut(f.path, ".")
		if !slices.Contains(paths, f.path) && !mapped(parent) {
			t.Errorf("the table knows spec.%s, the spec does not", f.path)
		}
	}
	for _, e := range notSent {
		if !slices.Contains(paths, e.path) || e.reason == "" {
			t.Errorf("spec.%s is exempted and does not exist, or without a reason", e.path)
		}
	}
	for _, e := range notYet {
		if !slices.Contains(paths, e.path) || e.reason == "" {
			t.Errorf("spec.%s is exempted and does not exist, or without a reason", e.path)
		}
	}
}

func TestEverySettingHasOneOwner(t *testing.T) {
	owners := map[string]string{}
	for _, f := range fields {
		if other, taken := owners[f.wire]; taken {
			t.Errorf("%s belongs to spec.%s and to spec.%s", f.wire, other, f.path)
		}
		owners[f.wire] = f.path
		for _, c := range f.codes {
			if other, taken := owners["code "+c]; taken {
				t.Errorf("the code %s speaks of %s and of %s", c, other, f.wire)
			}
			owners["code "+c] = f.wire
		}
	}
}

func TestUnsupportedNamesWhatIsSet(t *testing.T) {
	if got := Unsupported(&v1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "1GB"}); len(got) != 0 {
		t.Fatalf("%v is supported", got)
	}
	full := fullSpec(t)
	got := Unsupported(full)
	var want []string
	for _, e := range notYet {
		want = append(want, "spec."+e.path)
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

// fullSpec sets every field to something.
func fullSpec(t *testing.T) *v1alpha1.RedisEnterpriseDatabaseSpec {
	t.Helper()
	spec := new(v1alpha1.RedisEnterpriseDatabaseSpec)
	v := reflect.ValueOf(spec).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
		case reflect.String:
			f.SetString("x")
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		case reflect.Map:
			f.Set(reflect.MakeMap(f.Type()))
		default:
			t.Fatalf("no value for %s", v.Type().Field(i).Name)
		}
	}
	return spec
}

func TestMappingPageIsCurrent(t *testing.T) {
	page, err := os.ReadFile("../../docs/mapping.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != Mapping() {
		t.Fatal("docs/mapping.md is out of date; run: go run ./hack/mappingdoc")
	}
}
