package activeactive

import (
	"fmt"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
)

// TestAA27_InANamespaceThatIsNotTheClusters applies what is documented: only the other participant names a namespace.
func TestAA27_InANamespaceThatIsNotTheClusters(t *testing.T) {
	_, sites := newWorld(t, "east", "west")
	east, west := sites[0], sites[1]
	east.home, west.home = "shop", "store"
	for _, s := range sites {
		s.make(s.secret("common to all"))
	}
	db := east.orders(&v1alpha1.GlobalConfigurations{DatabaseSecretName: "common"}, "east", "west")
	db.Spec.ParticipatingClusters[1].Namespace = west.home
	east.make(db)
	settled(sites...)

	for _, s := range sites {
		inst := instanceOn(s.crdb(), s.fqdn())
		if namespace, name := marks(inst.DBConfig); namespace != s.home || name != "orders" {
			t.Errorf("%s: the marks are %s/%s", s.name, namespace, name)
		}
		marked := Marked(types.NamespacedName{Namespace: s.namespace(), Name: "rec"}, s.links.Get(types.NamespacedName{Namespace: s.namespace(), Name: "rec"}).Latest())
		if !slices.Equal(marked, []types.NamespacedName{s.key()}) {
			t.Errorf("%s: a resource is looked for at %v", s.name, marked)
		}
	}
	west.edit(func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.GlobalConfigurations.MemorySize = "200MB"
	})
	together("AA-9 an edit is followed in the other namespace", sites, func(s *site, end error) (string, bool) {
		size := s.db().Spec.GlobalConfigurations.MemorySize
		return size, end == nil && size == "200MB"
	})
	if err := east.client.Delete(t.Context(), east.db()); err != nil {
		t.Fatal(err)
	}
	together("AA-25 gone everywhere", sites, func(s *site, _ error) (string, bool) { return fmt.Sprint(s.crdb()), s.db() == nil && s.crdb() == nil })
}

func TestAA27_TheLocalEntryNamesNoOtherNamespace(t *testing.T) {
	elsewhere := func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.ParticipatingClusters[0].Namespace = "elsewhere"
	}
	verdict := reviewer(t).review(t.Context(), nil, database(elsewhere))
	if want := "the namespace of the local cluster here is that of this resource, ns, and not elsewhere"; len(verdict.Denials) != 1 || !slices.Contains(verdict.Denials, pathClusters+": "+want) {
		t.Errorf("%q", verdict.Denials)
	}

	_, sites := newWorld(t, "east", "west") // the webhook may be off
	east := sites[0]
	db := east.orders(nil, "east", "west")
	elsewhere(db)
	east.make(db)
	together("the resource says so", sites[:1], func(_ *site, end error) (string, bool) {
		c := east.db().Status.SpecStatus
		return string(c), end != nil && c == "Invalid"
	})
	if east.crdb() != nil {
		t.Error("a database was made")
	}
}
