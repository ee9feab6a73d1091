package database

import (
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// ours tells whether a database of the cluster belongs to the resource: it carries its marks, or it is the one whose
// uid the status recorded and still has its name. The name guards against a cluster that was made anew and gave the
// same uid to something else.
func ours(db *v1alpha1.RedisEnterpriseDatabase, have *rest.BDB) bool {
	if rest.Value(have.CRDT) {
		return false // part of an Active-Active database, which has a resource of another kind
	}
	if marked, named := marks(db, have); marked {
		return named
	}
	return rest.Value(have.Name) == db.Name && recordedUID(db) == rest.Value(have.UID) && recordedUID(db) != 0
}

// marks tells whether the database carries ownership marks at all, and whether they name this resource (REDB-9).
func marks(db *v1alpha1.RedisEnterpriseDatabase, have *rest.BDB) (marked, named bool) {
	var name, namespace string
	for _, tag := range rest.Value(have.Tags) {
		switch tag.Key {
		case bdb.TagName:
			name = tag.Value
		case bdb.TagNamespace:
			namespace = tag.Value
		}
	}
	return name != "" && namespace != "", name == db.Name && namespace == db.Namespace
}

// recordedUID is the uid that the status remembers, or 0.
func recordedUID(db *v1alpha1.RedisEnterpriseDatabase) rest.UID {
	uid, _ := rest.ParseUID(db.Status.DatabaseUID)
	return uid
}

// find picks the database of the resource out of a list. Of several with its marks, the one with the recorded uid
// comes first, then the oldest. stranger is one of the same name that belongs to somebody else.
func find(db *v1alpha1.RedisEnterpriseDatabase, list []rest.BDB) (mine, stranger *rest.BDB) {
	for i := range list {
		have := &list[i]
		switch {
		case ours(db, have):
			if mine == nil || rest.Value(have.UID) == recordedUID(db) ||
				rest.Value(mine.UID) != recordedUID(db) && rest.Value(have.UID) < rest.Value(mine.UID) {
				mine = have
			}
		case rest.Value(have.Name) == db.Name:
			stranger = have
		}
	}
	return mine, stranger
}
