//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// prometheus asks the Prometheus of the parts, through the API server.
type prometheus struct{ part }

const prometheusService = "prometheus-operated"

// ask reads one page of its HTTP API into the field data of an answer.
func (p prometheus) ask(ctx context.Context, path string, params map[string]string, into any) error {
	raw, err := p.Core.CoreV1().Services(p.Namespace).ProxyGet("http", prometheusService, "9090", "/api/v1/"+path, params).DoRaw(ctx)
	if err != nil {
		return fmt.Errorf("%w: %s", err, raw)
	}
	answer := struct {
		Status, Error string
		Data          any
	}{Data: into}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return err
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s", answer.Error)
	}
	return nil
}

// sample is one line of an answer.
type sample struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"`
}

// query evaluates an expression now; a number without labels counts as one sample.
func (p prometheus) query(ctx context.Context, expression string) ([]sample, error) {
	var data struct {
		ResultType string
		Result     json.RawMessage
	}
	if err := p.ask(ctx, "query", map[string]string{"query": expression}, &data); err != nil {
		return nil, err
	}
	if data.ResultType != "vector" {
		return []sample{{}}, nil
	}
	var samples []sample
	return samples, json.Unmarshal(data.Result, &samples)
}

// target is what Prometheus says of something it scrapes.
type target struct {
	Labels             map[string]string
	ScrapeURL          string
	Health, LastError  string
	LastScrape         time.Time
	ScrapePool         string
	LastScrapeDuration float64
}

func (p prometheus) targets(ctx context.Context) ([]target, error) {
	var data struct{ ActiveTargets []target }
	err := p.ask(ctx, "targets", map[string]string{"state": "active"}, &data)
	return data.ActiveTargets, err
}

// loadedRule is a rule as Prometheus has loaded it.
type loadedRule struct {
	Name, Query, Health, LastError, Type string
	Labels                               map[string]string
	LastEvaluation                       time.Time
}

func (p prometheus) rules(ctx context.Context) ([]loadedRule, error) {
	var data struct {
		Groups []struct{ Rules []loadedRule }
	}
	err := p.ask(ctx, "rules", nil, &data)
	var all []loadedRule
	for _, group := range data.Groups {
		all = append(all, group.Rules...)
	}
	return all, err
}
