package children

import (
	corev1 "k8s.io/api/core/v1"
)

// ServiceAccount is the account of the node and rigger pods, unless the user brings one.
func ServiceAccount(c Cluster) *corev1.ServiceAccount {
	if !c.REC.Spec.CreatesServiceAccount() {
		return nil
	}
	return &corev1.ServiceAccount{ObjectMeta: c.meta(c.REC.ServiceAccountName())}
}
