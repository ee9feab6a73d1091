package metrics

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// label is one label of a sample.
type label struct{ name, value string }

// kinds of metrics.
const (
	gauge   = "gauge"
	counter = "counter"
)

// sample is one line.
type sample struct {
	suffix string // of a histogram: _bucket, _sum, _count
	labels []label
	value  float64
}

// family is all samples of one name.
type family struct {
	kind    string
	samples []sample
}

// page collects metrics and writes them by name.
type page struct {
	families map[string]*family
	hide     map[string]bool // labels that are left out
}

func newPage(hide ...string) *page {
	p := &page{families: make(map[string]*family), hide: make(map[string]bool)}
	for _, h := range hide {
		p.hide[h] = true
	}
	return p
}

func (p *page) family(name, kind string) *family {
	f := p.families[name]
	if f == nil {
		f = &family{kind: kind}
		p.families[name] = f
	}
	return f
}

// add adds one sample.
func (p *page) add(name, kind string, value float64, labels ...label) {
	f := p.family(name, kind)
	f.samples = append(f.samples, sample{labels: labels, value: value})
}

// histogram adds a histogram: counts[i] are those within bounds[i], the last count is of all above.
func (p *page) histogram(name string, bounds []float64, counts []uint64, sum float64, labels ...label) {
	f := p.family(name, "histogram")
	var total uint64
	for i, n := range counts {
		total += n
		le := "+Inf"
		if i < len(bounds) {
			le = number(bounds[i])
		}
		bucket := append(slices.Clone(labels), label{"le", le})
		f.samples = append(f.samples, sample{suffix: "_bucket", labels: bucket, value: float64(total)})
	}
	f.samples = append(f.samples, sample{suffix: "_sum", labels: labels, value: sum},
		sample{suffix: "_count", labels: labels, value: float64(total)})
}

// write writes everything in the text format.
func (p *page) write(w io.Writer) error {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p.families)) {
		f := p.families[name]
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, strings.ReplaceAll(name, "_", " "), name, f.kind)
		for _, s := range f.samples {
			b.WriteString(name + s.suffix + p.labels(s.labels) + " " + number(s.value) + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (p *page) labels(labels []label) string {
	var parts []string
	for _, l := range labels {
		if !p.hide[l.name] {
			parts = append(parts, l.name+`="`+escape(l.value)+`"`)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "{" + strings.Join(parts, ",") + "}"
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func escape(s string) string { return escaper.Replace(s) }

func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
