package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Defaults of a cluster that several parts of the operator need.
const (
	// DefaultNodes is the number of nodes when the spec gives none.
	DefaultNodes int32 = 3
	// DefaultUsername is the administrator when the operator creates the credential secret.
	DefaultUsername = "demo@redis.com"
	// DefaultTerminationGracePeriodSeconds is one year: a node must never be killed while it still hands over data.
	DefaultTerminationGracePeriodSeconds int64 = 365 * 24 * 60 * 60
)

// GetConditions returns the conditions of the status.
func (c *RedisEnterpriseCluster) GetConditions() []metav1.Condition { return c.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (c *RedisEnterpriseCluster) SetConditions(conditions []metav1.Condition) {
	c.Status.Conditions = conditions
}

// GetObservedGeneration returns the generation that the status talks about.
func (c *RedisEnterpriseCluster) GetObservedGeneration() int64 { return c.Status.ObservedGeneration }

// SetObservedGeneration records the generation that the status talks about.
func (c *RedisEnterpriseCluster) SetObservedGeneration(generation int64) {
	c.Status.ObservedGeneration = generation
}

// NodeCount returns the wanted number of nodes, with the default applied.
func (s *RedisEnterpriseClusterSpec) NodeCount() int32 {
	if s.Nodes == nil {
		return DefaultNodes
	}
	return *s.Nodes
}

// CredentialSecretName returns the name of the credential secret that the spec asks for.
func (c *RedisEnterpriseCluster) CredentialSecretName() string {
	if c.Spec.ClusterCredentialSecretName != "" {
		return c.Spec.ClusterCredentialSecretName
	}
	return c.Name
}

// ServiceAccountName returns the service account of the node pods.
func (c *RedisEnterpriseCluster) ServiceAccountName() string {
	if c.Spec.ServiceAccountName != "" {
		return c.Spec.ServiceAccountName
	}
	return c.Name
}

// CreatesServiceAccount tells whether the operator makes the service account.
func (s *RedisEnterpriseClusterSpec) CreatesServiceAccount() bool {
	return s.CreateServiceAccount == nil || *s.CreateServiceAccount
}

// IsPersistent tells whether the nodes have persistent volumes.
func (s *RedisEnterpriseClusterSpec) IsPersistent() bool {
	return s.PersistentSpec == nil || s.PersistentSpec.Enabled == nil || *s.PersistentSpec.Enabled
}
