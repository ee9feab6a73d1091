package check

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"
)

// TestCertificationBudget keeps the bundle inside the ConfigMap that it travels in.
func TestCertificationBudget(t *testing.T) {
	const limit = 1 << 20 * 6 / 10
	every(t, func(t *testing.T, v variant) {
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		archive := tar.NewWriter(zip)
		err := filepath.WalkDir(v.folder, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if err := archive.WriteHeader(&tar.Header{Name: path, Mode: 0o644, Size: int64(len(content))}); err != nil {
				return err
			}
			_, err = archive.Write(content)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := archive.Close(); err != nil {
			t.Fatal(err)
		}
		if err := zip.Close(); err != nil {
			t.Fatal(err)
		}
		if packed.Len() > limit {
			t.Errorf("%d bytes packed", packed.Len())
		}
		t.Logf("%d bytes packed", packed.Len())
	})
}
