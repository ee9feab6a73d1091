package metrics

import (
	"fmt"
	"strings"
)

// Page is docs/operator-metrics.md, without what people add below it.
func Page() string {
	var b strings.Builder
	b.WriteString(pageHead)
	table(&b, Table)
	b.WriteString(pageBorrowed)
	table(&b, Borrowed)
	b.WriteString(pageFoot)
	return b.String()
}

func table(b *strings.Builder, all []Definition) {
	b.WriteString("| metric | type | labels | what it says |\n|---|---|---|---|\n")
	for _, d := range all {
		labels := ""
		if len(d.Labels) > 0 {
			labels = "`" + strings.Join(d.Labels, "`, `") + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", d.Name, d.Type, labels, d.Help)
	}
}

const pageHead = `# Metrics of the operator

Generated from the table in ` + "`internal/metrics/table.go`" + ` by ` + "`make generate`" + `; edit that. What a Redis Enterprise cluster
exports is described in [metrics.md](metrics.md).

## Ours

`

const pageBorrowed = `
## Of the libraries below

The libraries that the operator is built with export many more. These are the ones that its dashboard and alerts use.

`

const pageFoot = `
## Labels

- No label carries a value that users choose freely, apart from the names of namespaces and clusters. ` + "`route`" + ` is a path
  template such as ` + "`/v1/bdbs/{uid}`" + `, never a path. ` + "`reason`, `object` and `operation`" + ` are words of a vocabulary of at most 100;
  anything else is told as ` + "`Other`" + `.
- The series of a cluster end when its resource is gone.
- What is told of resources and clusters comes from the replica that leads, and from no other. Counters and histograms start
  anew when another replica takes over; rates do not mind.

## Where they are served

Port 8383 (` + "`metrics`" + `) of each replica, path ` + "`/metrics`" + `. As installed by ` + "`config/default`" + ` it is plain HTTP, and so by OLM. With ` + "`--metrics-secure`" + `, or
` + "`METRICS_SECURE=true`" + ` in the environment, it is TLS with the certificate of the admission server (Secret ` + "`admission-tls`" + `, name ` + "`admission.<namespace>.svc`" + `), and Kubernetes is
asked for every reader: it must be authenticated and allowed to get the path ` + "`/metrics`" + `. The component ` + "`config/prometheus`" + `
switches that on and brings all that belongs to it: Service, ServiceMonitor, rights, alerts and the dashboard;
with OLM, ` + "`config/overlays/openshift/metrics`" + ` does ([openshift.md](openshift.md)). See
[decisions/0013](decisions/0013-operator-metrics.md).
`
