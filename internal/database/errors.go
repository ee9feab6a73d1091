package database

import (
	"fmt"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// meaning turns the facts of a failed call into an outcome.
func meaning(doing string, err error) error {
	switch {
	case rest.IsBusy(err):
		return outcome.Wait(v1alpha1.ReasonChanging, soon, "the cluster is still busy with an earlier change of the database")
	case rest.IsNotFound(err), rest.IsExists(err):
		return outcome.Wait(v1alpha1.ReasonChanging, soon, "the database has changed meanwhile; looking again")
	case rest.IsRefused(err), rest.IsForbidden(err):
		return rejected(bdb.Explain(err))
	}
	return fmt.Errorf("%s: %w", doing, err)
}
