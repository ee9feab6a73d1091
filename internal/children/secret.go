package children

import (
	corev1 "k8s.io/api/core/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// CredentialSecret is the administrator's Secret that is made when there is none (rule REC-61).
func CredentialSecret(c Cluster, password string) *corev1.Secret {
	username := c.REC.Spec.Username
	if username == "" {
		username = v1.DefaultUsername
	}
	return &corev1.Secret{
		ObjectMeta: c.meta(c.REC.CredentialSecretName()),
		Type:       corev1.SecretTypeOpaque,
		Data: map[string][]byte{
			names.UsernameKey: []byte(username),
			names.PasswordKey: []byte(password),
		},
	}
}
