// Package admission answers the API server's question whether a change of a custom resource is acceptable. It holds the
// HTTPS server, its certificate and the two review versions; the rules themselves live with the kinds, so that the
// webhook and the loop cannot disagree.
package admission

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The review versions understood. Both have the same fields, so one Go type serves both; the answer goes out in the
// version the question came in (ADM-3).
const (
	reviewV1      = "admission.k8s.io/v1"
	reviewV1beta1 = "admission.k8s.io/v1beta1"
	reviewKind    = "AdmissionReview"
)

// Operation is what is about to happen to the object.
type Operation string

// The operations a rule may be asked about.
const (
	Create Operation = "CREATE"
	Update Operation = "UPDATE"
)

// Request is one change that the API server asks about, whichever review version it came in.
type Request struct {
	Operation Operation
	Resource  string // plural, lower case
	Version   string // of the resource
	Namespace string
	Name      string
	Object    []byte // JSON as it would be stored
	Old       []byte // JSON as it is stored; empty on CREATE
}

// Verdict is the answer: no denial means yes. Warnings are shown to whoever makes the change.
type Verdict struct {
	Denials  []string // each names the spec path it is about
	Warnings []string
}

// parseReview reads a review of either version.
func parseReview(body []byte) (*admissionv1.AdmissionReview, error) {
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(body, &review); err != nil {
		return nil, fmt.Errorf("not an admission review: %w", err)
	}
	if review.Kind != reviewKind || (review.APIVersion != reviewV1 && review.APIVersion != reviewV1beta1) {
		return nil, fmt.Errorf("want kind %s of %s or %s, got kind %q of %q", reviewKind, reviewV1, reviewV1beta1, review.Kind, review.APIVersion)
	}
	if review.Request == nil {
		return nil, fmt.Errorf("the review asks nothing: request is missing")
	}
	return &review, nil
}

func requestOf(review *admissionv1.AdmissionReview) Request {
	r := review.Request
	return Request{
		Operation: Operation(r.Operation),
		Resource:  r.Resource.Resource,
		Version:   r.Resource.Version,
		Namespace: r.Namespace,
		Name:      r.Name,
		Object:    r.Object.Raw,
		Old:       r.OldObject.Raw,
	}
}

// answer turns a verdict into the review that is sent back.
func answer(review *admissionv1.AdmissionReview, v Verdict) *admissionv1.AdmissionReview {
	response := &admissionv1.AdmissionResponse{
		UID:      review.Request.UID,
		Allowed:  len(v.Denials) == 0,
		Warnings: v.Warnings,
	}
	if !response.Allowed {
		response.Result = &metav1.Status{
			Status:  metav1.StatusFailure,
			Code:    http.StatusUnprocessableEntity,
			Reason:  metav1.StatusReasonInvalid,
			Message: strings.Join(v.Denials, "; "),
		}
	}
	return &admissionv1.AdmissionReview{TypeMeta: review.TypeMeta, Response: response}
}
