package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GetConditions returns the conditions of the status.
func (d *RedisEnterpriseDatabase) GetConditions() []metav1.Condition {
	return d.Status.Conditions
}

// SetConditions replaces the conditions of the status.
func (d *RedisEnterpriseDatabase) SetConditions(conditions []metav1.Condition) {
	d.Status.Conditions = conditions
}

// GetObservedGeneration returns the generation that the status talks about.
func (d *RedisEnterpriseDatabase) GetObservedGeneration() int64 {
	return d.Status.ObservedGeneration
}

// SetObservedGeneration records the generation that the status talks about.
func (d *RedisEnterpriseDatabase) SetObservedGeneration(generation int64) {
	d.Status.ObservedGeneration = generation
}

// GetConditions returns the conditions of the status.
func (r *RedisEnterpriseRemoteCluster) GetConditions() []metav1.Condition {
	return r.Status.Conditions
}

// SetConditions replaces the conditions of the status.
func (r *RedisEnterpriseRemoteCluster) SetConditions(conditions []metav1.Condition) {
	r.Status.Conditions = conditions
}

// GetObservedGeneration returns the generation that the status talks about.
func (r *RedisEnterpriseRemoteCluster) GetObservedGeneration() int64 {
	return int64(r.Status.ObservedGeneration)
}

// SetObservedGeneration records the generation that the status talks about.
func (r *RedisEnterpriseRemoteCluster) SetObservedGeneration(generation int64) {
	r.Status.ObservedGeneration = int(generation)
}

// GetConditions returns the conditions of the status.
func (a *RedisEnterpriseActiveActiveDatabase) GetConditions() []metav1.Condition {
	return a.Status.Conditions
}

// SetConditions replaces the conditions of the status.
func (a *RedisEnterpriseActiveActiveDatabase) SetConditions(conditions []metav1.Condition) {
	a.Status.Conditions = conditions
}

// GetObservedGeneration returns the generation that the status talks about.
func (a *RedisEnterpriseActiveActiveDatabase) GetObservedGeneration() int64 {
	return a.Status.ObservedGeneration
}

// SetObservedGeneration records the generation that the status talks about.
func (a *RedisEnterpriseActiveActiveDatabase) SetObservedGeneration(generation int64) {
	a.Status.ObservedGeneration = generation
}

// ClusterName returns the cluster that the spec names, or the empty string for the one cluster of the operator.
func (s *RedisEnterpriseDatabaseSpec) ClusterName() string {
	if s.RedisEnterpriseCluster == nil {
		return ""
	}
	return s.RedisEnterpriseCluster.Name
}

// SecretName returns the name of the secret that holds the password of the default user.
func (d *RedisEnterpriseDatabase) SecretName() string {
	if d.Spec.DatabaseSecretName != "" {
		return d.Spec.DatabaseSecretName
	}
	return "redb-" + d.Name
}

// HasDefaultUser tells whether clients can log in as the default user.
func (s *RedisEnterpriseDatabaseSpec) HasDefaultUser() bool {
	return s.DefaultUser == nil || *s.DefaultUser
}
