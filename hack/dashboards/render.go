package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// drawing draws dashboards with the figures of a Prometheus.
type drawing struct {
	url, data, program, out string
	window                  window
	only                    []string
}

func (d drawing) run(ctx context.Context) error {
	if d.url == "" && d.data == "" {
		return errors.New("say --prometheus URL or --data DIR")
	}
	if d.url == "" {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		end, err := recordedEnd(d.data)
		if err != nil {
			return err
		}
		d.window.end = end
		server, err := startPrometheus(ctx, d.program, "global: {scrape_interval: 1h}\n", d.data)
		if err != nil {
			return err
		}
		defer func() { cancel(); _ = server.wait() }() // it only read
		d.url = server.url
	}
	d.window.end = d.window.end.Truncate(d.window.step())
	for _, dashboard := range All() {
		if len(d.only) > 0 && !slices.Contains(d.only, dashboard.Name) {
			continue
		}
		text, drawn, err := d.draw(ctx, dashboard)
		if err != nil {
			return fmt.Errorf("%s: %w", dashboard.Name, err)
		}
		path := filepath.Join(d.out, dashboard.Name+".svg")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil { //nolint:gosec // a picture for everybody
			return err
		}
		fmt.Printf("%s: %d of %d panels have data, %d kB\n", path, drawn.full, drawn.panels, len(text)/1000)
		for _, title := range drawn.empty {
			fmt.Printf("  no data: %s\n", title)
		}
	}
	return nil
}

// tally counts the panels that have data.
type tally struct {
	panels, full int
	empty        []string
}

// draw asks for the figures of each panel and draws them.
func (d drawing) draw(ctx context.Context, dashboard Dashboard) (string, tally, error) {
	var counted tally
	page := newPage(dashboard, d.window)
	for _, p := range layout(dashboard) {
		if p.Panel == nil {
			page.heading(p)
			continue
		}
		var all []series
		for _, q := range p.Panel.Queries {
			got, err := ask(ctx, d.url, q, d.window)
			if err != nil {
				return "", counted, fmt.Errorf("%s: %w", p.Panel.Title, err)
			}
			all = append(all, got...)
		}
		slices.SortStableFunc(all, func(a, b series) int { return strings.Compare(a.Name, b.Name) })
		counted.panels++
		if len(all) > 0 {
			counted.full++
		} else {
			counted.empty = append(counted.empty, p.Panel.Title)
		}
		page.panel(p, all)
	}
	return page.end(), counted, nil
}

const endFile = "end"

// noteEnd writes down when the record ended.
func noteEnd(data string) error {
	return os.WriteFile(filepath.Join(data, endFile), []byte(time.Now().Format(time.RFC3339)), 0o600)
}

func recordedEnd(data string) (time.Time, error) {
	raw, err := os.ReadFile(filepath.Join(data, endFile))
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, strings.TrimSpace(string(raw)))
}
