package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator"
)

// Directories of the product's image.
const (
	podPersist = "/var/opt/redislabs/persist"
	podTemp    = "/var/opt/redislabs/tmp"
)

// runPod runs one node on the address of its pod until it is told to end.
func runPod(ctx context.Context, o options, log *slog.Logger) error {
	addr, err := podAddress()
	if err != nil {
		return err
	}
	set, err := faultSet(o.faults)
	if err != nil {
		return err
	}
	if o.dir == "" {
		o.dir = podPersist
	}
	log.Info("this is an emulator of a Redis Enterprise node, not the product", "addr", addr)
	p := &peerNames{name: o.peersDNS, addr: addr}
	n, err := emulator.New(emulator.Config{ //nolint:contextcheck // handlers take theirs from the request
		Addr: addr, Bind: anyAddress(addr), Dir: o.dir, TempDir: podTemp, RedisServer: o.redisServer,
		SoftwareVersion: softwareVersion(o.version), Memory: podMemory(cgroups), OperationDelay: o.delay, FailureTimeout: o.failureTimeout,
		Logger: log, Faults: set, FaultsAPI: set != nil, PeerHints: p.hosts,
	})
	if err != nil {
		return err
	}
	return n.Run(ctx)
}

// softwareVersion is the release in an image tag: tags carry the build of the operator after that of the software, as in
// 8.2.0-46.13.
func softwareVersion(tag string) string {
	release, build, ok := strings.Cut(tag, "-")
	if !ok {
		return tag
	}
	software, _, _ := strings.Cut(build, ".")
	return release + "-" + software
}

// anyAddress listens for clients on loopback too: probes, port-forwards and the container beside this one use it.
func anyAddress(addr string) string {
	if strings.Contains(addr, ":") {
		return "::"
	}
	return "0.0.0.0"
}

// podAddress is POD_IP, or else the first address that is not loopback.
func podAddress() (string, error) {
	if ip := os.Getenv("POD_IP"); ip != "" {
		return ip, nil
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			return n.IP.String(), nil
		}
	}
	return "", errors.New("no address found; set POD_IP")
}

// crash ends the first process of the pod, and with it every other one in there, without any chance to clean up. The kernel
// keeps SIGKILL from it; on SIGQUIT a Go program that has not asked for it dies on the spot.
func crash() error {
	const first = 1
	if os.Getenv("POD_IP") == "" {
		return errors.New("this is no pod: POD_IP is not set")
	}
	return syscall.Kill(first, syscall.SIGQUIT)
}

// cgroups is where the kernel shows what a container may use.
const cgroups = "/sys/fs/cgroup"

// podMemory is the memory limit of the container, or 0 when there is none: as cgroup v2 has it, else as v1 does.
func podMemory(root string) int64 {
	for _, file := range []string{"memory.max", "memory/memory.limit_in_bytes"} {
		raw, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			continue
		}
		limit, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
		if err != nil || limit >= 1<<60 { // "max", or what v1 says instead
			return 0
		}
		return limit
	}
	return 0
}

// peerNames finds the other nodes when all of them have come back with new addresses: by a name that resolves to all of
// them, and by the host names of a StatefulSet, which are known from this pod's own.
type peerNames struct {
	name, addr string

	mu    sync.Mutex
	at    time.Time
	found []string
}

const (
	peerLookups = 2 * time.Second // no more often than this
	maxOrdinal  = 9
)

func (p *peerNames) hosts() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.at) < peerLookups {
		return p.found
	}
	ctx, cancel := context.WithTimeout(context.Background(), peerLookups)
	defer cancel()
	var found []string
	for _, name := range p.names() {
		addrs, err := net.DefaultResolver.LookupHost(ctx, name)
		if err == nil {
			found = append(found, addrs...)
		}
	}
	p.at, p.found = time.Now(), found
	return found
}

func (p *peerNames) names() []string {
	var out []string
	if p.name != "" {
		out = append(out, p.name)
	}
	// The kubelet writes "<address> <pod>.<service>.<namespace>.svc.<domain> <pod>".
	raw, err := os.ReadFile("/etc/hosts")
	if err != nil {
		return out
	}
	return append(out, siblings(string(raw), p.addr)...)
}

// siblings are the names of the other pods of a StatefulSet, made from this one's line in the hosts file.
func siblings(hosts, addr string) []string {
	for line := range strings.Lines(hosts) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != addr {
			continue
		}
		pod, service, ok := strings.Cut(fields[1], ".")
		dash := strings.LastIndexByte(pod, '-')
		if !ok || dash < 0 {
			continue
		}
		out := []string{service}
		for i := range maxOrdinal {
			out = append(out, fmt.Sprintf("%s-%d.%s", pod[:dash], i, service))
		}
		return out
	}
	return nil
}
