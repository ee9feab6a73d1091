package emulator

import (
	"os"
	"strconv"
	"strings"
)

// ticks are how many the kernel counts in a second for those who read /proc.
const ticks = 100

// cpuModes are the columns of /proc/stat.
var cpuModes = []string{"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"}

// processorTimes are the seconds that each processor of the machine has spent since it started, by mode. A container sees
// those of the machine, as documented (rule MET-4).
func processorTimes() map[string]map[string]float64 {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return nil
	}
	return parseProcessorTimes(string(raw))
}

func parseProcessorTimes(text string) map[string]map[string]float64 {
	times := map[string]map[string]float64{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) <= len(cpuModes) {
			continue
		}
		cpu, found := strings.CutPrefix(fields[0], "cpu")
		if !found || cpu == "" { // the first line sums up the others
			continue
		}
		times[cpu] = map[string]float64{}
		for i, mode := range cpuModes {
			n, _ := strconv.ParseFloat(fields[i+1], 64)
			times[cpu][mode] = n / ticks
		}
	}
	return times
}
