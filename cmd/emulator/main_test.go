package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// output is a buffer that two goroutines can use.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func TestThreeNodesFormAClusterAtOnce(t *testing.T) {
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	out := &output{}
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{
			"-nodes", "3", "-bootstrap", "-first-address", "127.201.33.1", "-password-file", password,
			"-operation-delay", "10ms", "-faults", "-", "-dir", t.TempDir(),
		}, out, io.Discard)
	}()
	deadline := time.Now().Add(time.Minute)
	for !strings.Contains(out.String(), "Ctrl-C") {
		select {
		case err := <-ended:
			t.Fatalf("ended early: %v", err)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("no cluster after a minute")
		}
		time.Sleep(10 * time.Millisecond)
	}
	for _, want := range []string{"EMULATOR", "https://127.201.33.3:9443", "redis-cli -h", "s3cret"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the guide does not say %q:\n%s", want, out)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", "127.201.33.1:9443"); err == nil {
		_ = c.Close()
		t.Error("a node still answers after the end")
	}
}

func TestLicenseIsAccepted(t *testing.T) {
	out := &output{}
	if err := run(t.Context(), []string{"license", "-shards", "42", "-cluster-name", "c.local"}, out, io.Discard); err != nil {
		t.Fatal(err)
	}
	license, err := schema.ReadLicense(out.String(), "c.local", time.Now())
	if err != nil || schema.IntOf(license, "shards_limit") != 42 {
		t.Errorf("read back as %v, %v", license, err)
	}
	if _, err := schema.ReadLicense(out.String(), "other.local", time.Now()); err == nil {
		t.Error("the licence is accepted by another cluster")
	}
}

func TestSiblings(t *testing.T) {
	hosts := "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n10.1.2.3\trec-1.rec.shop.svc.cluster.local\trec-1\n"
	got := siblings(hosts, "10.1.2.3")
	if len(got) != 1+maxOrdinal || got[0] != "rec.shop.svc.cluster.local" || got[3] != "rec-2.rec.shop.svc.cluster.local" {
		t.Errorf("got %v", got)
	}
	if got := siblings(hosts, "10.1.2.4"); got != nil {
		t.Errorf("another pod's line gives %v", got)
	}
}

func TestSoftwareVersion(t *testing.T) {
	got := map[string]string{}
	for _, tag := range []string{"8.2.0-46.13", "8.2.0-46", "smoke", ""} {
		got[tag] = softwareVersion(tag)
	}
	want := map[string]string{"8.2.0-46.13": "8.2.0-46", "8.2.0-46": "8.2.0-46", "smoke": "smoke", "": ""}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}
