// Package reach tells whether a cluster can be reached from outside: it opens TLS connections by the host name that
// clients use and looks whose certificate answers.
package reach
