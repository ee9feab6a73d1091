//go:build !linux

package shard

import "syscall"

// childAttributes puts a child in a process group of its own, so that an interrupt typed at the terminal ends it only
// after the emulator has ended it in order. Other systems than Linux have no signal for the death of a parent.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
