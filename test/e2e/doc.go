// Package e2e is the suite that runs on a real Kubernetes cluster with the operator on it: make e2e. While something
// changes, watchers check what must hold all the time, not only afterwards. The nodes are emulated.
package e2e
