package bdb

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

var sizeText = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)i?b?$`)

var unitPower = map[string]int{"": 0, "k": 1, "m": 2, "g": 3, "t": 4}

// ParseSize reads a size such as 100MB, 0.5GB or 10Gi into bytes. Units are powers of 1024, in either case.
func ParseSize(text string) (int64, error) {
	m := sizeText.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if m == nil {
		return 0, fmt.Errorf("%q is not a size; write a number and a unit, such as 100MB, 0.5GB or 10Gi", text)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size: %w", text, err)
	}
	bytes := n * math.Pow(1024, float64(unitPower[m[2]]))
	if bytes > 1<<60 {
		return 0, fmt.Errorf("%q is larger than any cluster", text)
	}
	return int64(bytes), nil
}

// FormatSize prints bytes the way specs are written: 100MB, 1.5GB.
func FormatSize(bytes int64) string {
	for _, u := range []struct {
		name  string
		bytes int64
	}{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}} {
		if bytes >= u.bytes && bytes*100%u.bytes == 0 {
			return strconv.FormatFloat(float64(bytes)/float64(u.bytes), 'f', -1, 64) + u.name
		}
	}
	return strconv.FormatInt(bytes, 10) + "B"
}
