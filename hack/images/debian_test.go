package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMirrorIn(t *testing.T) {
	for name, test := range map[string]struct{ targets, want string }{
		"the main archive, not the security archive": {
			targets: "Debian Debian-Security http://mirror.example/security/\nDebian Debian http://mirror.example/debian/\n",
			want:    "http://mirror.example/debian/",
		},
		"another vendor's archive does not count": {
			targets: "Ubuntu Ubuntu http://mirror.example/ubuntu/\n",
		},
		"a source without package lists has no origin yet": {
			targets: "$(ORIGIN) $(LABEL) http://mirror.example/debian/\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mirrorIn(test.targets); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestLocate(t *testing.T) {
	root := t.TempDir()
	libraries := filepath.Join(root, "usr/lib/x86_64-linux-gnu")
	if err := os.MkdirAll(libraries, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(libraries, "libc.so.6"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"libc.so.6":                      "usr/lib/x86_64-linux-gnu/libc.so.6",
		"/lib64/ld-linux-x86-64.so.2":    "usr/lib64/ld-linux-x86-64.so.2",
		"/usr/lib/ld-linux-aarch64.so.1": "usr/lib/ld-linux-aarch64.so.1",
	} {
		if got, err := locate(root, name); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
	if got, err := locate(root, "libabsent.so.1"); err == nil {
		t.Errorf("a library that is not there was found at %q", got)
	}
}

func TestResolveStaysBelowTheRoot(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"absolute": "/file", "relative": "file", "twice": "absolute", "circle": "circle"} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, link := range []string{"file", "absolute", "relative", "twice"} {
		if got, err := resolve(root, link); err != nil || got != filepath.Join(root, "file") {
			t.Errorf("%s: got %q, %v", link, got, err)
		}
	}
	if _, err := resolve(root, "circle"); err == nil {
		t.Error("a circle of links has an end")
	}
}
