//go:build e2eolm

package e2eolm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// The host's end of the local cluster's network; nodes reach it, and nothing outside of this machine does.
const (
	registryHost    = "10.90.0.1"
	registryAddress = registryHost + ":5443"
	// nodeCertificates is where the node sees the folder that tells containerd about registries.
	nodeCertificates = "/run/localkube/state/etc/certs.d"
)

// images is a registry of our own, behind TLS, that the node takes for every registry there is.
type images struct {
	handler http.Handler
	// trusted is a file with the machine's certificate authorities and ours, for command line tools.
	trusted string
}

// serveImages starts the registry, and tells containerd on the node of it. Both end with the test.
func serveImages(t *testing.T, root string) *images {
	t.Helper()
	certificate, authority := newCertificate(t)
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithBlobHandler(registry.NewDiskBlobHandler(t.TempDir())))
	listener, err := net.Listen("tcp", registryAddress)
	must(t, err)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}}
	served := make(chan error, 1)
	go func() { served <- server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	i := &images{handler: handler, trusted: filepath.Join(t.TempDir(), "trusted.crt")}
	system, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if err != nil {
		t.Log("this machine has no list of certificate authorities; ours is the only one")
	}
	must(t, os.WriteFile(i.trusted, append(system, authority...), 0o600))
	i.mirror(t, filepath.Join(root, ".local", "etc", "certs.d"), authority)
	return i
}

// mirror has containerd ask us whatever registry an image names, so that manifests keep their names.
func (i *images) mirror(t *testing.T, folder string, authority []byte) {
	t.Helper()
	hosts := fmt.Sprintf("server = \"https://%[1]s\"\n\n[host.\"https://%[1]s\"]\n  capabilities = [\"pull\", \"resolve\"]\n  ca = \"%[2]s/ca.crt\"\n",
		registryAddress, nodeCertificates)
	must(t, os.MkdirAll(filepath.Join(folder, "_default"), 0o750))
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Join(folder, "_default")) })
	must(t, os.WriteFile(filepath.Join(folder, "ca.crt"), authority, 0o600))
	must(t, os.WriteFile(filepath.Join(folder, "_default", "hosts.toml"), []byte(hosts), 0o600))
}

// load pushes an image archive under its own name and returns the digest.
func (i *images) load(t *testing.T, archive string) v1.Hash {
	t.Helper()
	manifest, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(archive) })
	must(t, err)
	tag, err := name.NewTag(manifest[0].RepoTags[0])
	must(t, err)
	image, err := tarball.ImageFromPath(archive, &tag)
	must(t, err)
	return i.push(t, tag.RepositoryStr(), tag.TagStr(), image)
}

// push stores an image; what is at quay.io/a/b:c for the node is a/b:c here.
func (i *images) push(t *testing.T, repository, tag string, image v1.Image) v1.Hash {
	t.Helper()
	layers, err := image.Layers()
	must(t, err)
	for _, layer := range layers {
		digest, err := layer.Digest()
		must(t, err)
		content, err := layer.Compressed()
		must(t, err)
		i.send(t, http.MethodPost, "/v2/"+repository+"/blobs/uploads/?digest="+digest.String(), "application/octet-stream", content)
	}
	config, err := image.ConfigName()
	must(t, err)
	text, err := image.RawConfigFile()
	must(t, err)
	i.send(t, http.MethodPost, "/v2/"+repository+"/blobs/uploads/?digest="+config.String(), "application/octet-stream", bytesOf(text))
	media, err := image.MediaType()
	must(t, err)
	manifest, err := image.RawManifest()
	must(t, err)
	i.send(t, http.MethodPut, "/v2/"+repository+"/manifests/"+tag, string(media), bytesOf(manifest))
	digest, err := image.Digest()
	must(t, err)
	return digest
}

func (i *images) send(t *testing.T, method, path, media string, body io.ReadCloser) {
	t.Helper()
	defer func() { _ = body.Close() }()
	request := httptest.NewRequestWithContext(t.Context(), method, path, body)
	request.Header.Set("Content-Type", media)
	answer := httptest.NewRecorder()
	i.handler.ServeHTTP(answer, request)
	if answer.Code != http.StatusCreated {
		t.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
	}
}

// newCertificate is a certificate for the registry, and the authority that signed it, which is thrown away.
func newCertificate(t *testing.T) (tls.Certificate, []byte) {
	t.Helper()
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	authority := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "e2e-olm"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	signed, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	must(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: registryHost}, NotBefore: authority.NotBefore,
		NotAfter: authority.NotAfter, IPAddresses: []net.IP{net.ParseIP(registryHost)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	own, err := x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), authorityKey)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{own}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})
}
