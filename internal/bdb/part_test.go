package bdb

import (
	"testing"

	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func TestPartsMakeTheWhole(t *testing.T) {
	in := Inputs{Name: "db", Spec: &v1alpha1.RedisEnterpriseDatabaseSpec{MemorySize: "200MB", Persistence: v1alpha1.PersistenceAOFEverySecond}}
	only, err := CreatePart(in, Only("persistence"))
	if err != nil || rest.Value(only.DataPersistence) != "aof" || only.MemorySize != nil || only.Name != nil {
		t.Errorf("only persistence: %+v %v", only, err)
	}
	others, err := CreatePart(in, Except("persistence"))
	if err != nil || others.DataPersistence != nil || rest.Value(others.MemorySize) != 200<<20 {
		t.Errorf("without persistence: %+v %v", others, err)
	}
	have, err := Create(in)
	if err != nil {
		t.Fatal(err)
	}
	in.Spec.MemorySize, in.Spec.Persistence = "300MB", v1alpha1.PersistenceDisabled
	body, changes, err := DiffPart(in, have, Only("memorySize"))
	if err != nil || len(changes) != 1 || rest.Value(body.MemorySize) != 300<<20 || body.DataPersistence != nil {
		t.Errorf("%+v %v %v", body, changes, err)
	}
	if !Sets(have, "memorySize") || Sets(have, "resp3") || Sets(nil, "memorySize") {
		t.Error("what an object sets is not told")
	}
}

func TestAA7_ShardingEnabledKeepsTheWayOpen(t *testing.T) {
	body, err := Create(Inputs{Name: "db", Spec: &v1alpha1.RedisEnterpriseDatabaseSpec{ShardingEnabled: rest.Ptr(true)}})
	if err != nil || !rest.Value(body.Sharding) || rest.Value(body.ShardsCount) != 1 || body.ShardKeyRegex == nil {
		t.Errorf("%+v %v", body, err)
	}
}
