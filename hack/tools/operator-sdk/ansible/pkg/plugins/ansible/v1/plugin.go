// Package v1 takes the place of the plug-in that scaffolds Ansible operators: it has a name and does nothing.
package v1

import (
	"sigs.k8s.io/kubebuilder/v4/pkg/config"
	v3 "sigs.k8s.io/kubebuilder/v4/pkg/config/v3"
	"sigs.k8s.io/kubebuilder/v4/pkg/plugin"
)

// Plugin is the plug-in.
type Plugin struct{}

// Name is under which operator-sdk lists it.
func (Plugin) Name() string { return "base.ansible.sdk.operatorframework.io" }

// Version is the plug-in's.
func (Plugin) Version() plugin.Version { return plugin.Version{Number: 1} }

// SupportedProjectVersions are the layouts of PROJECT it would know.
func (Plugin) SupportedProjectVersions() []config.Version { return []config.Version{v3.Version} }
