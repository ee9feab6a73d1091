//go:build !linux

package testenv

import "os/exec"

// dieWithParent: only Linux can promise it; elsewhere a killed test leaves its daemons.
func dieWithParent(*exec.Cmd) {}
