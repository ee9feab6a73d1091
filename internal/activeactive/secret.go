package activeactive

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/lru"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Purposes of the secrets that have a fingerprint in Terms.Secrets; that of a remote cluster's credentials is its name.
const (
	purposePassword     = "password"
	purposeCertificates = "certificates"
)

// fingerprintRounds make it slow to guess a password whose fingerprint is known: everybody who may read the tags of a
// database sees it.
const fingerprintRounds = 20000

// knownFingerprints saves the rounds for what has been asked before, which is nearly always: each run of the loop asks for all of a
// database. Only this process ever sees its keys.
var knownFingerprints = lru.New(4096)

// secretOf is what a fingerprint is of.
type secretOf struct {
	salt   string
	secret [sha256.Size]byte
}

// fingerprint tells secrets apart without telling them. It is the same on all participating clusters.
func fingerprint(db, purpose string, parts ...[]byte) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write(fmt.Appendf(nil, "%d:", len(part)))
		h.Write(part)
	}
	of := secretOf{"active-active/" + db + "/" + purpose, [sha256.Size]byte(h.Sum(nil))}
	if before, ok := knownFingerprints.Get(of); ok {
		return before.(string)
	}
	key, err := pbkdf2.Key(sha256.New, string(of.secret[:]), []byte(of.salt), fingerprintRounds, sha256.Size/2)
	if err != nil { // only for lengths out of range
		return ""
	}
	knownFingerprints.Add(of, hex.EncodeToString(key))
	return hex.EncodeToString(key)
}

// passwordSecret is the Secret with the password that all participants share; empty for none (AA-8).
func passwordSecret(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) string {
	spec := db.Spec.GlobalConfigurations.DatabaseSpec()
	if !spec.HasDefaultUser() {
		return ""
	}
	return spec.DatabaseSecretName
}

// Reference is a Secret that the settings name.
type Reference struct {
	// Path is the field, as a user would type it.
	Path string
	// Secret is its name, and Key must be in it.
	Secret, Key string
}

// References lists the Secrets that the settings of a database name.
func References(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) []Reference {
	var refs []Reference
	if name := passwordSecret(db); name != "" {
		refs = append(refs, Reference{pathGlobal + ".databaseSecretName", name, names.PasswordKey})
	}
	for i, name := range db.Spec.GlobalConfigurations.DatabaseSpec().ClientAuthenticationCertificates {
		refs = append(refs, Reference{fmt.Sprintf("%s.clientAuthenticationCertificates[%d]", pathGlobal, i), name, names.CertKey})
	}
	return refs
}

// usable says what is wrong with a Secret as such.
func usable(ref Reference, secret *corev1.Secret, namespace string) error {
	switch {
	case secret == nil:
		return outcome.Missing(ref.Path, "Secret %s was not found in namespace %s; it must be the same on all participating clusters", ref.Secret, namespace)
	case secret.Data[ref.Key] == nil:
		return outcome.Missing(ref.Path, "Secret %s has no key %s", ref.Secret, ref.Key)
	}
	return nil
}

// password is what is known of the common password.
type password struct {
	// value is the one in the Secret here; nil when the database has none.
	value *string
	// print is its fingerprint, and common that of the one in force.
	print, common string
	// send tells that the one here is newer.
	send bool
	// problem is what a person must mend here.
	problem error
}

// passwordOf compares the Secret with the password in force (AA-12). A Secret that was the same as the common one, and
// changed since while that did not, is newer; any other difference is for a person.
func passwordOf(in Inputs, crdb *rest.CRDB) password {
	var p password
	if crdb != nil {
		p.common = tagsOf(crdb.DefaultDBConfig)[bdb.TagSecretLatest]
	}
	name := passwordSecret(in.Database)
	if name == "" {
		p.send = p.common != ""
		if p.send {
			p.value = rest.Ptr("")
		}
		return p
	}
	ref := Reference{pathGlobal + ".databaseSecretName", name, names.PasswordKey}
	secret := in.Secrets[name]
	if p.problem = usable(ref, secret, in.Database.Namespace); p.problem != nil {
		return p
	}
	p.value = rest.Ptr(string(secret.Data[names.PasswordKey]))
	p.print = fingerprint(in.Database.Name, purposePassword, secret.Data[names.PasswordKey])
	switch {
	case p.print == p.common:
	case p.common == "", in.known(purposePassword) == p.common:
		p.send = true
	default:
		p.problem = &outcome.Rejected{Reason: v1alpha1.ReasonSecretDiffers, Path: ref.Path, Message: fmt.Sprintf(
			"Secret %s differs from the password that the database has: copy it from the cluster where it was changed", name)}
	}
	return p
}

// secretsStatus tells of each Secret whether it is the same here as everywhere (AA-12).
func secretsStatus(in Inputs, crdb *rest.CRDB) []v1alpha1.SecretStatus {
	var out []v1alpha1.SecretStatus
	for _, ref := range References(in.Database) {
		state := v1alpha1.SecretStatus{Name: ref.Secret, Status: appv1.SpecValid}
		if usable(ref, in.Secrets[ref.Secret], in.Database.Namespace) != nil ||
			ref.Key == names.PasswordKey && passwordOf(in, crdb).problem != nil {
			state.Status = appv1.SpecInvalid
		}
		out = append(out, state)
	}
	return out
}

// certificates are the client certificates of the Secrets here, in the order of the spec.
func certificates(in Inputs) []string {
	var out []string
	for _, name := range in.Database.Spec.GlobalConfigurations.DatabaseSpec().ClientAuthenticationCertificates {
		if secret := in.Secrets[name]; secret != nil {
			out = append(out, string(secret.Data[names.CertKey]))
		}
	}
	return out
}
