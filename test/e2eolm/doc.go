// Package e2eolm drives a real OLM on a real Kubernetes: a subscription, upgrades under a writing client, the gate that holds
// an upgrade back, and the command line tools. It has the build tag e2eolm and needs the local cluster: make e2e-olm.
package e2eolm
