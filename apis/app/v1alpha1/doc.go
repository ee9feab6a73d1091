// Package v1alpha1 holds the kinds RedisEnterpriseDatabase, RedisEnterpriseRemoteCluster and
// RedisEnterpriseActiveActiveDatabase, and the older, still served form of RedisEnterpriseCluster.
//
// Files named *_types.go hold only types; their comments are what `kubectl explain` prints and are written for the
// person who edits the resource. Everything else about the types is in the other files.
//
// +kubebuilder:object:generate=true
// +groupName=app.redislabs.com
package v1alpha1
