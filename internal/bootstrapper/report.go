package bootstrapper

import (
	"encoding/json"
)

// Report is what a bootstrapper writes on the bulletin board, under its pod's own key.
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

// ParseReport reads one entry of the board; an entry that cannot be read counts as absent.
func ParseReport(text string) (Report, bool) {
	var r Report
	if text == "" || json.Unmarshal([]byte(text), &r) != nil {
		return Report{}, false
	}
	return r, true
}

// String prints the entry as it stands on the board.
func (r Report) String() string {
	raw, err := json.Marshal(r)
	if err != nil {
		return ""
	}
	return string(raw)
}
