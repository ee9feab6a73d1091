package static

import (
	"slices"
	"strings"

	"github.com/blang/semver/v4"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// PlainVersions checks that versions are ours, without a pre-release, and the name has them.
func PlainVersions(t report.T, v Bundle) {
	t.Helper()
	version := v.CSV.Spec.Version.Version
	if len(version.Pre) > 0 || len(version.Build) > 0 || version.Major == 0 {
		t.Errorf("version %s", version)
	}
	if want := v.Package + ".v" + version.String(); v.Package == "" || v.CSV.Name != want || len(want) > 63 {
		t.Errorf("the name is %s, want %s", v.CSV.Name, want)
	}
	if v.CSV.Spec.Replaces == "" {
		return
	}
	_, before, _ := strings.Cut(v.CSV.Spec.Replaces, ".v")
	if older, err := semver.Parse(before); err != nil || !older.LT(version) {
		t.Errorf("%s replaces %s", version, before)
	}
}

// Channels checks that there are three, named for how far a release has proved itself, and that the default is one of them.
func Channels(t report.T, v Bundle) {
	t.Helper()
	a := v.Annotations(t)
	channels := strings.Split(a["operators.operatorframework.io.bundle.channels.v1"], ",")
	if !slices.Contains(channels, a["operators.operatorframework.io.bundle.channel.default.v1"]) || len(channels) != 3 {
		t.Errorf("channels %v", channels)
	}
	for _, name := range channels {
		if !strings.HasPrefix(name, "candidate-") && !strings.HasPrefix(name, "fast-") && !strings.HasPrefix(name, "stable-") {
			t.Errorf("channel %s", name)
		}
	}
}

// UpgradeGraph checks that a bundle replaces the release before it, and its range skips that and not itself.
func UpgradeGraph(t report.T, now Bundle, before Release) {
	t.Helper()
	if now.CSV.Spec.Replaces != before.CSV.Name {
		t.Errorf("%s replaces %q, the release before is %s", now.CSV.Name, now.CSV.Spec.Replaces, before.CSV.Name)
	}
	covers, err := semver.ParseRange(now.CSV.Annotations["olm.skipRange"])
	if err != nil {
		t.Fatal(err)
	}
	if !covers(before.CSV.Spec.Version.Version) || covers(now.CSV.Spec.Version.Version) {
		t.Errorf("skipRange %q", now.CSV.Annotations["olm.skipRange"])
	}
}
