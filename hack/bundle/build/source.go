package build

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// Source is everything a bundle is made from.
type Source struct {
	// Root is the folder of the repository.
	Root       string
	Release    Release
	Base       v1alpha1.ClusterServiceVersion
	CRDs       []apiextensions.CustomResourceDefinition
	Deployment appsv1.Deployment
	// Roles and ClusterRoles are those bound to the operator's account, by binding.
	Roles        []rbacv1.Role
	ClusterRoles []rbacv1.ClusterRole
	// Aggregated are the roles that give people rights on the kinds.
	Aggregated []rbacv1.ClusterRole
	Webhooks   []admissionv1.ValidatingWebhook
	Samples    []Sample
	Markers    map[string]Marker
	Icon       []byte
	Text       string
}

// Sample is one file of config/samples.
type Sample struct {
	File   string
	Text   string
	Object map[string]any
}

// Kind is the sample's kind.
func (s Sample) Kind() string { kind, _ := s.Object["kind"].(string); return kind }

// Name is the sample's name.
func (s Sample) Name() string {
	metadata, _ := s.Object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	return name
}

// Description is the comment at the top of the file.
func (s Sample) Description() string {
	var words []string
	for line := range strings.Lines(s.Text) {
		comment, isComment := strings.CutPrefix(line, "#")
		if !isComment {
			break
		}
		words = append(words, strings.Fields(comment)...)
	}
	return strings.Join(words, " ")
}

// ReadSource reads the repository at root.
func ReadSource(root string) (*Source, error) {
	s := &Source{Root: root}
	for _, part := range []func() error{s.readManifests, s.readCRDs, s.readDeployment, s.readRoles, s.readWebhooks, s.readSamples, s.readMarkers} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Source) readManifests() error {
	folder := filepath.Join(s.Root, "config", "manifests")
	if err := read(filepath.Join(folder, "release.yaml"), &s.Release); err != nil {
		return err
	}
	if err := read(filepath.Join(folder, "clusterserviceversion.yaml"), &s.Base); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(folder, "description.md"))
	if err != nil {
		return err
	}
	s.Text = strings.TrimSpace(string(text)) + "\n"
	s.Icon, err = os.ReadFile(filepath.Join(folder, "icon.svg"))
	return err
}

func (s *Source) readCRDs() error {
	files, err := glob(s.Root, "config", "crd", "bases", "*.yaml")
	if err != nil {
		return err
	}
	for _, file := range files {
		var crd apiextensions.CustomResourceDefinition
		if err := read(file, &crd); err != nil {
			return err
		}
		s.CRDs = append(s.CRDs, crd)
	}
	return nil
}

func (s *Source) readDeployment() error {
	return read(filepath.Join(s.Root, "config", "manager", "deployment.yaml"), &s.Deployment)
}

// readRoles sorts the roles of config/rbac into those of the operator and those of people. The ClusterRole for its
// webhook configuration is left out: what OLM installs, OLM keeps.
func (s *Source) readRoles() error {
	files, err := glob(s.Root, "config", "rbac", "*.yaml")
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := documents(file, func(kind string, raw []byte) error {
			switch kind {
			case "Role":
				var role rbacv1.Role
				s.Roles = append(s.Roles, role)
				return sigsyaml.UnmarshalStrict(raw, &s.Roles[len(s.Roles)-1])
			case "ClusterRole":
				var role rbacv1.ClusterRole
				if err := sigsyaml.UnmarshalStrict(raw, &role); err != nil {
					return err
				}
				s.addClusterRole(role)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Source) addClusterRole(role rbacv1.ClusterRole) {
	switch {
	case aggregates(role):
		s.Aggregated = append(s.Aggregated, role)
	case !onlyWebhooks(role):
		s.ClusterRoles = append(s.ClusterRoles, role)
	}
}

func aggregates(role rbacv1.ClusterRole) bool {
	for label := range role.Labels {
		if strings.HasPrefix(label, "rbac.authorization.k8s.io/aggregate-to-") {
			return true
		}
	}
	return false
}

func onlyWebhooks(role rbacv1.ClusterRole) bool {
	return !slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool {
		return !slices.Equal(r.APIGroups, []string{"admissionregistration.k8s.io"})
	})
}

func (s *Source) readWebhooks() error {
	var configuration admissionv1.ValidatingWebhookConfiguration
	err := read(filepath.Join(s.Root, "config", "webhook", "manifests.yaml"), &configuration)
	s.Webhooks = configuration.Webhooks
	return err
}

// readSamples reads the samples in the order that their kustomization lists them.
func (s *Source) readSamples() error {
	var listed struct{ Resources []string }
	folder := filepath.Join(s.Root, "config", "samples")
	raw, err := os.ReadFile(filepath.Join(folder, "kustomization.yaml"))
	if err != nil {
		return err
	}
	if err := sigsyaml.Unmarshal(raw, &listed); err != nil {
		return err
	}
	for _, name := range listed.Resources {
		sample, err := readSample(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		s.Samples = append(s.Samples, sample)
	}
	return nil
}

func readSample(file string) (Sample, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return Sample{}, err
	}
	sample := Sample{File: filepath.Base(file), Text: string(raw)}
	if err := sigsyaml.Unmarshal(raw, &sample.Object); err != nil {
		return sample, fmt.Errorf("%s: %w", file, err)
	}
	return sample, nil
}

// documents calls visit for each document of a file.
func documents(file string, visit func(kind string, raw []byte) error) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	reader := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(raw)))
	defer func() { _ = reader.Close() }()
	buffer := make([]byte, len(raw)+1)
	for {
		n, err := reader.Read(buffer)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		var kind struct{ Kind string }
		if err := sigsyaml.Unmarshal(buffer[:n], &kind); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := visit(kind.Kind, buffer[:n]); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
}
