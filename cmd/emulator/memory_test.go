package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPodMemory(t *testing.T) {
	for _, c := range []struct {
		name, file, says string
		want             int64
	}{
		{"cgroup v2", "memory.max", "4294967296\n", 4 << 30},
		{"cgroup v2 without a limit", "memory.max", "max\n", 0},
		{"cgroup v1", "memory/memory.limit_in_bytes", "2147483648\n", 2 << 30},
		{"cgroup v1 without a limit", "memory/memory.limit_in_bytes", "9223372036854771712\n", 0},
		{"no cgroup at all", "elsewhere", "1\n", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "cgroup", c.file)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(c.says), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := podMemory(file[:len(file)-len(c.file)]); got != c.want {
				t.Errorf("%d, not %d", got, c.want)
			}
		})
	}
}
