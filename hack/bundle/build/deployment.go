package build

import (
	"fmt"
	"sort"
	"strings"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	corev1 "k8s.io/api/core/v1"
)

const (
	imagePrefix   = "RELATED_IMAGE_"
	operatorImage = "operator"
)

// deployment is the one of config/manager, with the namespaces that OLM gives and with images by digest.
func (s *Source) deployment() (v1alpha1.StrategyDeploymentSpec, error) {
	d := s.Deployment.DeepCopy()
	pod := &d.Spec.Template.Spec
	pod.Affinity = &corev1.Affinity{NodeAffinity: s.architectures()}
	for i := range pod.Containers {
		c := &pod.Containers[i]
		c.Image = s.Release.Images[operatorImage]
		for j := range c.Env {
			if err := s.adapt(&c.Env[j]); err != nil {
				return v1alpha1.StrategyDeploymentSpec{}, err
			}
		}
	}
	labels := map[string]string{"app.kubernetes.io/name": s.Release.Package}
	for key, value := range d.Labels {
		labels[key] = value
	}
	return v1alpha1.StrategyDeploymentSpec{Name: d.Name, Spec: d.Spec, Label: labels}, nil
}

// architectures keeps the operator on nodes that the labels of the CSV promise.
func (s *Source) architectures() *corev1.NodeAffinity {
	var term corev1.NodeSelectorTerm
	for _, each := range []struct{ prefix, key string }{{"operatorframework.io/arch.", corev1.LabelArchStable}, {"operatorframework.io/os.", corev1.LabelOSStable}} {
		var names []string
		for label, value := range s.Base.Labels {
			if name, found := strings.CutPrefix(label, each.prefix); found && value == "supported" {
				names = append(names, name)
			}
		}
		sort.Strings(names)
		term.MatchExpressions = append(term.MatchExpressions, corev1.NodeSelectorRequirement{Key: each.key, Operator: corev1.NodeSelectorOpIn, Values: names})
	}
	return &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{term}}}
}

func (s *Source) adapt(variable *corev1.EnvVar) error {
	if variable.Name == "WATCH_NAMESPACE" {
		variable.ValueFrom = &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['olm.targetNamespaces']"}}
	}
	if !strings.HasPrefix(variable.Name, imagePrefix) {
		return nil
	}
	image, known := s.Release.Images[imageName(variable.Name)]
	if !known {
		// Our own programs are one binary in one image.
		if !strings.Contains(variable.Value, "/open-redis-enterprise/operator") {
			return fmt.Errorf("release.yaml names no image %s for %s", imageName(variable.Name), variable.Name)
		}
		image = s.Release.Images[operatorImage]
	}
	variable.Value = image
	return nil
}

// imageName is what the image of a variable is called: RELATED_IMAGE_SERVICES_RIGGER is services-rigger.
func imageName(variable string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, imagePrefix), "_", "-"))
}

// relatedImages lists the operator's image and that of each variable.
func relatedImages(d v1alpha1.StrategyDeploymentSpec) []v1alpha1.RelatedImage {
	images := map[string]string{}
	for _, c := range d.Spec.Template.Spec.Containers {
		images[operatorImage] = c.Image
		for _, variable := range c.Env {
			if strings.HasPrefix(variable.Name, imagePrefix) {
				images[imageName(variable.Name)] = variable.Value
			}
		}
	}
	out := make([]v1alpha1.RelatedImage, 0, len(images))
	for name, image := range images {
		out = append(out, v1alpha1.RelatedImage{Name: name, Image: image})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}
