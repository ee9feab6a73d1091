package cluster

import (
	"reflect"
	"strings"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

// later versions of the operator will act on these fields. Until then a resource that sets one is told so, and docs
// list them: nothing is ignored in silence. A path stands for everything below it.
var unactedPaths = []string{
	"accessControl",
	"auditing.config",
	"backup.s3.caCertificateSecretName",
	"certificates",
	"clusterCredentialSecretRole",
	"clusterRecovery",
	"ldap",
	"ocspConfiguration",
	"persistentSpec.enablePersistentVolumeResize",
	"rackAwarenessNodeLabel",
	"redisEnterpriseIPFamily",
	"redisOnFlashSpec.enabled",
	"securityContext.readOnlyRootFilesystemPolicy.enabled",
	"sso",
	"usageMeter",
	"usageReportFields",
	"userDefinedModules",
	"vaultCASecret",
}

// notActedOn returns the spec paths that are set and that nothing is done about.
func notActedOn(spec *v1.RedisEnterpriseClusterSpec) []string {
	var found []string
	for _, path := range unactedPaths {
		if path == "usageMeter" && reportsNothing(spec) {
			continue
		}
		if isSet(reflect.ValueOf(spec).Elem(), strings.Split(path, ".")) {
			found = append(found, "spec."+path)
		}
	}
	return found
}

// reportsNothing tells whether the spec asks for what happens anyway: no usage reports.
func reportsNothing(spec *v1.RedisEnterpriseClusterSpec) bool {
	return spec.UsageMeter != nil && spec.UsageMeter.CallHomeClient != nil && spec.UsageMeter.CallHomeClient.Disabled
}

// isSet follows a path of JSON names and tells whether there is anything at its end.
func isSet(value reflect.Value, path []string) bool {
	for value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return false
		}
		value = value.Elem()
	}
	if len(path) == 0 {
		return !value.IsZero()
	}
	if value.Kind() != reflect.Struct {
		return false
	}
	field, ok := fieldNamed(value.Type(), path[0])
	return ok && isSet(value.FieldByIndex(field.Index), path[1:])
}

// fieldNamed finds a struct field by its JSON name.
func fieldNamed(t reflect.Type, name string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); tag == name {
			return t.Field(i), true
		}
	}
	return reflect.StructField{}, false
}
