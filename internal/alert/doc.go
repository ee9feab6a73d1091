// Package alert holds what a person on call is told about a cluster: expressions over the metrics of the product and of
// the operator, how long each must hold, how urgent it is and where its runbook is. It is pure, and everything that is
// made of an alert (the PrometheusRule, its tests, the table in the docs) comes from here.
package alert
