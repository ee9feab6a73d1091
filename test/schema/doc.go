// Package schema proves that the generated CRDs accept every resource made for the vendor's operator, and that they are
// fit to be applied. Its tests run each manifest through the steps an API server takes: prune, default, validate.
package schema
