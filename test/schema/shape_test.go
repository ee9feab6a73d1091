package schema

import (
	"context"
	"slices"
	"strings"
	"testing"

	apiextv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	crdvalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
)

// TestCRDsAreValid runs the checks an API server makes before it stores a CRD, among them that the schema is structural.
func TestCRDsAreValid(t *testing.T) {
	crds := loadCRDs(t)
	for _, kind := range kinds {
		crd := crds[kind]
		if crd == nil {
			t.Errorf("%s has no CRD", kind)
			continue
		}
		for _, err := range crdvalidation.ValidateCustomResourceDefinition(context.Background(), internalCRD(t, crd)) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if len(crds) != len(kinds) {
		t.Errorf("%d CRDs for %d kinds", len(crds), len(kinds))
	}
}

// column is a printer column: name and path.
type column struct{ name, path string }

var facts = map[string]struct {
	plural, short string
	versions      []string
	columns       []column
}{
	"RedisEnterpriseCluster": {"redisenterpriseclusters", "rec", []string{"v1", "v1alpha1"}, []column{
		{"Nodes", ".spec.nodes"},
		{"Shards", ".status.licenseStatus.shardsUsage"},
		{"Version", ".spec.redisEnterpriseImageSpec.versionTag"},
		{"State", ".status.state"},
		{"Spec Status", ".status.specStatus"},
		{"License State", ".status.licenseStatus.licenseState"},
		{"License Expiration Date", ".status.licenseStatus.expirationDate"},
		{"Age", ".metadata.creationTimestamp"},
	}},
	"RedisEnterpriseDatabase": {"redisenterprisedatabases", "redb", []string{"v1alpha1"}, []column{
		{"Version", ".status.version"},
		{"Port", ".status.internalEndpoints[*].port"},
		{"Cluster", ".status.redisEnterpriseCluster"},
		{"Shards", ".status.shardStatuses.active"},
		{"Status", ".status.status"},
		{"Spec Status", ".status.specStatus"},
		{"Age", ".metadata.creationTimestamp"},
	}},
	"RedisEnterpriseRemoteCluster": {"redisenterpriseremoteclusters", "rerc", []string{"v1alpha1"}, []column{
		{"Status", ".status.status"},
		{"Spec Status", ".status.specStatus"},
		{"Local", ".status.local"},
	}},
	"RedisEnterpriseActiveActiveDatabase": {"redisenterpriseactiveactivedatabases", "reaadb", []string{"v1alpha1"}, []column{
		{"Status", ".status.status"},
		{"Spec Status", ".status.specStatus"},
		{"Linked REDBs", ".status.linkedRedbs[*]"},
		{"Replication Status", ".status.replicationStatus"},
	}},
}

// TestNamesAndColumns compares what scripts and people rely on: names, versions, the table that kubectl prints.
func TestNamesAndColumns(t *testing.T) {
	crds := loadCRDs(t)
	for kind, want := range facts {
		t.Run(kind, func(t *testing.T) {
			crd := crds[kind]
			names := crd.Spec.Names
			if names.Plural != want.plural || !slices.Equal(names.ShortNames, []string{want.short}) {
				t.Errorf("names are %s %v", names.Plural, names.ShortNames)
			}
			if crd.Spec.Group != "app.redislabs.com" || crd.Spec.Scope != apiextv1.NamespaceScoped {
				t.Errorf("group %s, scope %s", crd.Spec.Group, crd.Spec.Scope)
			}
			if crd.Labels["app"] != "redis-enterprise" {
				t.Errorf("labels are %v", crd.Labels)
			}
			if crd.Spec.Conversion != nil && crd.Spec.Conversion.Strategy != apiextv1.NoneConverter {
				t.Errorf("conversion is %s", crd.Spec.Conversion.Strategy)
			}
			var versions []string
			for _, version := range crd.Spec.Versions {
				versions = append(versions, version.Name)
				checkVersion(t, version, want.columns)
			}
			slices.Sort(versions)
			if !slices.Equal(versions, want.versions) {
				t.Errorf("versions are %v", versions)
			}
		})
	}
}

func checkVersion(t *testing.T, version apiextv1.CustomResourceDefinitionVersion, want []column) {
	t.Helper()
	var got []column
	for _, c := range version.AdditionalPrinterColumns {
		got = append(got, column{c.Name, c.JSONPath})
		if wantDate := c.Name == "Age"; wantDate != (c.Type == "date") {
			t.Errorf("%s: column %s has type %s", version.Name, c.Name, c.Type)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: columns are %v, want %v", version.Name, got, want)
	}
	if !version.Served || version.Subresources == nil || version.Subresources.Status == nil {
		t.Errorf("%s: must be served and have a status subresource", version.Name)
	}
}

// TestClusterVersions checks that v1 is what is stored and that v1alpha1 warns.
func TestClusterVersions(t *testing.T) {
	for _, version := range loadCRDs(t)["RedisEnterpriseCluster"].Spec.Versions {
		old := version.Name == "v1alpha1"
		if version.Storage == old {
			t.Errorf("%s: storage is %v", version.Name, version.Storage)
		}
		if version.Deprecated != old {
			t.Errorf("%s: deprecated is %v", version.Name, version.Deprecated)
		}
		if old && (version.DeprecationWarning == nil || !strings.Contains(*version.DeprecationWarning, "app.redislabs.com/v1 ")) {
			t.Errorf("%s: the warning does not name the version to use", version.Name)
		}
	}
}

// TestSize keeps the CRDs below what a client-side apply can remember, and free of the manual of Kubernetes itself.
func TestSize(t *testing.T) {
	const limit = 256 * 1024
	for kind, crd := range loadCRDs(t) {
		if size := len(mustJSON(t, crd)); size > limit-4096 {
			t.Errorf("%s: %d bytes; kubectl apply can remember %d", kind, size, limit)
		}
	}
}

// TestDescriptions checks that each field of our own is explained.
func TestDescriptions(t *testing.T) {
	embedded := []string{
		"apiVersion", "kind", "metadata", "extraEnvVars", "podAntiAffinity", "podTolerations", "volumes",
		"redisEnterpriseVolumeMounts", "sideContainersSpec", "conditions", "resources", "bootstrapperResources",
		"redisEnterpriseNodeResources", "redisEnterpriseServicesRiggerResources",
		"redisEnterpriseAdditionalPodSpecAttributes", "servicesRiggerAdditionalPodSpecAttributes",
	}
	var walk func(schema *apiextv1.JSONSchemaProps, path string)
	walk = func(schema *apiextv1.JSONSchemaProps, path string) {
		for name, child := range schema.Properties {
			if child.Description == "" && name != "metadata" {
				t.Errorf("%s.%s has no description", path, name)
			}
			if !slices.Contains(embedded, name) {
				walk(&child, path+"."+name)
			}
		}
		if schema.Items != nil {
			walk(schema.Items.Schema, path+"[]")
		}
	}
	for kind, crd := range loadCRDs(t) {
		for _, version := range crd.Spec.Versions {
			walk(version.Schema.OpenAPIV3Schema, kind+"/"+version.Name)
		}
	}
}
