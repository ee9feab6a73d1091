package main

// place is where a panel stands on a page that is 24 wide.
type place struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

const pageWidth = 24

// placed is a panel, or the heading of a row where Panel is nil.
type placed struct {
	Heading string
	Panel   *Panel
	At      place
}

// layout puts rows below each other, and the panels of a row beside each other until it is full: figures share one line,
// everything else stands three in a line, or four where there are four.
func layout(d Dashboard) []placed {
	var all []placed
	y := 0
	for _, row := range d.Rows {
		all = append(all, placed{Heading: row.Title, At: place{0, y, pageWidth, 1}})
		y++
		x, tallest := 0, 0
		for i := range row.Panels {
			p := &row.Panels[i]
			w, h := size(p, len(row.Panels))
			if x+w > pageWidth {
				x, y, tallest = 0, y+tallest, 0
			}
			all = append(all, placed{Panel: p, At: place{x, y, w, h}})
			x, tallest = x+w, max(tallest, h)
		}
		y += tallest
	}
	return all
}

func size(p *Panel, beside int) (w, h int) {
	if p.Shape == Figure {
		return pageWidth / min(beside, 6), 4
	}
	if beside == 4 {
		return pageWidth / 4, 8
	}
	return pageWidth / 3, 8
}
