package cluster

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/open-redis-enterprise/operator/internal/outcome"
)

func TestREC21_WhatKubernetesFindsInvalidIsForThePersonToMend(t *testing.T) {
	pod := field.NewPath("spec", "template", "spec")
	for name, c := range map[string]struct {
		kind string
		at   *field.Path
		want string
	}{
		"a toleration":           {"StatefulSet", pod.Child("tolerations").Index(0).Child("effect"), "spec.podTolerations"},
		"a container beside":     {"StatefulSet", pod.Child("containers").Index(2).Child("image"), "spec.sideContainersSpec"},
		"the node's resources":   {"StatefulSet", pod.Child("containers").Index(0).Child("resources"), "spec.redisEnterpriseNodeResources"},
		"anything else of a pod": {"StatefulSet", pod.Child("hostname"), "spec.redisEnterpriseAdditionalPodSpecAttributes"},
		"the claims":             {"StatefulSet", field.NewPath("spec", "volumeClaimTemplates").Index(0), "spec.persistentSpec"},
		"another kind":           {"Service", field.NewPath("spec", "ports"), "spec"},
	} {
		t.Run(name, func(t *testing.T) {
			refused := apierrors.NewInvalid(schema.GroupKind{Group: "apps", Kind: c.kind}, "rec", field.ErrorList{field.Invalid(c.at, "x", "must be y")})
			verdict := outcome.Of(invalidObject(fmt.Errorf("apply: %w", refused)))
			if verdict.Kind != outcome.KindRejected || !strings.HasPrefix(verdict.Path+" "+verdict.Message, c.want) || !strings.Contains(verdict.Message, "must be y") {
				t.Errorf("%+v", verdict)
			}
		})
	}
	t.Run("any other error stays", func(t *testing.T) {
		if err := errors.New("refused"); !errors.Is(invalidObject(err), err) {
			t.Error(invalidObject(err))
		}
	})
}
