package main

import (
	"fmt"
	"slices"
	"strings"
)

// listener is one door: a port of the pod, with its own names.
type listener struct {
	name string
	port int
	ways []way
}

// config is the files of one configuration by name; paths in them begin with the word @folder@.
type config map[string]string

const (
	mainFile = "haproxy.cfg"
	folderAt = "@folder@"
)

// A worker that was replaced serves its connections for up to hard-stop-after.
const head = `global
    maxconn 4000
    hard-stop-after 5m
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout client-fin 10s
    timeout tunnel 1h
backend nobody
    tcp-request content reject
`

// render writes the configuration: per listener a map of the names that clients ask for in their first message.
func render(listeners []listener) config {
	files := config{}
	var text strings.Builder
	text.WriteString(head)
	backends := map[string][]string{}
	for _, l := range listeners {
		fmt.Fprintf(&text, `frontend %s
    bind :%d
    tcp-request inspect-delay 10s
    tcp-request content accept if { req.ssl_hello_type 1 }
    tcp-request content reject
    use_backend %%[req.ssl_sni,lower,map(%s/%s.map,nobody)]
    default_backend nobody
`, l.name, l.port, folderAt, l.name)
		var names []string
		for _, w := range l.ways {
			names = append(names, strings.ToLower(w.host)+" "+w.backend+"\n")
			backends[w.backend] = w.servers
		}
		slices.Sort(names)
		files[l.name+".map"] = strings.Join(names, "")
	}
	for _, name := range sorted(backends) {
		fmt.Fprintf(&text, "backend %s\n", name)
		for i, server := range backends[name] {
			fmt.Fprintf(&text, "    server s%d %s\n", i, server)
		}
	}
	files[mainFile] = text.String()
	return files
}

func sorted[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
