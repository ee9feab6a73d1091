package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// process is one running daemon.
type process struct {
	name string
	log  string
	kill func() error
	done chan struct{} // closed when it has ended
}

// startProcess starts a daemon that does not outlive us, even when we are killed.
func startProcess(binary, log string, args ...string) (*process, error) {
	file, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	command := exec.Command(binary, args...)
	command.Stdout, command.Stderr = file, file
	dieWithParent(command)
	p := &process{name: args[0], log: log, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		defer close(p.done)
		defer func() { _ = file.Close() }() // whatever is missing from a log is no failure
		// The kernel means the thread when it says parent, so this one has to stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			_ = command.Wait() // it is always killed
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s %s: %w", binary, args[0], err)
	}
	p.kill = command.Process.Kill
	return p, nil
}

func (p *process) stop() error {
	if p.ended() {
		return nil
	}
	if err := p.kill(); err != nil && !p.ended() {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	<-p.done
	return nil
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *process) tail() string {
	const lines = 15
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
