package schema

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTablesAreSound(t *testing.T) {
	all, err := parseTables()
	if err != nil {
		t.Fatal(err)
	}
	for name, object := range all {
		for _, f := range object.fields {
			if f.fallback == nil {
				continue
			}
			if _, err := f.check(name+"."+f.name, f.fallback); err != nil {
				t.Errorf("the default of %s.%s is refused: %v", name, f.name, err)
			}
		}
	}
	if len(all) < 60 {
		t.Errorf("only %d tables", len(all))
	}
}
