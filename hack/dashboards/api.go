package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// window is the time that is drawn.
type window struct {
	end    time.Time
	length time.Duration
}

// step gives some 120 points.
func (w window) step() time.Duration { return max(w.length/120, time.Second).Truncate(time.Second) }

func (w window) start() time.Time { return w.end.Add(-w.length) }

// series is one line: a value per step, NaN where there is none.
type series struct {
	Name   string
	Values []float64
}

func (s series) last() float64 {
	for i := len(s.Values) - 1; i >= 0; i-- {
		if !math.IsNaN(s.Values[i]) {
			return s.Values[i]
		}
	}
	return math.NaN()
}

// choices stand for what a person would choose at the head of a dashboard: everything.
var choices = strings.NewReplacer("$__rate_interval", "1m", "$cluster", ".*", "$node", ".*", "$db", ".*", "$namespace", ".*")

// ask evaluates a query over the window.
func ask(ctx context.Context, base string, q Query, w window) ([]series, error) {
	values := url.Values{"query": {choices.Replace(q.Expr)}, "start": {stamp(w.start())}, "end": {stamp(w.end)}, "step": {number(w.step().Seconds(), 0)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/v1/query_range", strings.NewReader(values.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s: %w", q.Expr, err)
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s", q.Expr, answer.Error)
	}
	var all []series
	for _, r := range answer.Data.Result {
		s := series{Name: legend(q.Legend, r.Metric), Values: empty(int(w.length/w.step()) + 1)}
		for _, pair := range r.Values {
			at, okAt := pair[0].(float64)
			text, okText := pair[1].(string)
			v, err := strconv.ParseFloat(text, 64)
			i := int(math.Round((at - float64(w.start().UnixMilli())/1000) / w.step().Seconds()))
			if okAt && okText && err == nil && i >= 0 && i < len(s.Values) && !math.IsInf(v, 0) {
				s.Values[i] = v
			}
		}
		all = append(all, s)
	}
	return all, nil
}

func stamp(t time.Time) string { return number(float64(t.UnixMilli())/1000, 3) }

func empty(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = math.NaN()
	}
	return v
}

var placeholder = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)

// legend fills the labels of a series into a legend.
func legend(format string, labels map[string]string) string {
	return placeholder.ReplaceAllStringFunc(format, func(m string) string { return labels[placeholder.FindStringSubmatch(m)[1]] })
}
