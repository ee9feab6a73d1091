package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// Measures of the picture, in pixels.
const (
	cellWidth  = 50
	cellHeight = 26
	margin     = 16
	gap        = 4
	head       = 56
)

var palette = []string{"#3274d9", "#e0752d", "#56a64b", "#a352cc", "#e02f44", "#f2b705", "#1f9e9e", "#8a6d5a", "#7b8794", "#c15c9e"}

var stepColors = map[string]string{"green": "#3d9a3a", "orange": "#e0752d", "red": "#d6263c", "blue": "#3274d9"}

// page is a picture of a dashboard.
type page struct {
	strings.Builder
	window window
	bottom int
}

func newPage(d Dashboard, w window) *page {
	p := &page{window: w}
	p.text(margin, 26, "h1", d.Title)
	p.text(margin, 44, "sub", d.Description+" "+w.start().UTC().Format("2006-01-02 15:04")+" – "+w.end.UTC().Format("15:04")+" UTC")
	return p
}

func (p *page) printf(format string, args ...any) { _, _ = fmt.Fprintf(&p.Builder, format, args...) }

func (p *page) text(x, y float64, class, text string) {
	p.printf(`<text x="%s" y="%s" class="%s">%s</text>`+"\n", coordinate(x), coordinate(y), class, html.EscapeString(text))
}

func coordinate(v float64) string { return strings.TrimSuffix(number(v, 1), ".0") }

// box is where a placed panel is.
type box struct{ x, y, w, h float64 }

func (p *page) box(at place) box {
	b := box{float64(margin + at.X*cellWidth), float64(head + at.Y*cellHeight), float64(at.W*cellWidth - gap), float64(at.H*cellHeight - gap)}
	p.bottom = max(p.bottom, int(b.y+b.h))
	return b
}

func (p *page) heading(at placed) {
	b := p.box(at.At)
	p.text(b.x, b.y+16, "row", at.Heading)
}

// panel draws one panel; without series it says so.
func (p *page) panel(at placed, all []series) {
	b := p.box(at.At)
	p.printf(`<g><title>%s</title><rect x="%s" y="%s" width="%s" height="%s" class="card"/>`+"\n",
		html.EscapeString(at.Panel.Description), coordinate(b.x), coordinate(b.y), coordinate(b.w), coordinate(b.h))
	p.text(b.x+8, b.y+16, "title", at.Panel.Title)
	switch {
	case len(all) == 0:
		p.text(b.x+b.w/2, b.y+b.h/2+6, "none", "No data")
	case at.Panel.Shape == Figure:
		p.figure(b, at.Panel, all[0].last())
	case at.Panel.Shape == Bars:
		p.bars(b, at.Panel, all)
	default:
		p.lines(b, at.Panel, all)
	}
	p.WriteString("</g>\n")
}

// word is a value as the panel tells it.
func word(panel *Panel, v float64) string {
	if w, ok := panel.Words[number(v, 0)]; ok {
		return w
	}
	return written(v, panel.Unit)
}

func colorOf(panel *Panel, v float64) string {
	color := "blue"
	for _, s := range panel.Steps {
		if s.From == nil || v >= *s.From {
			color = s.Color
		}
	}
	return stepColors[color]
}

func (p *page) figure(b box, panel *Panel, v float64) {
	p.printf(`<text x="%s" y="%s" class="figure" fill="%s">%s</text>`+"\n", coordinate(b.x+b.w/2), coordinate(b.y+b.h/2+22), colorOf(panel, v), html.EscapeString(word(panel, v)))
}

func (p *page) bars(b box, panel *Panel, all []series) {
	const most = 7
	shown := all[:min(len(all), most)]
	largest := 1.0
	for _, s := range shown {
		largest = max(largest, s.last())
	}
	if panel.Unit == unitPart {
		largest = max(1, largest)
	}
	height := min((b.h-30)/float64(len(shown)), 26)
	for i, s := range shown {
		y, v := b.y+26+float64(i)*height, s.last()
		width := (b.w - 220) * max(v, 0) / largest
		p.text(b.x+8, y+height/2+4, "label", clipped(s.Name, 20))
		p.printf(`<rect x="%s" y="%s" width="%s" height="%s" fill="%s" rx="2"/>`+"\n", coordinate(b.x+130), coordinate(y+2), coordinate(max(width, 2)), coordinate(height-5), colorOf(panel, v))
		p.text(b.x+136+max(width, 2), y+height/2+4, "label", word(panel, v))
	}
}

func clipped(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// end closes the picture.
func (p *page) end() string {
	width, height := 2*margin+pageWidth*cellWidth, p.bottom+margin
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d" font-family="Inter, Helvetica, Arial, DejaVu Sans, sans-serif">
<style>
.card{fill:#fff;stroke:#dfe3e8}.h1{font-size:20px;font-weight:600;fill:#1f2933}.sub{font-size:12px;fill:#616e7c}.row{font-size:13px;font-weight:600;fill:#3e4c59}
.title{font-size:12px;font-weight:600;fill:#323f4b}.label{font-size:10.5px;fill:#52606d}.axis{font-size:9.5px;fill:#7b8794}.y{text-anchor:end}.t{text-anchor:middle}
.figure{font-size:26px;font-weight:600;text-anchor:middle}.none{font-size:13px;fill:#9aa5b1;text-anchor:middle}.grid{stroke:#eef1f4}.line{fill:none;stroke-width:1.4;stroke-linejoin:round}
</style>
<rect width="100%%" height="100%%" fill="#f5f7fa"/>
`, width, height) + p.String() + "</svg>\n"
}

// extent is the range of the axis: round, and wide enough for all values.
func extent(panel *Panel, all []series) (least, most, tick float64) {
	least, most = math.Inf(1), math.Inf(-1)
	for _, s := range all {
		for _, v := range s.Values {
			if !math.IsNaN(v) {
				least, most = min(least, v), max(most, v)
			}
		}
	}
	if math.IsInf(least, 1) {
		least, most = 0, 1
	}
	if panel.Least != nil {
		least = min(*panel.Least, least)
	}
	if panel.Most != nil {
		most = max(*panel.Most, most)
	}
	if most-least < 1e-12 {
		most = least + max(math.Abs(least)*0.1, smallest(panel.Unit))
	}
	tick = roundTick((most-least)/4, panel.Unit)
	least, top := math.Floor(least/tick)*tick, math.Ceil(most/tick-1e-9)*tick
	if panel.Most == nil || top-*panel.Most > tick {
		most = top
	}
	return least, most, tick
}

// smallest is the height of an axis whose values are all the same.
func smallest(unit string) float64 {
	switch unit {
	case unitPart:
		return 0.01
	case unitSeconds:
		return 0.001
	}
	return 1
}

// roundTick is 1, 2 or 5 times a power of ten, or of 1024 for bytes.
func roundTick(about float64, unit string) float64 {
	base := 1.0
	if unit == unitBytes || unit == unitBytesPS {
		for about/base > 512 {
			base *= 1024
		}
	}
	about /= base
	power := math.Pow(10, math.Floor(math.Log10(about)))
	i := slices.IndexFunc([]float64{1, 2, 5, 10}, func(m float64) bool { return m*power >= about*0.999 })
	return []float64{1, 2, 5, 10}[max(i, 0)] * power * base
}
