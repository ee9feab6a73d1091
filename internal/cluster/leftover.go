package cluster

import (
	"strings"

	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// leftover refuses a new cluster on the volumes of an earlier one whose password nobody knows any more: deleting a cluster
// keeps its claims and takes its Secret (rule REC-116). Nodes that find such a volume are members of the old cluster and
// refuse every other password, so that the new one would never be formed.
func leftover(in Inputs, o *Observed) error {
	if in.FreshPassword == "" || o.Set != nil || len(o.Claims) == 0 {
		return nil
	}
	var claims []string
	for i := range o.Claims {
		claims = append(claims, o.Claims[i].Name)
	}
	return outcome.Missing("spec.clusterCredentialSecretName",
		"claims of an earlier cluster of this name are still there (%s), and secret %s with its password is not: delete the claims to begin with an empty cluster, "+
			"or make the secret with the keys %s and %s as they were", strings.Join(claims, ", "), in.Credentials.Secret, names.UsernameKey, names.PasswordKey)
}
