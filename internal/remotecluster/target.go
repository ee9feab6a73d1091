package remotecluster

import (
	"bytes"
	"net"
	"strconv"
	"strings"
	"time"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Target is a cluster to ask: where, whom to trust there, and as whom.
type Target struct {
	// Host is the name that leads to the API, in DNS and in the handshake.
	Host string
	Port int
	// Cluster is the name that the cluster must have.
	Cluster string
	// CA are the certificates to trust in PEM, and nothing else is trusted when there are some. Pin is the digest of the
	// one certificate to trust otherwise; see judge.
	CA  []byte
	Pin string
	// Local tells that CA is what the local cluster shows inside.
	Local bool
	// Credentials, the Secret they are from, and its version.
	Credentials           rest.Credentials
	Secret, SecretVersion string
}

// address is where to connect.
func (t Target) address() string { return net.JoinHostPort(t.Host, strconv.Itoa(t.Port)) }

// same tells whether what is known of one is true of the other until somebody looks: only the means have changed.
func (t Target) same(o Target) bool { return t.address() == o.address() && t.Cluster == o.Cluster }

func (t Target) equal(o Target) bool {
	return t.same(o) && bytes.Equal(t.CA, o.CA) && t.Pin == o.Pin && t.Local == o.Local && t.Credentials == o.Credentials && t.Secret == o.Secret && t.SecretVersion == o.SecretVersion
}

// Finding is what a look comes to.
type Finding string

// The findings. Only Reached is good.
const (
	// NotYet means: nobody has looked yet.
	NotYet Finding = "NotYet"
	// FirstContact means: a certificate answered that may be the cluster's, and nothing says so. No credentials were sent.
	FirstContact Finding = "FirstContact"
	// Reached means: the cluster answers and accepts the credentials.
	Reached Finding = "Reached"
	// Unresolved means: the host name has no address.
	Unresolved Finding = "Unresolved"
	// Unreachable means: nothing that speaks TLS answers, or not in time.
	Unreachable Finding = "Unreachable"
	// Foreign means: a certificate answers that is not trusted. No credentials were sent.
	Foreign Finding = "Foreign"
	// Denied means: the cluster does not accept the credentials.
	Denied Finding = "Denied"
	// Stranger means: it is another cluster.
	Stranger Finding = "Stranger"
	// Unready means: it answers, and cannot serve now.
	Unready Finding = "Unready"
)

// reason is the word of a finding in conditions.
func (f Finding) reason() string {
	switch f {
	case Reached:
		return v1alpha1.ReasonReachable
	case Unresolved:
		return appv1.ReasonHostUnresolved
	case Foreign:
		return appv1.ReasonForeignCertificate
	case Denied:
		return v1alpha1.ReasonAccessDenied
	case Stranger:
		return v1alpha1.ReasonWrongCluster
	case NotYet, FirstContact:
		return v1alpha1.ReasonConnecting
	}
	return v1alpha1.ReasonUnreachable
}

// Result is a finding and the sentence that says what to do. It stays the same as long as the facts do.
type Result struct {
	Finding Finding
	Message string
	// Fingerprint is that of the certificate seen at the first contact.
	Fingerprint string
	// Version is the release of the cluster: that of its oldest node.
	Version string
	// Skew is by how much at least its clock is ahead, in coarse steps; zero while it agrees.
	Skew time.Duration
	// SecretVersion is the version of the Secret with which it was reached.
	SecretVersion string
}

// steps of Result.Skew. Two seconds of it may be the network's and the rounding of the answer's date.
var skewSteps = []time.Duration{5 * time.Second, 30 * time.Second, 5 * time.Minute, time.Hour}

const skewNoise = 2 * time.Second

// coarse turns a measured difference into a step. What was known before is kept while the difference is so near to it that
// it may be noise: a figure that changes at each look would be written at each look.
func coarse(measured, before time.Duration) time.Duration {
	if measured < 0 {
		return -coarse(-measured, -before)
	}
	var step time.Duration
	for _, s := range skewSteps {
		if measured >= s {
			step = s
		}
	}
	if before > step && measured > before-skewNoise {
		return before
	}
	return step
}

// digest reads a fingerprint in the forms that tools print it in.
func digest(fingerprint string) string {
	return strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(fingerprint)), fingerprintPrefix), ":", "")
}
