package bdb

import (
	"strconv"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Upgrade returns the request that brings the database to the exact version that the spec names, or nil when there is
// nothing to do: without a version, with a channel word (which never moves a database by itself), or when the version
// is the one the database has. A version below the present one is refused.
func Upgrade(in Inputs, have *rest.BDB) (*rest.UpgradeRequest, []Change, error) {
	want, is := rest.Value(exactVersion(in.Spec.RedisVersion)), present(have)
	if want == "" || is == "" || want == is {
		return nil, nil, nil
	}
	if older(want, is) {
		return nil, nil, invalid("redisVersion", "a database cannot go back: it has version %s, not %s", is, want)
	}
	change := Change{Path: "spec.redisVersion", Setting: "redis_version", From: is, To: want}
	return &rest.UpgradeRequest{RedisVersion: want}, []Change{change}, nil
}

// present is the version of a database as MAJOR.MINOR.
func present(b *rest.BDB) string {
	v := rest.Value(b.RedisVer)
	if v == "" {
		v = rest.Value(b.Version)
	}
	parts := strings.SplitN(v, ".", 3)
	if len(parts) < 2 {
		return ""
	}
	return parts[0] + "." + parts[1]
}

func older(a, b string) bool {
	aMajor, aMinor := split(a)
	bMajor, bMinor := split(b)
	return aMajor < bMajor || aMajor == bMajor && aMinor < bMinor
}

func split(v string) (major, minor int) {
	a, b, _ := strings.Cut(v, ".")
	major, _ = strconv.Atoi(a) // Validate has seen the form
	minor, _ = strconv.Atoi(b)
	return major, minor
}
