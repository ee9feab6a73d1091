// Package upgradeable answers one question: is this a moment at which the operator may be replaced by its next version?
// It reads the status of the custom resources and nothing else, and decides without acting. Who asks, and who is told,
// is not its business: controllers tell the Operator Lifecycle Manager.
package upgradeable
