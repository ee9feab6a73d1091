//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const repository = "../.."

// page is what a page tells the reader to type: the commands of each block that has a name. A block sees what the one called
// "names" defines, as in a shell that stays open.
type page struct {
	s      *suite
	file   string
	blocks map[string]string
}

var block = regexp.MustCompile("(?s)<!-- run: ([a-z]+) -->\n```bash\n(.*?)```\n")

func (s *suite) page(t *testing.T, file string) page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, file))
	must(t, err)
	p := page{s: s, file: file, blocks: map[string]string{}}
	for _, found := range block.FindAllStringSubmatch(string(text), -1) {
		p.blocks[found[1]] = found[2]
	}
	return p
}

// run types a block of the page, as it is, in the root of the repository.
func (p page) run(t *testing.T, name string) {
	t.Helper()
	must(t, p.try(t.Context(), t, name))
}

func (p page) try(ctx context.Context, t *testing.T, name string) error {
	t.Helper()
	const limit = 12 * time.Minute
	if p.blocks[name] == "" {
		return fmt.Errorf("%s has no block %q", p.file, name)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
	command := exec.CommandContext(ctx, "bash", "-eu", "-o", "pipefail", "-c", p.blocks["names"]+p.onThisCluster(name))
	command.Dir = repository
	command.WaitDelay = 10 * time.Second
	command.Env = append(os.Environ(), "PATH="+filepath.Dir(setting("KUBECTL", "kubectl"))+string(os.PathListSeparator)+os.Getenv("PATH"))
	out, err := command.CombinedOutput()
	t.Logf("%s, %q, %.0f s:\n%s", p.file, name, time.Since(began).Seconds(), out)
	if err != nil {
		return fmt.Errorf("%s: block %q: %w", p.file, name, err)
	}
	return nil
}

// onThisCluster is a block with the images that this cluster has, where they have other names.
func (p page) onThisCluster(name string) string {
	const node = "repository: quay.io/open-redis-enterprise/emulator, versionTag: 8.2.0-46.13"
	text := strings.ReplaceAll(p.blocks[name], node, fmt.Sprintf("repository: %s, versionTag: %s", p.s.node.Repository, p.s.node.Tag))
	if image := setting("IMAGE", releasedImage); image != releasedImage {
		text = strings.ReplaceAll(text, "s/my-namespace/$namespace/g;", "s/my-namespace/$namespace/g; s|"+releasedImage+"|"+image+"|;")
	}
	return text
}
