package admission

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	admissionv1 "k8s.io/api/admission/v1"
	admissionv1beta1 "k8s.io/api/admission/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// pods stand in for a custom resource: a rule that refuses one node name and warns of another.
func podKind() Kind {
	return For("pods", func() *corev1.Pod { return &corev1.Pod{} }, func(_ context.Context, old, pod *corev1.Pod) Verdict {
		switch {
		case old != nil && old.Spec.NodeName != pod.Spec.NodeName && old.Spec.NodeName != "":
			return Verdict{Denials: []string{"spec.nodeName: cannot change"}}
		case pod.Spec.NodeName == "bad":
			return Verdict{Denials: []string{"spec.nodeName: bad is refused", "spec.other: too"}}
		case pod.Spec.NodeName == "odd":
			return Verdict{Warnings: []string{"odd, but allowed in " + pod.Namespace}}
		case pod.Annotations["judged"] == "bad":
			return Verdict{Denials: []string{"metadata.annotations[judged]: bad is refused"}}
		}
		return Verdict{}
	}, "judged")
}

func pod(node string, deleting bool) []byte {
	p := corev1.Pod{TypeMeta: metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"}, Spec: corev1.PodSpec{NodeName: node}}
	p.Name = "p"
	if deleting {
		now := metav1.Now()
		p.DeletionTimestamp = &now
	}
	raw, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return raw
}

// judged is a pod that says something in an annotation that the rules judge.
func judged(node, word string) []byte {
	var p corev1.Pod
	if err := json.Unmarshal(pod(node, false), &p); err != nil {
		panic(err)
	}
	p.Annotations = map[string]string{"judged": word, "other": word}
	raw, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return raw
}

func post(t *testing.T, body any) *httptest.ResponseRecorder {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	NewHandler(logr.Discard(), podKind()).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/admission", bytes.NewReader(raw)))
	return w
}

func TestADM3_AnswersInTheVersionReceived(t *testing.T) {
	t.Run("ADM-3 v1beta1", func(t *testing.T) {
		w := post(t, admissionv1beta1.AdmissionReview{
			TypeMeta: metav1.TypeMeta{Kind: "AdmissionReview", APIVersion: "admission.k8s.io/v1beta1"},
			Request: &admissionv1beta1.AdmissionRequest{
				UID: "u-1", Operation: admissionv1beta1.Create, Namespace: "ns",
				Resource: metav1.GroupVersionResource{Version: "v1", Resource: "pods"},
				Object:   runtime.RawExtension{Raw: pod("bad", false)},
			},
		})
		var got admissionv1beta1.AdmissionReview
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.APIVersion != "admission.k8s.io/v1beta1" || got.Kind != "AdmissionReview" || got.Response.UID != types.UID("u-1") || got.Response.Allowed {
			t.Errorf("answer = %+v", got)
		}
		if want := "spec.nodeName: bad is refused; spec.other: too"; got.Response.Result.Message != want {
			t.Errorf("message = %q, want %q", got.Response.Result.Message, want)
		}
	})
	t.Run("ADM-3 v1", func(t *testing.T) {
		got := review(t, admissionv1.Create, pod("odd", false), nil)
		if got.APIVersion != "admission.k8s.io/v1" || !got.Response.Allowed || got.Response.UID != "u-2" {
			t.Errorf("answer = %+v", got)
		}
		if len(got.Response.Warnings) != 1 || got.Response.Warnings[0] != "odd, but allowed in ns" {
			t.Errorf("warnings = %q", got.Response.Warnings)
		}
	})
}

func review(t *testing.T, op admissionv1.Operation, object, old []byte) admissionv1.AdmissionReview {
	t.Helper()
	return reviewOf(t, "pods", op, object, old)
}

func reviewOf(t *testing.T, resource string, op admissionv1.Operation, object, old []byte) admissionv1.AdmissionReview {
	t.Helper()
	w := post(t, admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{Kind: "AdmissionReview", APIVersion: "admission.k8s.io/v1"},
		Request: &admissionv1.AdmissionRequest{
			UID: "u-2", Operation: op, Namespace: "ns",
			Resource:  metav1.GroupVersionResource{Version: "v1", Resource: resource},
			Object:    runtime.RawExtension{Raw: object},
			OldObject: runtime.RawExtension{Raw: old},
		},
	})
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	var got admissionv1.AdmissionReview
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestReview(t *testing.T) {
	cases := []struct {
		name    string
		op      admissionv1.Operation
		object  []byte
		old     []byte
		allowed bool
	}{
		{"a good object passes", admissionv1.Create, pod("good", false), nil, true},
		{"a bad one does not", admissionv1.Create, pod("bad", false), nil, false},
		{"rules see the old object", admissionv1.Update, pod("b", false), pod("a", false), false},
		{"an unchanged spec passes however bad it is", admissionv1.Update, pod("bad", false), pod("bad", false), true},
		{"an annotation that is judged is no other", admissionv1.Update, judged("good", "bad"), judged("good", "fine"), false},
		{"nor does it stop what leaves it as it is", admissionv1.Update, judged("good", "bad"), judged("good", "bad"), true},
		{"an object being deleted passes", admissionv1.Update, pod("bad", true), pod("a", true), true},
		{"ADM-4 a deletion is not our question", admissionv1.Delete, nil, pod("bad", false), true},
		{"an object that cannot be read is refused", admissionv1.Create, []byte(`{"spec":{"nodeName":7}}`), nil, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := review(t, c.op, c.object, c.old); got.Response.Allowed != c.allowed {
				t.Errorf("allowed = %v, want %v (%+v)", got.Response.Allowed, c.allowed, got.Response.Result)
			}
		})
	}
	t.Run("a kind we have no rules for passes with a warning", func(t *testing.T) {
		got := reviewOf(t, "redisenterpriseusers", admissionv1.Create, pod("bad", false), nil)
		if !got.Response.Allowed || len(got.Response.Warnings) != 1 {
			t.Errorf("answer = %+v", got.Response)
		}
	})
}

func TestHandlerRefusesWhatIsNoReview(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON":          "hello",
		"another kind":     `{"kind":"Pod","apiVersion":"v1"}`,
		"another version":  `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v2","request":{}}`,
		"nothing is asked": `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			NewHandler(logr.Discard()).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/admission", strings.NewReader(body)))
			if w.Code != http.StatusBadRequest {
				t.Errorf("status = %d, want 400", w.Code)
			}
		})
	}
}
