// Package v1 holds the storage version of RedisEnterpriseCluster, the kind that describes one Redis Enterprise
// cluster, together with the status words and condition types that all kinds of the group share.
//
// Files named *_types.go hold only types; their comments are what `kubectl explain` prints and are written for the
// person who edits the resource. Everything else about the types is in the other files.
//
// +kubebuilder:object:generate=true
// +groupName=app.redislabs.com
package v1
