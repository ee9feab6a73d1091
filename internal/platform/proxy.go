package platform

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Proxy are the variables with which OLM, or an administrator, told the operator of a proxy, as they are handed on: in
// capitals and small, since programs differ in which of them they read. What was not said is not handed on.
func Proxy(lookup func(string) (string, bool)) []corev1.EnvVar {
	var list []corev1.EnvVar
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		if value, said := lookup(name); said && value != "" {
			list = append(list, corev1.EnvVar{Name: name, Value: value}, corev1.EnvVar{Name: strings.ToLower(name), Value: value})
		}
	}
	return list
}
