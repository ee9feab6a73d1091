package children

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// Board builds the bulletin board with the entries that belong to the operator; those of the pods are theirs.
func Board(c Cluster, formed bool, members []string) *corev1.ConfigMap {
	board := &corev1.ConfigMap{
		ObjectMeta: c.meta(names.Board(c.REC.Name)),
		Data:       map[string]string{names.BoardName: names.FQDN(c.REC.Name, c.REC.Namespace)},
	}
	if formed {
		board.Data[names.BoardFormed] = "true"
	}
	if len(members) > 0 {
		members = slices.Sorted(slices.Values(members))
		board.Data[names.BoardMembers] = strings.Join(members, ",")
	}
	return board
}
