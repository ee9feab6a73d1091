// Package cluster keeps a RedisEnterpriseCluster as its spec says: the Kubernetes objects, the bootstrap of the nodes,
// rolling changes and upgrades, and the settings of the cluster itself. Data flows one way: gather, desired, observe,
// plan, apply, report; each is a file.
package cluster
