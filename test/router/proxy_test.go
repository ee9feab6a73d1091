package main

import (
	"bufio"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A program that says of a configuration with the word broken what HAProxy would, and otherwise keeps running.
const standIn = `#!/bin/sh
if [ "$1" = -c ]; then
  ! grep broken "$3"
  exit
fi
exec sleep 60
`

func TestProxyLoad(t *testing.T) {
	folder := t.TempDir()
	program := filepath.Join(folder, "haproxy")
	if err := os.WriteFile(program, []byte(standIn), 0o700); err != nil {
		t.Fatal(err)
	}
	p := &proxy{program: program, folder: folder}
	load := func(text string) (bool, error) { return p.load(t.Context(), config{mainFile: text}) }
	if p.ready(nil) == nil {
		t.Error("ready without a configuration")
	}
	if changed, err := load("one " + folderAt); err != nil || !changed {
		t.Fatalf("changed %t, %v", changed, err)
	}
	t.Cleanup(func() {
		_ = p.master.Process.Kill()
		if err := <-p.ended; err == nil {
			t.Error("it has ended by itself")
		}
	})
	if err := p.ready(nil); err != nil {
		t.Error(err)
	}
	if changed, err := load("one " + folderAt); err != nil || changed {
		t.Errorf("the same again: changed %t, %v", changed, err)
	}
	t.Run("paths point into the folder of the generation", func(t *testing.T) {
		if got := inUse(t, p); got != "one "+filepath.Join(folder, p.loaded) {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a refused configuration changes nothing", func(t *testing.T) {
		if _, err := load("broken"); err == nil || !strings.HasPrefix(inUse(t, p), "one") {
			t.Errorf("%v, in use %q", err, inUse(t, p))
		}
	})
	answers := master(t, p.socket())
	t.Run("a reload that fails leaves the old one", func(t *testing.T) {
		answers <- "Success=0\n--\nno memory\n"
		if _, err := load("two"); err == nil || !strings.Contains(err.Error(), "no memory") || !strings.HasPrefix(inUse(t, p), "one") {
			t.Errorf("%v, in use %q", err, inUse(t, p))
		}
	})
	t.Run("a reload that succeeds puts the new one in use and removes the old", func(t *testing.T) {
		before := p.loaded
		answers <- "Success=1\n--\n"
		if changed, err := load("two"); err != nil || !changed || inUse(t, p) != "two" {
			t.Errorf("changed %t, %v, in use %q", changed, err, inUse(t, p))
		}
		if _, err := os.Stat(filepath.Join(folder, before)); !os.IsNotExist(err) {
			t.Errorf("the old one: %v", err)
		}
	})
}

func inUse(t *testing.T, p *proxy) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.current(), mainFile))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// master answers one connection to HAProxy's master with each word that is sent.
func master(t *testing.T, socket string) chan<- string {
	t.Helper()
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	answers, done := make(chan string, 1), make(chan struct{})
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if line, _ := bufio.NewReader(conn).ReadString('\n'); line == "reload\n" {
				_, _ = conn.Write([]byte(<-answers))
			}
			_ = conn.Close()
		}
	}()
	return answers
}
