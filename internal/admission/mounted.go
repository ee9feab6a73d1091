package admission

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// MountedDirectory is where the Operator Lifecycle Manager puts a serving certificate into the pod when it made the
// webhook configuration itself.
const MountedDirectory = "/tmp/k8s-webhook-server/serving-certs"

// mounted is the pair in a directory. Absent is not an error: then nobody provides one.
func mounted(directory string) (pair, bool, error) {
	if directory == "" {
		return pair{}, false, nil
	}
	certificate, err := os.ReadFile(filepath.Join(directory, "tls.crt"))
	if errors.Is(err, fs.ErrNotExist) {
		return pair{}, false, nil
	}
	if err != nil {
		return pair{}, false, err
	}
	key, err := os.ReadFile(filepath.Join(directory, "tls.key"))
	return pair{certificate: certificate, key: key}, err == nil, err
}

// keepMounted serves a mounted pair as it is: whoever mounted it chose its names, renews it, and keeps the bundle of the
// webhook configuration. It reports whether there is one.
func (k *Keeper) keepMounted() (bool, error) {
	p, there, err := mounted(k.Directory)
	if !there || err != nil {
		return there || err != nil, err
	}
	loaded, err := p.read(k.Now())
	if err != nil {
		return true, fmt.Errorf("load the certificate in %s: %w", k.Directory, err)
	}
	k.loaded.Store(&loaded)
	return true, nil
}
