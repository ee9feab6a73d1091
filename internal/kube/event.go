package kube

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Event is one line of the object's history: something changed, and a person may want to know.
type Event struct {
	Warning bool
	Reason  string // one of the constants in package names
	Message string
}

// Normal makes an event that tells of progress.
func Normal(reason, message string) Event { return Event{Reason: reason, Message: message} }

// Warning makes an event that asks for attention.
func Warning(reason, message string) Event {
	return Event{Warning: true, Reason: reason, Message: message}
}

// Emit sends the events of one run, in order.
func Emit(recorder record.EventRecorder, obj client.Object, events []Event) {
	for _, e := range events {
		kind := corev1.EventTypeNormal
		if e.Warning {
			kind = corev1.EventTypeWarning
		}
		recorder.Event(obj, kind, e.Reason, e.Message)
	}
}
