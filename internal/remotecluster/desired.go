package remotecluster

import (
	"cmp"
	"crypto/x509"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Desired is whom to ask, or why nobody can be asked.
type Desired struct {
	Target  Target
	Problem error
}

// desired reads the spec and its Secret. The first thing that is wrong is the one to tell.
func desired(in Inputs) Desired {
	if errs := append(Validate(in.Remote), Unique(in.Remote, in.Others)...); len(errs) > 0 {
		return Desired{Problem: errs[0]}
	}
	if err := complete(in); err != nil {
		return Desired{Problem: err}
	}
	spec := &in.Remote.Spec
	target := Target{
		Host: spec.APIFQDNURL, Port: portOf(in.Remote), Cluster: names.FQDN(spec.RECName, spec.RECNamespace),
		Credentials: rest.Credentials{Username: string(in.Secret.Data[names.UsernameKey]), Password: string(in.Secret.Data[names.PasswordKey])},
		CA:          in.Secret.Data[names.CAKey], Pin: digest(in.Remote.Annotations[names.AnnotationCertificate]),
		Secret: in.Secret.Name, SecretVersion: in.Secret.ResourceVersion,
	}
	if in.Local && len(target.CA) == 0 {
		// The bootstrapper has read this one over loopback: nothing has to be believed at a first contact.
		if in.Own == nil || len(in.Own.Target().CA) == 0 {
			return Desired{Problem: outcome.Wait(v1alpha1.ReasonClusterNotReady, soon, "cluster %s has no certificate yet", spec.RECName)}
		}
		target.CA, target.Local = in.Own.Target().CA, true
	}
	return Desired{Target: target}
}

// complete looks into the Secret (RERC-2).
func complete(in Inputs) error {
	const path = "spec.secretName"
	if in.Secret == nil {
		return outcome.Missing(path, "Secret %s was not found in namespace %s; it holds the user name and password of the cluster's administrator", SecretName(in.Remote), in.Remote.Namespace)
	}
	for _, key := range []string{names.UsernameKey, names.PasswordKey} {
		if len(in.Secret.Data[key]) == 0 {
			return outcome.Missing(path, "Secret %s has no %s", in.Secret.Name, key)
		}
	}
	if ca := in.Secret.Data[names.CAKey]; len(ca) > 0 && !x509.NewCertPool().AppendCertsFromPEM(ca) {
		return outcome.Missing(path, "%s of Secret %s holds no certificate in PEM", names.CAKey, in.Secret.Name)
	}
	return nil
}

// releaseOf is the part of a version that says which release it is: 8.0 of 8.0.20-23.
func releaseOf(version string) string {
	for i, dots := 0, 0; i < len(version); i++ {
		if version[i] == '.' {
			if dots++; dots == 2 {
				return version[:i]
			}
		}
	}
	return version
}

// lowest is the version of a cluster whose nodes need not all have the same.
func lowest(nodes []rest.Node) string {
	least := ""
	for _, n := range nodes {
		if v := n.SoftwareVersion; v != "" && (least == "" || compareVersions(v, least) < 0) {
			least = v
		}
	}
	return least
}

// compareVersions compares number by number.
func compareVersions(a, b string) int {
	for a != "" || b != "" {
		var x, y int
		x, a = number(a)
		y, b = number(b)
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// number takes the first number off a version.
func number(version string) (n int, rest string) {
	for i, c := range version {
		if c < '0' || c > '9' {
			return n, version[i+1:]
		}
		n = n*10 + int(c-'0')
	}
	return n, ""
}
