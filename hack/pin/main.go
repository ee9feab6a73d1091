// Command pin computes the digest under which the operator's image of all architectures is published, from the archives
// of the single ones, and writes it into config/manifests/release.yaml. hack/bundle/pin.sh calls it.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"sort"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func main() {
	release := flag.String("release", "config/manifests/release.yaml", "file to write the digest to; empty only prints it")
	flag.Parse()
	if err := run(*release, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "pin:", err)
		os.Exit(1)
	}
}

func run(release string, archives []string) error {
	digest, err := digestOf(archives)
	if err != nil {
		return err
	}
	fmt.Println(digest)
	if release == "" {
		return nil
	}
	return write(release, digest)
}

// digestOf is the digest of the index over the images, ordered by architecture.
func digestOf(archives []string) (v1.Hash, error) {
	type single struct {
		arch  string
		image v1.Image
	}
	var all []single
	for _, path := range archives {
		image, err := tarball.ImageFromPath(path, nil)
		if err != nil {
			return v1.Hash{}, fmt.Errorf("%s: %w", path, err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			return v1.Hash{}, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, single{config.Architecture, image})
	}
	if len(all) == 0 {
		return v1.Hash{}, fmt.Errorf("no archive was given")
	}
	sort.Slice(all, func(i, j int) bool { return all[i].arch < all[j].arch })
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, s := range all {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: s.image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: s.arch}},
		})
	}
	return index.Digest()
}

var operatorLine = regexp.MustCompile(`(?m)^(  operator: [^@\n]+@)sha256:[0-9a-f]{64}$`)

func write(path string, digest v1.Hash) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !operatorLine.Match(raw) {
		return fmt.Errorf("%s names no operator image by digest", path)
	}
	return os.WriteFile(path, operatorLine.ReplaceAll(raw, []byte("${1}"+digest.String())), 0o644) //nolint:gosec // part of the source tree
}
