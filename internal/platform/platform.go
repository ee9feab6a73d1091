package platform

import (
	"cmp"
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// Environment variables that the operator's Deployment sets. OLM and administrators override the images with them.
const (
	EnvNodeImage         = "RELATED_IMAGE_REDIS_ENTERPRISE"
	EnvBootstrapperImage = "RELATED_IMAGE_BOOTSTRAPPER"
	EnvRiggerImage       = "RELATED_IMAGE_SERVICES_RIGGER"
)

// What this operator version is released with, for an environment that says nothing.
const (
	DefaultNodeImage = "redislabs/redis:" + DefaultNodeTag
	// DefaultNodeTag is also the tag of a node image that is given by digest alone.
	DefaultNodeTag  = "8.2.0-46.13"
	DefaultOperator = "quay.io/open-redis-enterprise/operator:1.1.0"
)

// Platform is what all clusters of this operator have in common.
type Platform struct {
	// Node is the default image of the nodes. Its tag is never empty.
	Node Image
	// Bootstrapper and Rigger are the default images of our own programs.
	Bootstrapper, Rigger Image
	// Proxy is what nodes are told of a proxy where their cluster asks for it.
	Proxy []corev1.EnvVar
}

// New makes the platform from the default images, as references; an empty one means what this version is released with.
func New(node, bootstrapper, rigger string) (Platform, error) {
	var p Platform
	for _, each := range []struct {
		reference, variable string
		into                *Image
	}{
		{cmp.Or(node, DefaultNodeImage), EnvNodeImage, &p.Node},
		{cmp.Or(bootstrapper, DefaultOperator), EnvBootstrapperImage, &p.Bootstrapper},
		{cmp.Or(rigger, bootstrapper, DefaultOperator), EnvRiggerImage, &p.Rigger},
	} {
		image, err := ParseImage(each.reference)
		if err != nil {
			return p, fmt.Errorf("%s: %w", each.variable, err)
		}
		*each.into = image
	}
	p.Node.Tag = cmp.Or(p.Node.Tag, DefaultNodeTag)
	return p, nil
}
