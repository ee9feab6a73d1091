package api

import (
	"net/http"
	"strings"
)

// reach says who may answer a call.
type reach int

const (
	byLeader reach = iota // other nodes redirect
	byNode                // each node speaks for itself, as a member
	byAnyone              // also before the node is in a cluster
)

// route is one call of the API.
type route struct {
	method     string
	pattern    string // segments in braces are parameters
	permission string // empty: any user
	reach      reach
	open       bool // without credentials
	carried    bool // a node that is not the leader passes it on and does not redirect
	serve      func(*call) (any, error)

	segments []string
}

// router finds routes. A method that is not offered reads as an unknown path, as on the product.
type router struct {
	byMethod map[string][]*route
}

func newRouter(routes []route) *router {
	r := &router{byMethod: map[string][]*route{}}
	for i := range routes {
		rt := &routes[i]
		rt.segments = split(rt.pattern)
		r.byMethod[rt.method] = append(r.byMethod[rt.method], rt)
	}
	return r
}

func split(path string) []string {
	return strings.Split(strings.Trim(path, "/"), "/")
}

// find returns the matching route with the fewest parameters.
func (r *router) find(req *http.Request) (*route, map[string]string) {
	segments := split(req.URL.Path)
	var best *route
	var bestParams map[string]string
	for _, rt := range r.byMethod[req.Method] {
		params, ok := rt.match(segments)
		if ok && (best == nil || len(params) < len(bestParams)) {
			best, bestParams = rt, params
		}
	}
	return best, bestParams
}

func (rt *route) match(segments []string) (map[string]string, bool) {
	if len(segments) != len(rt.segments) {
		return nil, false
	}
	var params map[string]string
	for i, s := range rt.segments {
		switch {
		case strings.HasPrefix(s, "{"):
			if segments[i] == "" {
				return nil, false
			}
			if params == nil {
				params = map[string]string{}
			}
			params[strings.Trim(s, "{}")] = segments[i]
		case s != segments[i]:
			return nil, false
		}
	}
	return params, true
}
