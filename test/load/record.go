package load

import (
	"bufio"
	"fmt"
	"io"
)

// ReadRecord reads what a Writer has recorded. Attempts that were never acknowledged are not in a record, so a key may hold
// a later value than its record says; ReadRecord allows for any.
func ReadRecord(r io.Reader) (History, error) {
	h := History{Acknowledged: map[string]int64{}, Attempted: map[string]int64{}}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var key string
		var n int64
		if _, err := fmt.Sscan(lines.Text(), &key, &n); err != nil {
			return History{}, fmt.Errorf("record: line %q: %w", lines.Text(), err)
		}
		h.Acknowledged[key] = max(n, h.Acknowledged[key])
		h.Attempted[key] = 1<<63 - 1
	}
	return h, lines.Err()
}
