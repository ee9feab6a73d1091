package activeactive

import (
	"fmt"
	"slices"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// purposeRoles marks that roles were given to the part of this cluster, so that they are taken away with the last of them.
const purposeRoles = "roles"

// pathRoles is the field with the roles.
const pathRoles = pathGlobal + ".rolesPermissions"

// Access are the roles and ACLs of the local cluster, read only for databases whose settings name some.
type Access struct {
	Roles []rest.Role
	ACLs  []rest.RedisACL
}

// roles compares who may use the part of this cluster (AA-13). The settings name roles and ACLs, which each cluster has for
// itself; one that is missing here is told, and the others are given all the same.
func (d Desired) roles(obs Observed) (step Step, given string, missing error) {
	wanted := d.in.Database.Spec.GlobalConfigurations.DatabaseSpec().RolesPermissions
	before := d.in.Agreed != nil && d.in.Agreed.Secrets[purposeRoles] != ""
	if len(wanted) == 0 && !before {
		return nil, "", nil
	}
	list := []rest.RoleACL{}
	for i, w := range wanted {
		role := slices.IndexFunc(obs.Access.Roles, func(r rest.Role) bool { return r.Name == w.Role })
		acl := slices.IndexFunc(obs.Access.ACLs, func(a rest.RedisACL) bool { return a.Name == w.ACL })
		path := fmt.Sprintf("%s[%d]", pathRoles, i)
		switch {
		case role < 0:
			missing = firstOf(missing, absent(path+".role", "role", w.Role, d.in))
		case acl < 0:
			missing = firstOf(missing, absent(path+".acl", "ACL", w.ACL, d.in))
		default:
			list = append(list, rest.RoleACL{RoleUID: obs.Access.Roles[role].UID, ACLUID: obs.Access.ACLs[acl].UID})
		}
	}
	if len(wanted) > 0 {
		given = digest(wanted)
	}
	if slices.Equal(list, rest.Value(obs.BDB.RolesPermissions)) {
		return nil, given, missing
	}
	return setRoles{uid: rest.Value(obs.BDB.UID), list: list}, given, missing
}

func absent(path, kind, name string, in Inputs) error {
	return &outcome.Rejected{Reason: appv1.ReasonMissingReference, Path: path,
		Message: fmt.Sprintf("cluster %s has no %s %q; make it on every participating cluster, they are not copied", in.Cluster.Name, kind, name)}
}
