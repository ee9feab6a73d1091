package check

import (
	"strings"
	"testing"

	"github.com/operator-framework/api/pkg/validation"
	validator "github.com/operator-framework/api/pkg/validation/interfaces"
)

// tolerated are warnings that say nothing about the bundle.
var tolerated = []string{
	`The "operatorhub" validator is deprecated`,
	// The multiarch validator pulls images even when it is told that there is no container tool. TestCertificationArchitectures compares
	// labels and affinity without pulling.
	"unable to inspect the image",
	`"error/error"`,
}

// TestValidators runs everything that operator-sdk bundle validate can run, and lets no warning pass.
func TestValidators(t *testing.T) {
	validators := []struct {
		name     string
		validate validator.Validator
		options  map[string]string
	}{
		{"csv", validation.ClusterServiceVersionValidator, nil},
		{"crd", validation.CustomResourceDefinitionValidator, nil},
		{"bundle", validation.BundleValidator, nil},
		{"operatorhubv2", validation.OperatorHubV2Validator, map[string]string{"k8s-version": "1.35"}},
		{"operatorhub", validation.OperatorHubValidator, map[string]string{"k8s-version": "1.35"}}, //nolint:staticcheck // the community catalog still runs it
		{"good-practices", validation.GoodPracticesValidator, nil},
		{"capabilities", validation.StandardCapabilitiesValidator, nil},
		{"categories", validation.StandardCategoriesValidator, nil},
		{"object", validation.ObjectValidator, nil},
		{"alpha-deprecated-apis", validation.AlphaDeprecatedAPIsValidator, map[string]string{"k8s-version": "1.26"}},
		{"alpha-deprecated-apis 1.35", validation.AlphaDeprecatedAPIsValidator, map[string]string{"k8s-version": "1.35"}},
		{"multiarch", validation.MultipleArchitecturesValidator, map[string]string{"container-tools": "none"}},
		{"community", validation.CommunityOperatorValidator, map[string]string{"index-path": root + "/bundle.Dockerfile"}},
	}
	every(t, func(t *testing.T, v variant) {
		for _, each := range validators {
			t.Run(each.name, func(t *testing.T) {
				objects := v.ObjectsToValidate()
				if each.options != nil {
					objects = append(objects, each.options)
				}
				objects = append(objects, v.Bundle)
				for _, result := range each.validate.Validate(objects...) {
					for _, problem := range append(result.Errors, result.Warnings...) {
						if !tolerable(problem.Error()) {
							t.Errorf("%s: %s", result.Name, problem.Error())
						}
					}
				}
			})
		}
	})
}

func tolerable(problem string) bool {
	for _, t := range tolerated {
		if strings.Contains(problem, t) {
			return true
		}
	}
	return false
}
