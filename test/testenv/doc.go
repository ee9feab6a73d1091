// Package testenv runs a real etcd and a real API server for tests, from the
// binary that hack/localcluster builds. Every environment has an address, a
// certificate authority and a folder of its own, so that test packages can run
// side by side.
//
// There is no node, and unless Options.Controllers asks for some there are no
// controllers either: a namespace that is deleted stays Terminating, owners do
// not take their dependents with them, and no service account appears by itself.
package testenv
