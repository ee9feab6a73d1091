package main

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// wantsAddress says whether a Service waits for a load balancer of no particular class.
func wantsAddress(s *corev1.Service) bool {
	return s.Spec.Type == corev1.ServiceTypeLoadBalancer && s.Spec.LoadBalancerClass == nil && s.DeletionTimestamp == nil
}

// assign gives each Service without an address a free one of the pool, the oldest Service first; what has one keeps it.
// It returns the Services whose status has changed.
func assign(services []*corev1.Service, pool netip.Prefix) []*corev1.Service {
	slices.SortFunc(services, func(a, b *corev1.Service) int {
		if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
			return c
		}
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	taken := map[string]bool{}
	for _, s := range services {
		if wantsAddress(s) {
			taken[addressOf(s)] = true
		}
	}
	var changed []*corev1.Service
	for _, s := range services {
		have := addressOf(s)
		switch {
		case wantsAddress(s) && have == "":
			free := firstFree(pool, taken)
			if free == "" {
				return changed
			}
			taken[free] = true
			s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: free}}
			changed = append(changed, s)
		case s.Spec.Type != corev1.ServiceTypeLoadBalancer && have != "":
			s.Status.LoadBalancer = corev1.LoadBalancerStatus{}
			changed = append(changed, s)
		}
	}
	return changed
}

func addressOf(s *corev1.Service) string {
	if s == nil || len(s.Status.LoadBalancer.Ingress) == 0 {
		return ""
	}
	return s.Status.LoadBalancer.Ingress[0].IP
}

func firstFree(pool netip.Prefix, taken map[string]bool) string {
	for address := pool.Masked().Addr().Next(); pool.Contains(address); address = address.Next() {
		if !taken[address.String()] {
			return address.String()
		}
	}
	return ""
}
