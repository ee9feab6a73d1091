package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// uidPrefix starts the uid of every dashboard.
const uidPrefix = "redis-enterprise-"

// object is a piece of Grafana's JSON.
type object map[string]any

var source = object{"type": "prometheus", "uid": "${datasource}"}

// render writes a dashboard as Grafana reads it: the schema of version 39, which Grafana 10 and later understand.
func grafana(d Dashboard) ([]byte, error) {
	var panels []object
	for i, p := range layout(d) {
		id := i + 1
		if p.Panel == nil {
			panels = append(panels, object{"id": id, "type": "row", "title": p.Heading, "collapsed": false, "gridPos": p.At, "panels": []object{}})
			continue
		}
		panels = append(panels, panel(id, p))
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(object{
		"uid": uidPrefix + d.Name, "title": d.Title, "description": d.Description, "tags": []string{"redis-enterprise"},
		"schemaVersion": 39, "editable": true, "graphTooltip": 1, "refresh": "30s", "timezone": "",
		"time":       object{"from": "now-1h", "to": "now"},
		"templating": object{"list": variables(d)},
		"links": []object{{"type": "dashboards", "title": "Redis Enterprise", "tags": []string{"redis-enterprise"}, "asDropdown": true,
			"includeVars": true, "keepTime": true}},
		"panels": panels,
	})
	return b.Bytes(), err
}

func variables(d Dashboard) []object {
	list := []object{{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": object{}}}
	for _, v := range d.Variables {
		o := object{"name": v.Name, "label": v.Label, "type": "query", "datasource": source, "refresh": 2, "sort": 3,
			"query":      object{"query": v.Query, "refId": v.Name},
			"definition": v.Query, "regex": v.Pattern, "multi": v.Multi, "includeAll": v.Multi, "current": object{}}
		if v.Multi {
			o["allValue"] = ".*"
			o["current"] = object{"selected": true, "text": []string{"All"}, "value": []string{"$__all"}}
		}
		list = append(list, o)
	}
	return list
}

func panel(id int, p placed) object {
	var targets []object
	for i, q := range p.Panel.Queries {
		legend := q.Legend
		if legend == "" {
			legend = p.Panel.Title
		}
		targets = append(targets, object{"refId": string(rune('A' + i)), "datasource": source, "expr": q.Expr, "legendFormat": legend,
			"instant": p.Panel.Shape != Lines, "range": p.Panel.Shape == Lines})
	}
	return object{"id": id, "type": p.Panel.Shape, "title": p.Panel.Title, "description": p.Panel.Description, "datasource": source,
		"gridPos": p.At, "targets": targets, "fieldConfig": object{"defaults": fields(p.Panel), "overrides": []object{}}, "options": options(p.Panel)}
}

func fields(p *Panel) object {
	o := object{"unit": p.Unit, "color": object{"mode": "palette-classic"}}
	if p.Least != nil {
		o["min"] = *p.Least
	}
	if p.Most != nil {
		o["max"] = *p.Most
	}
	if p.Shape == Lines {
		custom := object{"lineWidth": 1, "fillOpacity": 10, "showPoints": "never"}
		if p.Stacked {
			custom["stacking"] = object{"mode": "normal", "group": "A"}
			custom["fillOpacity"] = 40
		}
		o["custom"] = custom
		return o
	}
	var steps []object
	for _, s := range p.Steps {
		steps = append(steps, object{"color": s.Color, "value": s.From})
	}
	o["thresholds"] = object{"mode": "absolute", "steps": steps}
	o["color"] = object{"mode": "thresholds"}
	if len(p.Words) > 0 {
		words := object{}
		for i, value := range slices.Sorted(maps.Keys(p.Words)) {
			words[value] = object{"text": p.Words[value], "index": i}
		}
		o["mappings"] = []object{{"type": "value", "options": words}}
	}
	return o
}

func options(p *Panel) object {
	last := object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
	switch p.Shape {
	case Figure:
		return object{"reduceOptions": last, "colorMode": "value", "graphMode": "none", "textMode": "value"}
	case Bars:
		return object{"reduceOptions": last, "orientation": "horizontal", "displayMode": "basic"}
	}
	return object{"legend": object{"displayMode": "list", "placement": "bottom", "showLegend": true}, "tooltip": object{"mode": "multi", "sort": "desc"}}
}

// number prints v without what nobody reads.
func number(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }
