package platform

import "testing"

func TestINST27_ParseImage(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Image
	}{
		{"redislabs/redis:8.2.0-46.13", Image{Repository: "redislabs/redis", Tag: "8.2.0-46.13"}},
		{"registry:5000/redis", Image{Repository: "registry:5000/redis"}},
		{"registry:5000/redis:8", Image{Repository: "registry:5000/redis", Tag: "8"}},
		{"r/redis@sha256:ab", Image{Repository: "r/redis", Digest: "sha256:ab"}},
		{"r:5000/redis:8@sha256:ab", Image{Repository: "r:5000/redis", Tag: "8", Digest: "sha256:ab"}},
	} {
		got, err := ParseImage(c.in)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", c.in, got, err)
		}
		if got.String() != c.in {
			t.Errorf("%s prints as %s", c.in, got)
		}
	}
	for _, bad := range []string{"", ":tag", "registry/"} {
		if _, err := ParseImage(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestFromEnv(t *testing.T) {
	env := map[string]string{EnvNodeImage: "mirror:5000/redis@sha256:ab", EnvOpenShift: "true"}
	get := func(key string) string { return env[key] }
	p, err := FromEnv(get, "operator:1")
	if err != nil || !p.OpenShift || p.Node.Tag != DefaultNodeTag || p.Rigger.Tag != "1" || p.Bootstrapper.Repository != "operator" {
		t.Errorf("%+v, %v", p, err)
	}
	env[EnvNodeVersion] = "8.0.2-17.9"
	if p, _ := FromEnv(get, "operator:1"); p.Node.Tag != "8.0.2-17.9" || p.Node.Digest != "sha256:ab" {
		t.Errorf("the version of a digest comes from %s: %+v", EnvNodeVersion, p.Node)
	}
	env[EnvRiggerImage] = "/"
	if _, err := FromEnv(get, "operator:1"); err == nil {
		t.Error("a broken image was accepted")
	}
}
