package database

import (
	"testing"

	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// TestAA2_APartOfAnActiveActiveDatabaseIsNoOrdinaryOne: both kinds mark their databases in the same way.
func TestAA2_APartOfAnActiveActiveDatabaseIsNoOrdinaryOne(t *testing.T) {
	db := database()
	have := rest.BDB{UID: rest.Ptr(rest.UID(1)), Name: rest.Ptr("orders"),
		Tags: &[]rest.Tag{{Key: bdb.TagName, Value: "orders"}, {Key: bdb.TagNamespace, Value: "ns"}}}
	if mine, _ := find(db, []rest.BDB{have}); mine == nil {
		t.Fatal("an ordinary one is not found")
	}
	have.CRDT = rest.Ptr(true)
	mine, stranger := find(db, []rest.BDB{have})
	if mine != nil || stranger == nil {
		t.Errorf("found %v, stranger %v", mine, stranger)
	}
}
