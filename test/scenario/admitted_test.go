package scenario

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestWritesWaitForTheAdmissionServer(t *testing.T) {
	away := errors.New(`Internal error occurred: failed calling webhook "redisenterprise.admission.redislabs": no endpoints available for service "admission"`)
	refused := errors.New(`admission webhook "redisenterprise.admission.redislabs" denied the request: spec.nodes: must be odd`)
	for _, c := range []struct {
		name    string
		answers []error
		want    error
	}{
		{"it is there", []error{nil}, nil},
		{"it comes back", []error{away, nil}, nil},
		{"it comes back and refuses", []error{away, refused}, refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			var said strings.Builder
			asked := 0
			err := (&Cluster{Out: &said}).admitted(t.Context(), "rec/rec", func() error {
				asked++
				return c.answers[asked-1]
			})
			if !errors.Is(err, c.want) || asked != len(c.answers) {
				t.Errorf("asked %d times: %v", asked, err)
			}
			if waited := len(c.answers) > 1; waited != strings.Contains(said.String(), "no endpoints") {
				t.Errorf("it said %q", said.String())
			}
		})
	}
	t.Run("whoever gives up is told what it waited for", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := (&Cluster{Out: &strings.Builder{}}).admitted(ctx, "rec/rec", func() error {
			cancel()
			return away
		})
		if !errors.Is(err, away) {
			t.Error(err)
		}
	})
}
