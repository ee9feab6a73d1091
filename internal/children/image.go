package children

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/platform"
)

const fipsSuffix = ".fips"

// Image completes what a spec says of an image with the default, key by key (rule INST-25a). The digest of the default
// belongs to the default alone: another repository or tag drops it.
func Image(spec *v1.ImageSpec, standard platform.Image) platform.Image {
	image := standard
	if spec == nil {
		return image
	}
	if spec.Repository != "" {
		image.Repository = spec.Repository
	}
	if spec.VersionTag != "" {
		image.Tag = spec.VersionTag
	}
	if image.Repository != standard.Repository || image.Tag != standard.Tag {
		image.Digest = ""
	}
	if spec.DigestHash != "" {
		image.Digest = spec.DigestHash
	}
	return image
}

// NodeImage is the image of the node container (rule REC-109 adds the FIPS suffix).
func (c Cluster) nodeImage() string {
	if c.NodeImage != "" {
		return c.NodeImage
	}
	return WantedNodeImage(c.REC, c.Platform)
}

// WantedNodeImage is the node image that spec and defaults come down to.
func WantedNodeImage(rec *v1.RedisEnterpriseCluster, p platform.Platform) string {
	image := Image(rec.Spec.RedisEnterpriseImageSpec, p.Node)
	if fips(rec) && image.Digest == "" && !strings.HasSuffix(image.Tag, fipsSuffix) {
		image.Tag += fipsSuffix
	}
	return image.String()
}

func fips(rec *v1.RedisEnterpriseCluster) bool {
	s := rec.Spec.SecurityContext
	return s != nil && s.FIPS != nil && s.FIPS.Enabled
}

func (c Cluster) bootstrapperImage() string {
	if c.BootstrapperImage != "" {
		return c.BootstrapperImage
	}
	return WantedBootstrapperImage(c.REC, c.Platform)
}

// WantedBootstrapperImage is the bootstrapper's image that spec and defaults come down to.
func WantedBootstrapperImage(rec *v1.RedisEnterpriseCluster, p platform.Platform) string {
	return Image(rec.Spec.BootstrapperImageSpec, p.Bootstrapper).String()
}

func pullPolicy(spec *v1.ImageSpec) corev1.PullPolicy {
	if spec == nil || spec.ImagePullPolicy == "" {
		return corev1.PullIfNotPresent
	}
	return spec.ImagePullPolicy
}
