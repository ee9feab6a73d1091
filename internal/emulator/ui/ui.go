// Package ui stands where the product has its Cluster Manager. It is a page that says what it is, so that a Service, a Route or
// a person pointed at the port gets a sensible answer; there is nothing to click.
package ui

import (
	"html/template"
	"net/http"
)

// Facts are shown on the page.
type Facts struct {
	// Cluster is the name of the cluster; empty while the node belongs to none.
	Cluster string
	// Node is the uid of the node, or empty.
	Node string
	// Version is the version that the emulator claims to be.
	Version string
	// API is the URL of the admin API.
	API string
}

var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Redis Enterprise emulator</title>
<style>body{font-family:sans-serif;margin:4em auto;max-width:40em;line-height:1.5}dt{font-weight:bold}</style></head>
<body>
<h1>Redis Enterprise emulator</h1>
<p>This node is an emulator for development and tests. The product serves its Cluster Manager at this port; the emulator has
no user interface. Use the admin API.</p>
<dl>
<dt>Cluster</dt><dd>{{if .Cluster}}{{.Cluster}}{{else}}not part of a cluster yet{{end}}</dd>
{{if .Node}}<dt>Node</dt><dd>{{.Node}}</dd>{{end}}
<dt>Version</dt><dd>{{.Version}}</dd>
<dt>Admin API</dt><dd><a href="{{.API}}">{{.API}}</a></dd>
</dl>
</body>
</html>
`))

// Handler serves the page at every path, as a single-page application would.
func Handler(facts func() Facts) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "the emulator has no user interface", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		_ = page.Execute(w, facts()) // the client has gone
	})
}
