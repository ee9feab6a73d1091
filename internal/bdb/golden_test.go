package bdb

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestCreateBody compares the create body of each resource in testdata with the file beside it.
func TestCreateBody(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			redb := new(v1alpha1.RedisEnterpriseDatabase)
			if err := yaml.UnmarshalStrict(data, redb); err != nil {
				t.Fatal(err)
			}
			if problems := Validate(redb.Name, &redb.Spec); len(problems) > 0 {
				t.Fatalf("the fixture is not valid: %v", problems)
			}
			body, err := Create(inputsOf(redb))
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".json", got)
		})
	}
}

func inputsOf(redb *v1alpha1.RedisEnterpriseDatabase) Inputs {
	in := Inputs{Name: redb.Name, Spec: &redb.Spec, Tags: OwnTags("ns", redb.Name, &redb.Spec), Salt: "salt"}
	switch {
	case redb.Spec.Type == v1alpha1.DatabaseMemcached:
		in.SASL = &SASL{Username: "user", Password: "secret"}
	case redb.Spec.HasDefaultUser():
		in.Password = rest.Ptr("secret")
	}
	for _, name := range redb.Spec.ClientAuthenticationCertificates {
		in.ClientCertificates = append(in.ClientCertificates, "certificate in "+name)
	}
	return in
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, got, "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	if *update {
		if err := os.WriteFile(file, pretty.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, pretty.Bytes()) {
		t.Fatalf("%s differs (run with -update to accept):\n%s", file, pretty.String())
	}
}
