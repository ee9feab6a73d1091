// Command mappingdoc writes docs/mapping.md from the table that maps database fields to settings of the admin API.
package main

import (
	"fmt"
	"os"

	"github.com/open-redis-enterprise/operator/internal/bdb"
)

func main() {
	if err := os.WriteFile("docs/mapping.md", []byte(bdb.Mapping()), 0o644); err != nil { //nolint:gosec // a page for everybody
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
