package database

import (
	"crypto/rand"
	"math/big"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// passwordManager is the field manager of the generated password. It is not the operator's usual one, so that writing
// port and service_names later never touches a password that somebody has edited meanwhile.
const passwordManager = names.ManagerOperator + "-password"

const (
	passwordLength   = 32
	passwordAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)

// newPassword draws a password that needs no quoting anywhere.
func newPassword() (string, error) {
	var b strings.Builder
	for range passwordLength {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(passwordAlphabet))))
		if err != nil {
			return "", err
		}
		b.WriteByte(passwordAlphabet[n.Int64()])
	}
	return b.String(), nil
}

// usesSecret tells whether the default user's password comes from a Secret (REDB-12).
func usesSecret(spec *v1alpha1.RedisEnterpriseDatabaseSpec) bool {
	return spec.HasDefaultUser() && spec.Type != v1alpha1.DatabaseMemcached
}

// generated tells whether the operator makes the Secret when it is absent: the spec names none, or the very name that
// the operator would have chosen.
func generated(db *v1alpha1.RedisEnterpriseDatabase) bool {
	return db.SecretName() == names.DatabaseSecret(db.Name)
}

// passwordSecret is the Secret that is made for a database whose spec names none (REDB-10).
func passwordSecret(db *v1alpha1.RedisEnterpriseDatabase, password string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: db.Namespace, Name: db.SecretName(),
			Labels: map[string]string{names.LabelApp: names.AppValue},
		},
		Type: corev1.SecretTypeOpaque,
		Data: map[string][]byte{names.PasswordKey: []byte(password)},
	}
}

// reach is what a Secret tells about reaching a database.
type reach struct {
	port     int      // of the Services
	services []string // their names
	startup  []string // addresses outside that cluster-aware clients begin with; none for databases without such access
}

// reachOf gathers how a database with an endpoint on a port is reached.
func reachOf(in Inputs, obs Observed, port int) reach {
	return reach{
		port:     servicePort(in.Database, in.Cluster, port),
		services: serviceNames(in.Database, in.Cluster, port),
		startup:  startupNodes(in.Database, obs),
	}
}

// connection is what the Secret tells about reaching the database: only these keys, so that the password and every
// other key stay those of whoever wrote them.
func connection(db *v1alpha1.RedisEnterpriseDatabase, live *corev1.Secret, how reach) *corev1.Secret {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: db.Namespace, Name: live.Name},
		Data: map[string][]byte{
			names.PortKey:         []byte(strconv.Itoa(how.port)),
			names.ServiceNamesKey: []byte(strings.Join(how.services, ",")),
		},
	}
	if len(how.startup) > 0 {
		secret.Data[names.StartupNodesKey] = []byte(strings.Join(how.startup, ","))
	}
	if metav1.IsControlledBy(live, db) {
		secret.Labels = map[string]string{names.LabelApp: names.AppValue}
	}
	return secret
}

// outdatedStartup tells whether the Secret names startup nodes that this operator wrote and that there are no more.
func outdatedStartup(live *corev1.Secret, how reach) bool {
	if len(how.startup) > 0 || live.Data[names.StartupNodesKey] == nil {
		return false
	}
	return slices.ContainsFunc(live.ManagedFields, func(f metav1.ManagedFieldsEntry) bool {
		return f.Manager == names.ManagerOperator && f.FieldsV1 != nil && strings.Contains(f.FieldsV1.GetRawString(), `"f:`+names.StartupNodesKey+`"`)
	})
}

// mayExtend tells whether keys may be added to a Secret (REDB-11). One that is immutable, or that another controller
// keeps as it wants it, is left alone: both would undo the other's work for ever.
func mayExtend(db *v1alpha1.RedisEnterpriseDatabase, live *corev1.Secret) bool {
	if live.Immutable != nil && *live.Immutable || live.DeletionTimestamp != nil {
		return false
	}
	owner := metav1.GetControllerOf(live)
	return owner == nil || owner.UID == db.UID
}

// defaultRedisPort is the port of Services under the policy RedisDefaultPort.
const defaultRedisPort = 6379

// servicePort is the port on which the Services of a database listen (RIG-5).
func servicePort(db *v1alpha1.RedisEnterpriseDatabase, cluster *appv1.RedisEnterpriseCluster, port int) int {
	rigger := cluster.Spec.ServicesRiggerSpec
	switch {
	case db.Spec.DatabaseServicePort != nil:
		return *db.Spec.DatabaseServicePort
	case rigger != nil && rigger.DatabaseServicePortPolicy == appv1.ServicePortRedis:
		return defaultRedisPort
	}
	return port
}

// serviceNames are the Services that the rigger makes for a database (RIG-3, RIG-4, RIG-11, NET-12). They are beside the
// cluster; where the resource is elsewhere the names say so, or its clients would look for them in vain.
func serviceNames(db *v1alpha1.RedisEnterpriseDatabase, cluster *appv1.RedisEnterpriseCluster, port int) []string {
	out := services(db, cluster, port)
	if db.Namespace != cluster.Namespace {
		for i := range out {
			out[i] += "." + cluster.Namespace
		}
	}
	return out
}

func services(db *v1alpha1.RedisEnterpriseDatabase, cluster *appv1.RedisEnterpriseCluster, port int) []string {
	name, kinds := db.Name, ""
	if rigger := cluster.Spec.ServicesRiggerSpec; rigger != nil {
		kinds = rigger.DatabaseServiceType
		if rigger.ServiceNaming == appv1.ServiceNamingPort {
			name = "redis-" + strconv.Itoa(port)
		}
	}
	out := names.DatabaseServices(name, kinds)
	if balancer := names.DatabaseLoadBalancer(name); bdb.ExternalAccess(&db.Spec) && !slices.Contains(out, balancer) {
		out = append(out, balancer)
	}
	return out
}
