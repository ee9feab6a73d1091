package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

const (
	legendRow      = 14
	legendRowsMost = 3
)

// lines draws series over time, with axes and a legend below.
func (p *page) lines(b box, panel *Panel, all []series) {
	rows := legendRows(all, b.w)
	plot := box{b.x + 58, b.y + 26, b.w - 70, b.h - 26 - 20 - float64(len(rows)*legendRow)}
	drawn := all
	if panel.Stacked {
		drawn = stack(all)
	}
	least, most, tick := extent(panel, drawn)
	y := func(v float64) float64 { return plot.y + plot.h - (v-least)/(most-least)*plot.h }
	for v := least; v <= most+tick/1000; v += tick {
		p.printf(`<path d="M%s %sh%s" class="grid"/>`, coordinate(plot.x), coordinate(y(v)), coordinate(plot.w))
		p.text(plot.x-5, y(v)+3, "axis y", written(clean(v, tick), panel.Unit))
	}
	p.times(plot)
	x := func(i int) float64 { return plot.x + float64(i)/float64(len(all[0].Values)-1)*plot.w }
	for i := len(drawn) - 1; i >= 0; i-- { // the first on top
		color := palette[i%len(palette)]
		path := tracePath(drawn[i].Values, x, y)
		if panel.Stacked {
			p.printf(`<path d="%s" fill="%s" fill-opacity=".45" stroke="none"/>`+"\n", area(drawn[i].Values, below(drawn, i, least), x, y), color)
		}
		p.printf(`<path d="%s" class="line" stroke="%s"/>`+"\n", path, color)
	}
	p.legend(box{b.x + 10, plot.y + plot.h + 20, b.w, b.h}, rows)
}

// clean takes the error of adding up ticks off a value.
func clean(v, tick float64) float64 { return math.Round(v/tick) * tick }

// times writes round minutes below the plot.
func (p *page) times(plot box) {
	every := time.Minute
	for _, e := range []time.Duration{2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 12 * time.Hour} {
		if p.window.length/every > 6 {
			every = e
		}
	}
	start := p.window.start()
	for t := start.Truncate(every).Add(every); t.Before(p.window.end); t = t.Add(every) {
		at := plot.x + t.Sub(start).Seconds()/p.window.length.Seconds()*plot.w
		p.text(at, plot.y+plot.h+12, "axis t", t.UTC().Format("15:04"))
	}
}

// tracePath is the line through the values that are there.
func tracePath(values []float64, x func(int) float64, y func(float64) float64) string {
	var b strings.Builder
	pen := "M"
	for i, v := range values {
		if math.IsNaN(v) {
			pen = "M"
			continue
		}
		b.WriteString(pen + coordinate(x(i)) + " " + coordinate(y(v)))
		pen = "L"
	}
	return b.String()
}

// area is what lies between a line and the one below it.
func area(values, floor []float64, x func(int) float64, y func(float64) float64) string {
	top, bottom := make([]string, 0, len(values)), make([]string, 0, len(values))
	for i, v := range values {
		if math.IsNaN(v) {
			v = floor[i]
		}
		top = append(top, coordinate(x(i))+" "+coordinate(y(v)))
		bottom = append(bottom, coordinate(x(i))+" "+coordinate(y(floor[i])))
	}
	slices.Reverse(bottom)
	return "M" + strings.Join(top, "L") + "L" + strings.Join(bottom, "L") + "Z"
}

// stack adds each series to those before it.
func stack(all []series) []series {
	var out []series
	floor := make([]float64, len(all[0].Values))
	for _, s := range all {
		sum := series{Name: s.Name, Values: empty(len(floor))}
		for i, v := range s.Values {
			if !math.IsNaN(v) {
				floor[i] += v
				sum.Values[i] = floor[i]
			}
		}
		out = append(out, sum)
	}
	return out
}

// below is the line under line i of a stack.
func below(stacked []series, i int, least float64) []float64 {
	floor := make([]float64, len(stacked[i].Values))
	for n := range floor {
		floor[n] = max(least, 0)
		for j := i - 1; j >= 0; j-- {
			if v := stacked[j].Values[n]; !math.IsNaN(v) {
				floor[n] = v
				break
			}
		}
	}
	return floor
}

// entry is one name in a legend.
type entry struct {
	name  string
	color string
	width float64
}

// legendRows breaks the names into lines that fit, a few of them; the last one tells how many more there are.
func legendRows(all []series, width float64) [][]entry {
	rows, used := [][]entry{nil}, 0.0
	for i, s := range all {
		e := entry{name: clipped(s.Name, 34), color: palette[i%len(palette)]}
		e.width = 24 + 6*float64(len([]rune(e.name)))
		if used > 0 && used+e.width > width-20 {
			if len(rows) == legendRowsMost {
				last := len(rows) - 1
				rows[last][len(rows[last])-1] = entry{name: fmt.Sprintf("and %d more", len(all)-i+1)}
				break
			}
			rows, used = append(rows, nil), 0
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], e)
		used += e.width
	}
	return rows
}

func (p *page) legend(b box, rows [][]entry) {
	for i, row := range rows {
		x, y := b.x, b.y+float64(i*legendRow)
		for _, e := range row {
			if e.color != "" {
				p.printf(`<rect x="%s" y="%s" width="10" height="3" fill="%s"/>`, coordinate(x), coordinate(y+2), e.color)
			}
			p.text(x+14, y+7, "label", e.name)
			x += e.width
		}
	}
}
