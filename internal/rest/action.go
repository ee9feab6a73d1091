package rest

import "context"

// Phase reduces the three vocabularies of action states to what a caller can do.
type Phase int

// The phases of an action.
const (
	// Running also stands for words that this client does not know.
	Running Phase = iota
	// Succeeded is the good end.
	Succeeded
	// Failed is any other end.
	Failed
)

// PhaseOf reads a status word of /v1/actions, /v2/actions or a node action.
func PhaseOf(status string) Phase {
	switch status {
	case "completed", "finished":
		return Succeeded
	case "failed", "aborted", "cancelled":
		return Failed
	}
	return Running
}

// Action is a task or state machine of the cluster.
type Action struct {
	ActionUID    string `json:"action_uid"`
	TaskID       string `json:"task_id"`
	Name         string `json:"name"`
	Status       string `json:"status"`
	Progress     Float  `json:"progress"`
	NodeUID      UID    `json:"node_uid"`
	ObjectName   string `json:"object_name"`
	State        string `json:"state"`
	ErrorCode    string `json:"error_code"`
	ErrorMessage string `json:"error_message"`
	Error        Text   `json:"error"`
}

// Phase reads the action's status word.
func (a Action) Phase() Phase { return PhaseOf(a.Status) }

// Message is what the action says about its failure.
func (a Action) Message() string {
	for _, m := range []string{a.ErrorMessage, string(a.Error), a.ErrorCode} {
		if m != "" {
			return m
		}
	}
	return ""
}

// ListActions reads all tasks and state machines.
func (c *Client) ListActions(ctx context.Context) ([]Action, error) {
	var out struct {
		Actions  []Action `json:"actions"`
		Machines []Action `json:"state-machines"`
	}
	if err := c.get(ctx, "/v1/actions", "/v1/actions", &out); err != nil {
		return nil, err
	}
	return append(out.Actions, out.Machines...), nil
}

// GetAction reads one action. IsNotFound for an action that existed means: it is over, look at the object.
func (c *Client) GetAction(ctx context.Context, uid string) (*Action, error) {
	out := new(Action)
	if err := c.get(ctx, "/v1/actions/{uid}", "/v1/actions/"+uid, out); err != nil {
		return nil, err
	}
	return out, nil
}
