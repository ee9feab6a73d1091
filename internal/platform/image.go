package platform

import (
	"fmt"
	"strings"
)

// Image is a container image, taken apart.
type Image struct {
	// Repository is the image without tag and digest; it may carry a registry with a port.
	Repository string
	// Tag names the version. An image given by digest only has none.
	Tag string
	// Digest is algorithm and hash, such as sha256:....
	Digest string
}

// ParseImage takes a reference apart. A colon belongs to a tag only behind the last slash (rule INST-27).
func ParseImage(reference string) (Image, error) {
	var image Image
	rest, digest, _ := strings.Cut(strings.TrimSpace(reference), "@")
	image.Digest = digest
	image.Repository = rest
	if colon := strings.LastIndex(rest, ":"); colon > strings.LastIndex(rest, "/") {
		image.Repository, image.Tag = rest[:colon], rest[colon+1:]
	}
	if image.Repository == "" || strings.HasSuffix(image.Repository, "/") {
		return image, fmt.Errorf("%q is no image", reference)
	}
	return image, nil
}

// String puts the reference together again.
func (i Image) String() string {
	out := i.Repository
	if i.Tag != "" {
		out += ":" + i.Tag
	}
	if i.Digest != "" {
		out += "@" + i.Digest
	}
	return out
}
