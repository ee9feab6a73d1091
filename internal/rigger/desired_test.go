package rigger

import (
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

func bdb(uid int64, name string, port int, addr ...string) rest.BDB {
	id := rest.UID(uid)
	return rest.BDB{UID: &id, Name: &name, Endpoints: &[]rest.Endpoint{{Port: rest.Int(port), Addr: addr}}}
}

// read takes databases as they come, none of them in the way of anything.
func read(list ...rest.BDB) []Database {
	dbs, _ := Databases(settings(ClusterIP), list, nil)
	return dbs
}

func settings(types ...string) Settings {
	return Settings{Cluster: "rec", Namespace: "ns", ClusterUID: "u", Types: types}
}

func TestRIG3_REDB16_REDB17_ServiceTypes(t *testing.T) {
	dbs := read(bdb(1, "orders", 12000, "10.0.0.1"))
	got := map[string]corev1.ServiceSpec{}
	for _, o := range Services(settings(ClusterIP, Headless, LoadBalancer), dbs) {
		got[o.GetName()] = o.(*corev1.Service).Spec
	}
	if len(got) != 3 {
		t.Fatalf("services: %v", slices.Collect(maps.Keys(got)))
	}
	if s := got["orders"]; s.Type != corev1.ServiceTypeClusterIP || s.ClusterIP == corev1.ClusterIPNone {
		t.Errorf("orders: %+v", s)
	}
	if s := got["orders-headless"]; s.ClusterIP != corev1.ClusterIPNone {
		t.Errorf("orders-headless: %+v", s)
	}
	if s := got["orders-load-balancer"]; s.Type != corev1.ServiceTypeLoadBalancer {
		t.Errorf("orders-load-balancer: %+v", s)
	}
	for name, s := range got {
		if s.Selector["redis.io/bdb-1"] != "1" {
			t.Errorf("RIG-6 %s selects %v", name, s.Selector)
		}
		if p := s.Ports[0]; p.Name != "redis" || p.Port != 12000 || p.TargetPort.IntVal != 12000 {
			t.Errorf("%s port %+v", name, p)
		}
	}
}

func TestRIG4_NamedByPort(t *testing.T) {
	s := settings(ClusterIP)
	s.ByPort = true
	dbs := read(bdb(1, "orders", 12000))
	if got := Services(s, dbs)[0].GetName(); got != "redis-12000" {
		t.Errorf("name = %s", got)
	}
}

func TestRIG5_PortPolicy(t *testing.T) {
	s := settings(ClusterIP)
	s.DefaultPort = true
	db := bdb(1, "orders", 12000)
	dbs := read(db)
	if p := Services(s, dbs)[0].(*corev1.Service).Spec.Ports[0]; p.Port != 6379 || p.TargetPort.IntVal != 12000 {
		t.Errorf("policy: %+v", p)
	}
	db.Tags = &[]rest.Tag{{Key: "db_service_port", Value: "7000"}}
	dbs = read(db)
	if p := Services(s, dbs)[0].(*corev1.Service).Spec.Ports[0]; p.Port != 7000 || p.TargetPort.IntVal != 12000 {
		t.Errorf("the database's own port beats the policy: %+v", p)
	}
}

func TestNET12_LoadBalancerForClusterAwareClients(t *testing.T) {
	s := settings(ClusterIP)
	s.DefaultPort = true
	db := bdb(1, "orders", 12000)
	db.Tags = &[]rest.Tag{{Key: "oss_cluster_access", Value: "external"}, {Key: "db_service_port", Value: "7000"}}
	ports := map[string]int32{}
	for _, o := range Services(s, read(db, bdb(2, "carts", 12001))) {
		ports[o.GetName()] = o.(*corev1.Service).Spec.Ports[0].Port
	}
	want := map[string]int32{"orders": 7000, "orders-load-balancer": 12000, "carts": 6379}
	if !maps.Equal(ports, want) {
		t.Errorf("Services %v, not %v", ports, want)
	}
	s.Types = []string{LoadBalancer}
	if got := Services(s, read(db)); len(got) != 1 {
		t.Errorf("%d Services where one was asked for anyway", len(got))
	}
	if dbs, left := Databases(s, []rest.BDB{db}, map[string]bool{"orders-load-balancer": true}); len(dbs) != 0 || len(left) != 1 {
		t.Errorf("a Service of the cluster is in the way: %v, %v", dbs, left)
	}
}

func TestRIG7_ExtraLabels(t *testing.T) {
	s := settings(ClusterIP)
	s.ExtraLabels = map[string]string{"team": "a", "app": "mine"}
	dbs := read(bdb(1, "orders", 12000))
	got := Services(s, dbs)[0].GetLabels()
	if got["team"] != "a" || got["app"] != "redis-enterprise" || got["redis.io/cluster"] != "rec" {
		t.Errorf("labels = %v", got)
	}
}

func TestRIG8_DuplicateNames(t *testing.T) {
	dbs, left := Databases(settings(ClusterIP), []rest.BDB{bdb(7, "orders", 12001), bdb(2, "orders", 12000), bdb(3, "carts", 12002)}, nil)
	if len(dbs) != 2 || dbs[0].UID != 2 || dbs[1].UID != 3 {
		t.Errorf("the oldest keeps its services: %+v", dbs)
	}
	if len(left) != 1 {
		t.Errorf("the namesake is told of: %v", left)
	}
}

func TestRIG2_LeftOut(t *testing.T) {
	internal, yes := bdb(1, "system", 12000), true
	internal.Internal = &yes
	pending := bdb(2, "young", 0)
	odd := bdb(3, "Bad_Name", 12001)
	dbs, left := Databases(settings(ClusterIP), []rest.BDB{internal, pending, odd}, nil)
	if len(dbs) != 0 || len(left) != 1 {
		t.Errorf("served %v, left %v", dbs, left)
	}
}

func TestRIG6_AFailoverTakesNoServiceAway(t *testing.T) {
	away, port := bdb(1, "orders", 12000), rest.Int(12000)
	away.Port = &port
	for name, endpoints := range map[string]*[]rest.Endpoint{"none": nil, "no list": {}, "an empty one": {{}}} {
		away.Endpoints = endpoints
		if dbs := read(away); len(dbs) != 1 || dbs[0].Port != 12000 || len(dbs[0].Addresses) != 0 {
			t.Errorf("%s: %+v", name, dbs)
		}
	}
}

func TestServicesOfTheClusterAreNotTaken(t *testing.T) {
	list := []rest.BDB{bdb(1, "rec", 12000), bdb(2, "orders", 12001)}
	dbs, left := Databases(settings(ClusterIP, Headless), list, map[string]bool{"rec": true, "rec-ui": true, "orders": false})
	if len(dbs) != 1 || dbs[0].Name != "orders" || len(left) != 1 || !strings.Contains(left[0], "the cluster itself has a Service rec") {
		t.Errorf("%+v, %v", dbs, left)
	}
	byPort := settings(ClusterIP)
	byPort.ByPort = true
	if dbs, _ := Databases(byPort, list, map[string]bool{"rec": true}); len(dbs) != 2 {
		t.Errorf("its Service is called redis-12000: %+v", dbs)
	}
}

func TestRIG8_TwoDatabasesWithOneService(t *testing.T) {
	dbs, left := Databases(settings(ClusterIP, Headless), []rest.BDB{bdb(2, "orders-headless", 12001), bdb(1, "orders", 12000), bdb(3, "carts", 12002)}, nil)
	if len(dbs) != 2 || dbs[0].Name != "orders" || dbs[1].Name != "carts" {
		t.Errorf("the oldest keeps its Services: %+v", dbs)
	}
	if len(left) != 1 || !strings.Contains(left[0], "orders-headless (uid 2): database orders has a Service orders-headless") {
		t.Errorf("%v", left)
	}
}

func TestRIG11_Lenient(t *testing.T) {
	got, err := ParseTypes(" Cluster_IP, load_balancer,cluster_ip ")
	if err != nil || !slices.Equal(got, []string{ClusterIP, LoadBalancer}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := ParseTypes(""); err != nil || !slices.Equal(got, []string{ClusterIP, Headless}) {
		t.Errorf("default: %v, %v", got, err)
	}
	if _, err := ParseTypes("LoadBalancer"); err == nil {
		t.Error("LoadBalancer is not one of the words")
	}
}

func TestRIG6_LabelsFollowEndpoints(t *testing.T) {
	pod := func(name, ip string, labels map[string]string) corev1.Pod {
		return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Status: corev1.PodStatus{PodIP: ip}}
	}
	dbs := read(bdb(1, "a", 12000, "10.0.0.2"), bdb(2, "b", 12001, "10.0.0.1", "10.0.0.2"))
	got := Labels([]corev1.Pod{
		pod("rec-0", "10.0.0.1", map[string]string{"redis.io/bdb-1": "1", "redis.io/bdb-2": "2", "app": "redis-enterprise"}),
		pod("rec-1", "10.0.0.2", map[string]string{"redis.io/bdb-2": "2"}),
		pod("rec-2", "", map[string]string{"redis.io/bdb-9": "9"}),
	}, dbs)
	if len(got) != 3 {
		t.Fatalf("changes: %+v", got)
	}
	if got[0].Pod != "rec-0" || len(got[0].Add) != 0 || !slices.Equal(got[0].Remove, []string{"redis.io/bdb-1"}) {
		t.Errorf("the endpoint left rec-0: %+v", got[0])
	}
	if got[1].Pod != "rec-1" || got[1].Add["redis.io/bdb-1"] != "1" || len(got[1].Remove) != 0 {
		t.Errorf("the endpoint came to rec-1: %+v", got[1])
	}
	if !slices.Equal(got[2].Remove, []string{"redis.io/bdb-9"}) {
		t.Errorf("a deleted database leaves no label: %+v", got[2])
	}
	if again := Labels([]corev1.Pod{pod("rec-1", "10.0.0.2", map[string]string{"redis.io/bdb-1": "1", "redis.io/bdb-2": "2"})}, dbs); len(again) != 0 {
		t.Errorf("nothing to change: %+v", again)
	}
}

func TestRIG3_ANameIsJudgedByTheServicesThatAreMade(t *testing.T) {
	long, byPort := strings.Repeat("a", 54), settings(LoadBalancer)
	byPort.ByPort = true
	for name, c := range map[string]struct {
		s    Settings
		want int
	}{
		"they fit":                      {settings(ClusterIP, Headless), 1},
		"one of them does not":          {settings(ClusterIP, LoadBalancer), 0},
		"they are named after the port": {byPort, 1},
	} {
		if dbs, left := Databases(c.s, []rest.BDB{bdb(1, long, 12000)}, nil); len(dbs) != c.want || len(left) != 1-c.want {
			t.Errorf("%s: %d %v", name, len(dbs), left)
		}
	}
}
