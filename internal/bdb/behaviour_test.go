package bdb

import (
	"testing"

	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func TestREDB33_VersionsOfModulesDoNotStandInTheWayOfAnUpgrade(t *testing.T) {
	wants := Inputs{Spec: &v1alpha1.RedisEnterpriseDatabaseSpec{RedisVersion: "8.0",
		ModulesList: []v1alpha1.DatabaseModule{{Name: "search", Version: "2.10.5"}}}}
	for name, is := range map[string]struct{ redis, module string }{"before": {"7.4", "2.10.5"}, "afterwards": {"8.0", "8.0.1"}} {
		t.Run(name, func(t *testing.T) {
			have := existing(t, wants)
			have.RedisVer, have.ModuleList = &is.redis, &[]rest.BDBModule{{Name: "search", Version: is.module}}
			refused, err := Refusals(wants, have)
			if err != nil || len(refused) > 0 {
				t.Errorf("%v, %v", refused, err)
			}
			if body, changes, err := Diff(wants, have); err != nil || body != nil {
				t.Errorf("%v, %v", changes, err)
			}
			request, _, err := Upgrade(wants, have)
			if err != nil || (request != nil) != (name == "before") {
				t.Fatalf("%+v, %v", request, err)
			}
			if request != nil && (request.RedisVersion != "8.0" || request.LatestWithModules != nil) {
				t.Errorf("%+v", request)
			}
		})
	}
}

func TestREC93_REDB6_EncryptionThatIsNoLongerMentionedStays(t *testing.T) {
	yes := true
	have := existing(t, Inputs{Spec: &v1alpha1.RedisEnterpriseDatabaseSpec{DataInternodeEncryption: &yes}})
	if !rest.Value(have.DataInternodeEncryption) {
		t.Fatal("it was not asked for")
	}
	if body, changes, err := Diff(Inputs{Spec: &v1alpha1.RedisEnterpriseDatabaseSpec{}}, have); err != nil || body != nil {
		t.Errorf("%v, %v", changes, err)
	}
}
