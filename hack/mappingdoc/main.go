// Command mappingdoc writes the pages that are printed from tables: docs/mapping.md, which maps database fields to settings
// of the admin API, and docs/operator-metrics.md.
package main

import (
	"fmt"
	"os"

	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/metrics"
)

func main() {
	for path, text := range map[string]string{"docs/mapping.md": bdb.Mapping(), "docs/operator-metrics.md": metrics.Page()} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil { //nolint:gosec // a page for everybody
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
