package children

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

func TestAVariableGivenTwiceIsTheLastOne(t *testing.T) {
	rec := &v1.RedisEnterpriseCluster{}
	rec.Name, rec.Namespace = "rec", "redis"
	rec.Spec.SideContainersSpec = []corev1.Container{{Name: "shipper", Image: "shipper:1",
		Env: []corev1.EnvVar{{Name: "TWICE", Value: "1"}, {Name: "ONCE", Value: "2"}, {Name: "TWICE", Value: "3"}}}}
	containers := nodePod(Cluster{REC: rec}).Spec.Containers
	want := []corev1.EnvVar{{Name: "ONCE", Value: "2"}, {Name: "TWICE", Value: "3"}}
	if got := containers[len(containers)-1].Env; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if len(rec.Spec.SideContainersSpec[0].Env) != 3 {
		t.Error("the user's spec was changed")
	}
}
