// Package database turns a RedisEnterpriseDatabase into a database of a cluster and keeps it as the spec says.
//
// A run reads from left to right: gather what the resource refers to, say what is desired, observe the cluster, plan
// the steps, apply them, report. Files are named after these questions.
package database
