package command

import (
	"crypto/tls"
	"errors"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/open-redis-enterprise/operator/internal/admission"
	"github.com/open-redis-enterprise/operator/internal/metrics"
	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/internal/tlsprofile"
	"github.com/open-redis-enterprise/operator/internal/trace"
)

// middleware counts and traces the requests to a cluster, around whatever the options ask for.
func (o ManagerOptions) middleware(figures *metrics.Metrics) func(types.NamespacedName) []rest.Middleware {
	return func(cluster types.NamespacedName) []rest.Middleware {
		all := []rest.Middleware{figures.Middleware(cluster)}
		if o.Tracer != nil {
			all = append(all, trace.Exchange)
		}
		if o.Middleware != nil {
			all = append(all, o.Middleware(cluster)...)
		}
		return all
	}
}

// metricsServer serves the metrics in the clear, or over TLS with the certificate of the admission server and with a
// question to Kubernetes for each reader; see docs/decisions/0013-operator-metrics.md.
func (o ManagerOptions) metricsServer(serving *serving) metricsserver.Options {
	options := metricsserver.Options{BindAddress: o.MetricsAddress}
	if !o.MetricsSecure {
		return options
	}
	options.SecureServing = true
	options.FilterProvider = filters.WithAuthenticationAndAuthorization
	options.TLSOpts = []func(*tls.Config){func(c *tls.Config) {
		c.MinVersion = tls.VersionTLS12
		c.NextProtos = []string{"http/1.1"}
		if o.AdmissionAddress != "0" && o.AdmissionAddress != "" {
			c.GetCertificate = serving.certificate
		} // else the server makes one for itself
		c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if w := serving.profile.Load(); w != nil {
				return w.ConfigFor(c)(hello)
			}
			return nil, nil //nolint:nilnil // crypto/tls reads it as: use the one you have
		}
	}}
	return options
}

// serving is what the metrics server serves with and is made after it: the certificate of the admission server and the TLS
// profile.
type serving struct {
	keeper  atomic.Pointer[admission.Keeper]
	profile atomic.Pointer[tlsprofile.Watcher]
}

func (s *serving) current() *tls.Certificate {
	if k := s.keeper.Load(); k != nil {
		return k.Certificate()
	}
	return nil
}

func (s *serving) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c := s.current(); c != nil {
		return c, nil
	}
	return nil, errors.New("no certificate yet")
}

// ends is when the certificate ends; zero while there is none.
func (s *serving) ends() time.Time {
	if c := s.current(); c != nil && c.Leaf != nil {
		return c.Leaf.NotAfter
	}
	return time.Time{}
}
