package emulator

import (
	"context"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// Peek implements api.Store.
func (n surface) Peek(_ context.Context, kind api.Kind, id string) (api.Object, error) {
	o, _, err := store.Peek(n.reader().r, string(kind), id)
	return o, err
}
