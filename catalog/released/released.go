// Package released holds the bundles of the releases before, as they were published. They never change.
package released

import "embed"

// Bundles has a folder for each release, named for its version.
//
//go:embed 1.0.0
var Bundles embed.FS
