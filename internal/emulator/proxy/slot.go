package proxy

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
)

// crcTable is the table of CRC16 with polynomial 0x1021, the checksum that Redis spreads keys by.
var crcTable = func() (t [256]uint16) {
	for i := range t {
		crc := uint16(i) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
		t[i] = crc
	}
	return t
}()

func checksum(b []byte) (crc uint16) {
	for _, c := range b {
		crc = crc<<8 ^ crcTable[byte(crc>>8)^c]
	}
	return crc
}

// Slot is the hash slot of a key under the standard policy: the text between the first { and the next } counts, if any.
func Slot(key []byte) int {
	if i := bytes.IndexByte(key, '{'); i >= 0 {
		if n := bytes.IndexByte(key[i+1:], '}'); n > 0 {
			key = key[i+1 : i+1+n]
		}
	}
	return int(checksum(key)) % Slots
}

// standardRules are the regular expressions by which Redis Enterprise spells the standard policy.
var standardRules = []string{`.*\{(?<tag>.*)\}.*`, `(?<tag>.*)`}

// compileRules makes a slot function of a list of regular expressions.
func compileRules(rules []string) (func([]byte) int, error) {
	if len(rules) == 0 || slices.Equal(rules, standardRules) {
		return Slot, nil
	}
	var compiled []*regexp.Regexp
	for _, rule := range rules {
		re, err := regexp.Compile(`\A(?:` + rule + `)\z`)
		if err != nil {
			return nil, fmt.Errorf("hash rule %q: %w", rule, err)
		}
		compiled = append(compiled, re)
	}
	return func(key []byte) int { return int(checksum(tagOf(compiled, key))) % Slots }, nil
}

// tagOf is the part of the key that the first matching rule calls "tag".
func tagOf(rules []*regexp.Regexp, key []byte) []byte {
	for _, re := range rules {
		m := re.FindSubmatch(key)
		if m == nil {
			continue
		}
		if i := re.SubexpIndex("tag"); i >= 0 && m[i] != nil {
			return m[i]
		}
		return key
	}
	return key
}
