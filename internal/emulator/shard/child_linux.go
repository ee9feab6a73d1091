package shard

import "syscall"

// childAttributes puts a child in a process group of its own, so that an interrupt typed at the terminal ends it only
// after the emulator has ended it in order, and lets the kernel kill it when the emulator dies.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
