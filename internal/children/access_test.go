package children

import (
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

var exposed = []Exposed{{UID: 7, Port: 12001}, {UID: 3, Port: 12000}}

func TestNET12_LoadBalancersOfPodsAndCluster(t *testing.T) {
	c := fixture(t, "access")
	for name, object := range map[string]*corev1.Service{
		"service-lb":           PodLoadBalancer(c, 1, exposed),
		"service-cluster":      ClusterLoadBalancer(c, exposed[:1]),
		"service-cluster-many": ClusterLoadBalancer(c, exposed),
	} {
		t.Run(name, func(t *testing.T) { golden(t, filepath.Join("testdata", "access", name+".yaml"), object) })
	}
	if PodLoadBalancer(c, 0, nil) != nil || ClusterLoadBalancer(c, nil) != nil {
		t.Error("there is a load balancer for no database")
	}
}

func TestNET13_TrafficPolicy(t *testing.T) {
	for name, c := range map[string]struct {
		settings *v1.OSSClusterSettings
		want     corev1.ServiceExternalTrafficPolicy
	}{
		"nothing said":                {nil, "Cluster"},
		"no ranges":                   {&v1.OSSClusterSettings{}, "Cluster"},
		"ranges":                      {&v1.OSSClusterSettings{PodCIDRs: []string{"10.0.0.0/8"}}, "Local"},
		"ranges and the user's word":  {&v1.OSSClusterSettings{PodCIDRs: []string{"10.0.0.0/8"}, LoadBalancer: &v1.OSSLoadBalancer{ExternalTrafficPolicy: "Cluster"}}, "Cluster"},
		"the user's word":             {&v1.OSSClusterSettings{LoadBalancer: &v1.OSSLoadBalancer{ExternalTrafficPolicy: "Local"}}, "Local"},
		"settings without that field": {&v1.OSSClusterSettings{LoadBalancer: &v1.OSSLoadBalancer{}}, "Cluster"},
	} {
		rec := fixture(t, "minimal")
		rec.REC.Spec.OSSClusterSettings = c.settings
		for _, s := range []*corev1.Service{PodLoadBalancer(rec, 0, exposed), ClusterLoadBalancer(rec, exposed)} {
			if got := s.Spec.ExternalTrafficPolicy; got != c.want {
				t.Errorf("%s: %s of %s, not %s", name, got, s.Name, c.want)
			}
		}
	}
}

func TestNET13_Annotations(t *testing.T) {
	c := fixture(t, "access")
	for _, s := range []*corev1.Service{PodLoadBalancer(c, 0, exposed), ClusterLoadBalancer(c, exposed)} {
		if s.Annotations["shared"] != "yes" || s.Annotations["both"] != "load balancer" || s.Annotations["cloud"] != "nlb" {
			t.Errorf("%s: %v", s.Name, s.Annotations)
		}
	}
	for _, s := range []*corev1.Service{APIService(c), UIService(c), MetricsService(c)} {
		if s.Annotations["both"] != "shared" || s.Annotations["cloud"] != "" {
			t.Errorf("%s is no load balancer of pods and has %v", s.Name, s.Annotations)
		}
	}
}
