package platform

import (
	"fmt"
)

// Environment variables that the operator's Deployment sets. OLM and administrators override the images with them.
const (
	EnvNodeImage         = "RELATED_IMAGE_REDIS_ENTERPRISE"
	EnvBootstrapperImage = "RELATED_IMAGE_BOOTSTRAPPER"
	EnvRiggerImage       = "RELATED_IMAGE_SERVICES_RIGGER"
	// EnvNodeVersion is the tag that the node image stands for, needed only where the image is given by digest alone.
	EnvNodeVersion = "REDIS_ENTERPRISE_VERSION_TAG"
	// EnvOpenShift is "true" in the Deployment for OpenShift.
	EnvOpenShift = "IS_OPENSHIFT"
)

// The node software that this operator version is released for.
const (
	DefaultNodeRepository = "redislabs/redis"
	DefaultNodeTag        = "8.2.0-46.13"
)

// Platform is what all clusters of this operator have in common.
type Platform struct {
	// Node is the default image of the nodes. Its tag is never empty.
	Node Image
	// Bootstrapper and Rigger are the default images of our own programs: the running operator's.
	Bootstrapper, Rigger Image
	// OpenShift is true where the operator was deployed for OpenShift.
	OpenShift bool
}

// FromEnv reads the platform from an environment; self is the operator's own image, used where none is given.
func FromEnv(env func(string) string, self string) (Platform, error) {
	p := Platform{OpenShift: env(EnvOpenShift) == "true"}
	for _, each := range []struct {
		variable, fallback string
		into               *Image
	}{
		{EnvNodeImage, DefaultNodeRepository + ":" + DefaultNodeTag, &p.Node},
		{EnvBootstrapperImage, self, &p.Bootstrapper},
		{EnvRiggerImage, self, &p.Rigger},
	} {
		reference := env(each.variable)
		if reference == "" {
			reference = each.fallback
		}
		image, err := ParseImage(reference)
		if err != nil {
			return p, fmt.Errorf("%s: %w", each.variable, err)
		}
		*each.into = image
	}
	if tag := env(EnvNodeVersion); tag != "" && p.Node.Tag == "" {
		p.Node.Tag = tag
	}
	if p.Node.Tag == "" {
		p.Node.Tag = DefaultNodeTag
	}
	return p, nil
}
