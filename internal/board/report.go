// Package board is the format of the bulletin board, the ConfigMap <rec>-bulletin-board through which the operator, the
// bootstrappers and the services rigger tell each other what they know of one cluster. It is pure.
package board

import (
	"crypto/x509"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// Report is what a bootstrapper writes on the board, under its pod's own key.
type Report struct {
	// State of the node's bootstrap, in the words of GET /v1/bootstrap; empty while the node does not answer.
	State string `json:"state"`
	// UID of the node in the cluster.
	UID string `json:"uid,omitempty"`
	// Address at which the node's API can be reached.
	Address string `json:"address,omitempty"`
	// Certificate is the PEM chain that the node's API serves, read over the pod's own loopback.
	Certificate string `json:"certificate,omitempty"`
	// Error and ErrorMessage of the last bootstrap that failed (rule REC-23).
	Error        string `json:"error,omitempty"`
	ErrorMessage string `json:"errorMessage,omitempty"`
}

// String prints the entry as it stands on the board.
func (r Report) String() string {
	raw, err := json.Marshal(r)
	if err != nil {
		return ""
	}
	return string(raw)
}

// Data is the board as read; nil while there is none.
type Data map[string]string

// Key is the entry of one pod.
func Key(pod string) string { return names.BoardPod + pod }

// Formed reports whether the operator has seen a cluster; from then on nobody may form another one.
func (d Data) Formed() bool { return d[names.BoardFormed] == "true" }

// Members are addresses of live nodes that a new node may join through.
func (d Data) Members() []string {
	return slices.DeleteFunc(strings.Split(d[names.BoardMembers], ","), func(s string) bool { return s == "" })
}

// Report reads the entry of one pod; an entry that is absent or cannot be read is not ok.
func (d Data) Report(pod string) (r Report, ok bool) {
	text := d[Key(pod)]
	if text == "" || json.Unmarshal([]byte(text), &r) != nil {
		return Report{}, false
	}
	return r, true
}

// Reports are the entries of all pods, by pod name.
func (d Data) Reports() map[string]Report {
	all := map[string]Report{}
	for key := range d {
		if pod, isPod := strings.CutPrefix(key, names.BoardPod); isPod {
			if r, ok := d.Report(pod); ok {
				all[pod] = r
			}
		}
	}
	return all
}

// Addresses are where nodes have said they can be reached, in the order of the pods' names; the members while no pod says
// anything, as those that another operator made.
func (d Data) Addresses() []string {
	reports := d.Reports()
	var out []string
	for _, pod := range slices.Sorted(maps.Keys(reports)) {
		if a := reports[pod].Address; a != "" && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	if len(out) == 0 {
		return d.Members()
	}
	return out
}

// Roots are the certificates that the nodes of the cluster serve, as read from beside them: the only ones to trust, beside
// the one that a person has vouched for. The
// pool is empty, never nil, while none is known, so that no other authority is trusted instead.
func (d Data) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, r := range d.Reports() {
		pool.AppendCertsFromPEM([]byte(r.Certificate))
	}
	pool.AppendCertsFromPEM([]byte(d[names.BoardTrusted]))
	return pool
}
