package cluster

import (
	"fmt"
	"net/netip"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// podRangesAreNetworks: the cluster compares the addresses of clients with these ranges (rule NET-14).
func podRangesAreNetworks(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	s := rec.Spec.OSSClusterSettings
	if s == nil {
		return nil
	}
	for i, text := range s.PodCIDRs {
		path := fmt.Sprintf("spec.ossClusterSettings.podCIDRs[%d]", i)
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return outcome.Reject(path, "%q is not a range of addresses; write it like 10.30.0.0/16", text)
		}
		if network != network.Masked() {
			return outcome.Reject(path, "%s has bits set behind its mask; the range is %s", text, network.Masked())
		}
	}
	return nil
}

// balancerAnnotationsAreFree: the bookkeeping of annotations is the operator's own (rule REC-9).
func balancerAnnotationsAreFree(_, rec *v1.RedisEnterpriseCluster) *outcome.Rejected {
	s := rec.Spec.OSSClusterSettings
	if s == nil || s.LoadBalancer == nil {
		return nil
	}
	if _, ok := s.LoadBalancer.ServiceAnnotations[names.AnnotationLastKeys]; ok {
		return outcome.Reject("spec.ossClusterSettings.loadBalancer.serviceAnnotations", "%s is reserved for the operator", names.AnnotationLastKeys)
	}
	return nil
}
