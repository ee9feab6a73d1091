package main

// Dashboard is one page of figures.
type Dashboard struct {
	// Name is the file's and the end of the uid.
	Name, Title, Description string
	Variables                []Variable
	Rows                     []Row
}

// Row is a band of panels under a heading.
type Row struct {
	Title  string
	Panels []Panel
}

// Shape is how a panel shows its figures.
type Shape string

// The shapes in use.
const (
	Lines  Shape = "timeseries"
	Figure Shape = "stat"
	Bars   Shape = "bargauge"
)

// Panel is one picture. Every panel says what it shows and in which unit.
type Panel struct {
	Title, Description string
	Shape              Shape
	Unit               string
	Queries            []Query
	// Stacked lines add up to a whole.
	Stacked bool
	// Steps colour the figure from a value on; the first begins at the bottom.
	Steps []Step
	// Words stand for values.
	Words map[string]string
	// Least and Most fix the ends of the axis.
	Least, Most *float64
}

// Step is a colour from a value on.
type Step struct {
	From  *float64
	Color string
}

// Query is a PromQL expression and the name of each of its series.
type Query struct{ Expr, Legend string }

// Variable is a choice at the head of a dashboard.
type Variable struct {
	Name, Label string
	// Query finds the values; Pattern takes them apart where they are more than a label.
	Query, Pattern string
	Multi          bool
}

// Units of Grafana.
const (
	unitNone    = "short"
	unitBytes   = "bytes"
	unitBytesPS = "Bps"
	unitOps     = "ops"
	unitPerSec  = "cps"
	unitMicros  = "µs"
	unitMillis  = "ms"
	unitSeconds = "s"
	unitDays    = "d"
	unitPart    = "percentunit"
	unitBool    = "bool_yes_no"
	unitTime    = "dateTimeFromNow"
)

func lines(title, unit, description string, queries ...Query) Panel {
	return Panel{Title: title, Unit: unit, Description: description, Shape: Lines, Queries: queries, Least: at(0)}
}

func figure(title, unit, description, expr string, steps ...Step) Panel {
	return Panel{Title: title, Unit: unit, Description: description, Shape: Figure, Queries: []Query{{expr, ""}}, Steps: steps}
}

func bars(title, unit, description string, query Query, steps ...Step) Panel {
	return Panel{Title: title, Unit: unit, Description: description, Shape: Bars, Queries: []Query{query}, Steps: steps}
}

func (p Panel) stacked() Panel { p.Stacked = true; return p }

func (p Panel) upTo(most float64) Panel { p.Most = at(most); return p }

func (p Panel) words(w map[string]string) Panel { p.Words = w; return p }

func at(v float64) *float64 { return &v }

// good is for figures that should be at least one value, and must not be below another.
func good(warn, fine float64) []Step {
	return []Step{{nil, "red"}, {at(warn), "orange"}, {at(fine), "green"}}
}

// bad is for figures that should stay below one value, and must stay below another.
func bad(warn, wrong float64) []Step {
	return []Step{{nil, "green"}, {at(warn), "orange"}, {at(wrong), "red"}}
}

var plain = []Step{{nil, "blue"}}

// All are the dashboards. The first four belong to clusters, the last to the operator.
func All() []Dashboard {
	return []Dashboard{clusterDashboard(), databaseDashboard(), shardDashboard(), activeActiveDashboard(), operatorDashboard()}
}
