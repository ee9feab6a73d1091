package emulator

import (
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

func machineOf(c Config, started time.Time) schema.Machine {
	persistent, _ := diskSpace(c.Dir)
	ephemeral, _ := diskSpace(c.TempDir)
	return schema.Machine{
		Addr: c.Addr, Hostname: c.Hostname, Cores: runtime.NumCPU(), TotalMemory: c.Memory,
		PersistentPath: c.Dir, PersistentSize: persistent, EphemeralPath: c.TempDir, EphemeralSize: ephemeral,
		Version: c.SoftwareVersion, Started: started,
	}
}

// diskSpace is the size of the file system below a path and what is left of it.
func diskSpace(path string) (size, free int64) {
	var st syscall.Statfs_t
	if syscall.Statfs(path, &st) != nil {
		return 0, 0
	}
	block := int64(st.Bsize)                                  //nolint:unconvert // another type elsewhere
	return int64(st.Blocks) * block, int64(st.Bavail) * block //nolint:gosec // no disk is that large
}

// freeMemory is what the machine has left.
func freeMemory() int64 { return meminfo("MemAvailable:") }

// machineMemory is what the machine has.
func machineMemory() int64 { return meminfo("MemTotal:") }

// memory is what the kernel last said. It takes long to sum it up, and all nodes of a process ask many times a second.
var memory struct {
	sync.Mutex
	raw string
	at  time.Time
}

func meminfo(field string) int64 {
	memory.Lock()
	defer memory.Unlock()
	if time.Since(memory.at) > time.Second {
		raw, err := os.ReadFile("/proc/meminfo")
		if err != nil {
			return 0
		}
		memory.raw, memory.at = string(raw), time.Now()
	}
	for line := range strings.Lines(memory.raw) {
		if rest, ok := strings.CutPrefix(line, field); ok {
			return parseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB"))) << 10
		}
	}
	return 0
}
