package main

import (
	"math"
	"time"
)

// scale is the largest of some named sizes that a value reaches.
type scale struct {
	of   float64
	name string
}

var (
	byteScale   = []scale{{1 << 40, " TiB"}, {1 << 30, " GiB"}, {1 << 20, " MiB"}, {1 << 10, " KiB"}, {1, " B"}}
	countScale  = []scale{{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " K"}, {1, ""}}
	secondScale = []scale{{365 * 86400, " years"}, {86400, " days"}, {3600, " h"}, {60, " min"}, {1, " s"}, {1e-3, " ms"}, {1e-6, " µs"}}
)

// written is a value in its unit, as a person reads it.
func written(v float64, unit string) string {
	switch unit {
	case unitBytes:
		return scaled(v, byteScale, "")
	case unitBytesPS:
		return scaled(v, byteScale, "/s")
	case unitOps, unitPerSec:
		return scaled(v, countScale, "/s")
	case unitMicros:
		return scaled(v/1e6, secondScale, "")
	case unitMillis:
		return scaled(v/1e3, secondScale, "")
	case unitSeconds:
		return scaled(v, secondScale, "")
	case unitDays:
		return scaled(v*86400, secondScale, "")
	case unitPart:
		return trimmed(v*100) + " %"
	case unitBool:
		if v != 0 {
			return "Yes"
		}
		return "No"
	case unitTime:
		return time.UnixMilli(int64(v)).UTC().Format(time.DateTime)
	}
	return scaled(v, countScale, "")
}

func scaled(v float64, by []scale, suffix string) string {
	if v == 0 {
		return "0" + by[len(by)-1].name[:0] + suffix
	}
	for _, s := range by {
		if math.Abs(v) >= s.of {
			return trimmed(v/s.of) + s.name + suffix
		}
	}
	smallest := by[len(by)-1]
	return trimmed(v/smallest.of) + smallest.name + suffix
}

// trimmed has three figures at most.
func trimmed(v float64) string {
	digits := 0
	if a := math.Abs(v); a < 10 && v != math.Trunc(v) {
		digits = 2
	} else if a < 100 && v != math.Trunc(v) {
		digits = 1
	}
	return number(v, digits)
}
