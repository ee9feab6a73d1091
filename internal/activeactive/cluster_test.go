package activeactive

import (
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/link"
)

// TestAA25_AClusterThatGoesIsAskedAsLongAsItAnswers: one call that fails drops no deletion.
func TestAA25_AClusterThatGoesIsAskedAsLongAsItAnswers(t *testing.T) {
	ago := func(d time.Duration) *metav1.Time { return &metav1.Time{Time: noon.Add(-d)} }
	for _, c := range []struct {
		name         string
		cluster, own time.Duration // since when they are being deleted
		read         time.Duration // since when nothing was read
		leaves       bool
	}{
		{"one bad reading", time.Hour, 2 * time.Minute, 10 * time.Second, false},
		{"silent, and deleted just now", time.Hour, 10 * time.Second, time.Hour, false},
		{"silent, and the cluster deleted just now", 10 * time.Second, time.Hour, time.Hour, false},
		{"silent for long", 2 * time.Minute, 2 * time.Minute, 2 * time.Minute, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t).made()
			s.in.Link, s.in.Database.DeletionTimestamp, s.in.Cluster.DeletionTimestamp = &link.Link{}, ago(c.own), ago(c.cluster)
			s.obs.Err, s.obs.Snapshot = errors.New("connection reset"), &link.Snapshot{Time: noon.Add(-c.read)}
			p := s.plan()
			if leaves := len(p.Steps) == 1 && strings.Contains(p.Steps[0].String(), "no longer answers"); leaves != c.leaves || !leaves && (len(p.Steps) > 0 || reasonOf(p.End) != appv1.ReasonClusterUnreachable) {
				t.Errorf("%v %v", p.Steps, p.End)
			}
		})
	}
}

// TestAA2_OnlyServicesThatAreMadeNeedAName judges the name by the types of Services that the cluster makes.
func TestAA2_OnlyServicesThatAreMadeNeedAName(t *testing.T) {
	for _, c := range []struct {
		types  string
		naming appv1.ServiceNaming
		length int
		fits   bool
	}{
		{"", "", 54, true}, {"", "", 55, false},
		{"cluster_ip", "", 63, true},
		{"headless", "", 54, true}, {"headless", "", 55, false},
		{"Load_Balancer", "", 49, true}, {"cluster_ip, load_balancer", "", 50, false},
		{"load_balancer", appv1.ServiceNamingPort, 63, true},
	} {
		s := newScene(t, func(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) { db.Name = strings.Repeat("a", c.length) })
		s.in.Cluster.Spec.ServicesRiggerSpec = &appv1.ServicesRiggerSpec{DatabaseServiceType: c.types, ServiceNaming: c.naming}
		for i := range s.in.Remotes {
			s.in.Remotes[i].Spec.DBFQDNSuffix = ".db.example.com"
		}
		p := s.plan()
		if refused := p.End != nil && strings.Contains(p.End.Error(), "cannot be the name of a Service"); refused == c.fits || c.fits && len(p.Steps) == 0 {
			t.Errorf("%q %q %d: %v %v", c.types, c.naming, c.length, p.Steps, p.End)
		}
	}
}
