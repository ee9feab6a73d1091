package remotecluster

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/names"
)

func printOf(t *testing.T, certificate []byte) string {
	t.Helper()
	block, _ := pem.Decode(certificate)
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return fingerprint(parsed)
}

func TestRERC5_Look(t *testing.T) {
	own, ca := valid(t, farCluster)
	_, other := valid(t, farCluster)
	outside, outsideCA := valid(t, farHost)
	router, routerCA := valid(t, "router.example.com")
	old, oldCA := certificate(t, farCluster, time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour))
	unpinned := func(t *Target) { t.CA = nil }
	pinned := func(fingerprint string) func(*Target) {
		return func(t *Target) { t.CA, t.Pin = nil, digest(fingerprint) }
	}
	for _, c := range []struct {
		name    string
		far     *far
		but     func(*far)
		target  func(*Target)
		finding Finding
		says    string
		shown   bool // the credentials
	}{
		{"the CA in the Secret vouches for the cluster's own name", newFar(t, own, ca), nil, nil, Reached, "", true},
		{"the CA in the Secret vouches for the name outside", newFar(t, outside, outsideCA), nil, nil, Reached, "", true},
		{"a certificate that the CA does not vouch for", newFar(t, own, other), nil, nil, Foreign, names.CAKey + " of Secret redis-enterprise-far does not vouch for", false},
		{"a certificate of the right CA for another name", newFar(t, router, routerCA), nil, nil, Foreign, "of router.example.com", false},
		{"a certificate that has expired", newFar(t, old, oldCA), nil, nil, Foreign, "which expired on ", false},
		{"the local cluster's own certificate is known", newFar(t, own, other), nil, func(t *Target) { t.Local = true }, Foreign, "which the local cluster does not vouch for", false},
		{"without a CA the first certificate is only noted", newFar(t, own, ca), nil, unpinned, FirstContact, "", false},
		{"the first certificate must be the cluster's", newFar(t, router, routerCA), nil, unpinned, Foreign, "is TLS passed through to the cluster?", false},
		{"the pinned certificate", newFar(t, own, ca), nil, pinned(printOf(t, ca)), Reached, "", true},
		{"the pinned certificate, as openssl prints it", newFar(t, own, ca), nil, pinned("SHA256:" + strings.ToUpper(strings.TrimPrefix(printOf(t, ca), fingerprintPrefix))), Reached, "", true},
		{"another one than the pinned", newFar(t, own, ca), nil, pinned(printOf(t, other)), Foreign, names.AnnotationCertificate, false},
		{"a pinned certificate that has expired", newFar(t, old, oldCA), nil, pinned(printOf(t, oldCA)), Foreign, "which expired on ", false},
		{"a wrong password", newFar(t, own, ca), nil, func(t *Target) { t.Credentials.Password = "wrong" }, Denied, "does not accept the user name and password in Secret redis-enterprise-far", true},
		{"an account without rights", newFar(t, own, ca), func(f *far) { f.answer = http.StatusForbidden }, nil, Denied, "must be an administrator's", true},
		{"RERC-4 another cluster", newFar(t, own, ca), func(f *far) { f.name = "near.there.svc.cluster.local" }, nil, Stranger, "near.there.svc.cluster.local, not " + farCluster, true},
		{"a cluster that cannot serve", newFar(t, own, ca), func(f *far) { f.answer = http.StatusServiceUnavailable }, nil, Unready, "503", true},
		{"a redirect to the inside is not followed", newFar(t, own, ca), func(f *far) { f.answer = http.StatusTemporaryRedirect }, nil, Unready, "handle_redirects", true},
		{"a name without an address", newFar(t, own, ca), func(f *far) { f.dial = noSuchHost() }, nil, Unresolved, farHost + " does not resolve here", false},
		{"nobody listens", newFar(t, own, ca), func(f *far) { f.dial = errors.New("connect: connection refused") }, nil, Unreachable, "(refused)", false},
		{"somebody closes", newFar(t, own, ca), func(f *far) { f.dial = io.EOF }, nil, Unreachable, "(closed)", false},
	} {
		t.Run("RERC-5 "+c.name, func(t *testing.T) {
			if c.but != nil {
				c.but(c.far)
			}
			target := c.far.target()
			if c.target != nil {
				c.target(&target)
			}
			got, _ := look(t.Context(), c.far.connect, target, time.Now)
			if got.Finding != c.finding || !strings.Contains(got.Message, c.says) || strings.Contains(got.Message, target.Credentials.Password) && target.Credentials.Password == farPassword {
				t.Errorf("%+v", got)
			}
			if shown := c.far.seen != ""; shown != c.shown {
				t.Errorf("credentials shown: %t", shown)
			}
			if c.far.dial == nil && c.far.asked != farHost {
				t.Errorf("asked for %q", c.far.asked)
			}
			if again, _ := look(t.Context(), c.far.connect, target, time.Now); again.Message != got.Message || again.Finding != got.Finding {
				t.Errorf("the words change: %q, %q", got.Message, again.Message)
			}
			if c.finding == FirstContact && got.Fingerprint != printOf(t, ca) {
				t.Errorf("fingerprint %s", got.Fingerprint)
			}
			if c.finding == Reached && (got.Version != "8.0.9-1" || got.SecretVersion != "7" || coarse(got.Skew, 0) != 0) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestRERC5_ClocksAreCompared(t *testing.T) {
	own, ca := valid(t, farCluster)
	f := newFar(t, own, ca)
	for skew, want := range map[time.Duration]time.Duration{
		0: 0, 3 * time.Second: 0, 20 * time.Second: 5 * time.Second, -20 * time.Second: -5 * time.Second,
		2 * time.Minute: 30 * time.Second, -2 * time.Hour: -time.Hour,
	} {
		f.change(func(f *far) { f.date = func() time.Time { return time.Now().Add(skew) } })
		got, _ := look(t.Context(), f.connect, f.target(), time.Now)
		if step := coarse(got.Skew, 0); got.Finding != Reached || step != want {
			t.Errorf("%s ahead: %+v, step %s", skew, got, step)
		}
	}
	t.Run("noise about a step changes nothing", func(t *testing.T) {
		for _, c := range []struct{ measured, before, want time.Duration }{
			{4 * time.Second, 5 * time.Second, 5 * time.Second},
			{2 * time.Second, 5 * time.Second, 0},
			{-29 * time.Second, -30 * time.Second, -30 * time.Second},
			{6 * time.Second, 0, 5 * time.Second},
			{-4 * time.Second, 5 * time.Second, 0},
		} {
			if got := coarse(c.measured, c.before); got != c.want {
				t.Errorf("%s after %s: %s, want %s", c.measured, c.before, got, c.want)
			}
		}
	})
}
