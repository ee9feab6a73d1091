package static

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// What a bundle may weigh. OLM carries all of it in one ConfigMap, which holds 1 MiB.
const (
	mostPacked  = 1 << 20 * 6 / 10
	mostCSV     = 1 << 19
	mostObjects = 60
)

// Budget checks that the bundle fits in what it travels in, with room to grow.
func Budget(t report.T, v Bundle) {
	t.Helper()
	packed, err := packedSize(v.Folder)
	if err != nil {
		t.Fatal(err)
	}
	csv, err := json.Marshal(v.CSV)
	if err != nil {
		t.Fatal(err)
	}
	if packed > mostPacked || len(csv) > mostCSV || len(v.Objects) > mostObjects {
		t.Errorf("%d bytes packed, a CSV of %d bytes, %d objects; at most %d, %d and %d", packed, len(csv), len(v.Objects), mostPacked, mostCSV, mostObjects)
	}
	t.Logf("%d bytes packed, a CSV of %d bytes, %d objects", packed, len(csv), len(v.Objects))
}

func packedSize(folder string) (int, error) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zip)
	if err := archive.AddFS(os.DirFS(folder)); err != nil {
		return 0, err
	}
	err := errors.Join(archive.Close(), zip.Close())
	return packed.Len(), err
}
