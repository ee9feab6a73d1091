package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// proxy is an HAProxy that takes a new configuration without dropping a connection: its master process hands the open
// ports to a new worker, and the old one serves what it has.
type proxy struct {
	program, folder string

	mu     sync.Mutex
	loaded string // generation in use
	master *exec.Cmd
	ended  chan error
}

var errNotLoaded = errors.New("no configuration yet")

// ready is the pod's readiness.
func (p *proxy) ready(*http.Request) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.loaded == "" {
		return errNotLoaded
	}
	return nil
}

// load puts a configuration to use, unless it is in use. One that HAProxy refuses changes nothing.
func (p *proxy) load(ctx context.Context, files config) (changed bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	generation := fingerprint(files)
	if generation == p.loaded {
		return false, nil
	}
	folder := filepath.Join(p.folder, generation)
	if err := write(folder, files); err != nil {
		return false, err
	}
	check := exec.CommandContext(ctx, p.program, "-c", "-f", filepath.Join(folder, mainFile))
	if output, err := check.CombinedOutput(); err != nil {
		return false, errors.Join(fmt.Errorf("the configuration is refused: %w\n%s", err, output), os.RemoveAll(folder))
	}
	before := p.loaded
	if err := p.point(generation); err != nil {
		return false, err
	}
	if p.master == nil {
		err = p.start()
	} else {
		err = p.reload(ctx)
	}
	if err != nil {
		if before != "" {
			err = errors.Join(err, p.point(before))
		}
		return false, err
	}
	p.loaded = generation
	if before != "" {
		return true, os.RemoveAll(filepath.Join(p.folder, before))
	}
	return true, nil
}

func (p *proxy) current() string { return filepath.Join(p.folder, "current") }

func (p *proxy) socket() string { return filepath.Join(p.folder, "master.sock") }

// point moves the link that the master reads at one stroke.
func (p *proxy) point(generation string) error {
	next := p.current() + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(generation, next); err != nil {
		return err
	}
	return os.Rename(next, p.current())
}

func (p *proxy) start() error {
	p.master = exec.Command(p.program, "-W", "-S", p.socket(), "-f", filepath.Join(p.current(), mainFile))
	p.master.Stdout, p.master.Stderr = os.Stdout, os.Stderr
	if err := p.master.Start(); err != nil {
		p.master = nil
		return err
	}
	p.ended = make(chan error, 1)
	go func(master *exec.Cmd) { p.ended <- master.Wait() }(p.master)
	return nil
}

// reload asks the master for new workers and waits until they serve.
func (p *proxy) reload(ctx context.Context) error {
	const limit = 20 * time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", p.socket())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("reload\n")); err != nil {
		return err
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(answer), "Success=1") {
		return fmt.Errorf("the reload failed: %s", answer)
	}
	return nil
}

// serve ends when HAProxy ends, and ends HAProxy when the router is told to.
func (p *proxy) serve(ctx context.Context) error {
	for {
		p.mu.Lock()
		ended := p.ended
		p.mu.Unlock()
		select {
		case err := <-ended:
			return fmt.Errorf("haproxy ended: %w", err)
		case <-ctx.Done():
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.master == nil {
				return nil
			}
			return p.master.Process.Signal(syscall.SIGTERM)
		case <-time.After(time.Second): // it may have been started meanwhile
		}
	}
}

func fingerprint(files config) string {
	sum := sha256.New()
	for _, name := range sorted(files) {
		_, _ = fmt.Fprintf(sum, "%s %d\n%s", name, len(files[name]), files[name]) // a hash takes everything
	}
	return hex.EncodeToString(sum.Sum(nil))[:16]
}

func write(folder string, files config) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(strings.ReplaceAll(text, folderAt, folder)), 0o600); err != nil {
			return err
		}
	}
	return nil
}
