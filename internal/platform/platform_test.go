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

func TestNew(t *testing.T) {
	p, err := New("mirror:5000/redis@sha256:ab", "operator:1", "")
	if err != nil || p.Node.Tag != DefaultNodeTag || p.Node.Digest != "sha256:ab" || p.Rigger != p.Bootstrapper || p.Rigger.Tag != "1" {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := New("", "", ""); err != nil || p.Node.String() != DefaultNodeImage || p.Rigger.String() != DefaultOperator {
		t.Errorf("nothing given: %+v, %v", p, err)
	}
	if _, err := New("", "/", ""); err == nil {
		t.Error("a broken image was accepted")
	}
}
