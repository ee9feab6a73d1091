package metrics

import (
	"regexp"
	"sync"
)

const (
	// vocabularyLimit is how many different words a process tells; the constants in use are fewer.
	vocabularyLimit = 100
	// otherWord stands for all that are not told.
	otherWord = "Other"
)

var wordPattern = regexp.MustCompile(`^[A-Z][A-Za-z]{1,39}$`)

// vocabulary keeps a label from ever growing without limit, whatever its callers say: a value that is no word, such as
// a name or a number, and every word beyond the limit, is told as Other.
type vocabulary struct {
	mu    sync.Mutex
	known map[string]bool
}

func (v *vocabulary) word(w string) string {
	if w == "" {
		return ""
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.known[w]:
		return w
	case len(v.known) >= vocabularyLimit || !wordPattern.MatchString(w):
		return otherWord
	}
	if v.known == nil {
		v.known = map[string]bool{}
	}
	v.known[w] = true
	return w
}
