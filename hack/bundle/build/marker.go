package build

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
)

// Marker is what the comment above a Go type says about its kind in the bundle:
//
//	+operator-sdk:csv:customresourcedefinitions:displayName="...",order=1,resources={{Service,v1,},{Secret,v1,}}
type Marker struct {
	Title     string
	Order     int
	Resources []v1alpha1.APIResourceReference
}

const markerPrefix = "// +operator-sdk:csv:customresourcedefinitions:"

var (
	markerTitle    = regexp.MustCompile(`displayName="([^"]+)"`)
	markerOrder    = regexp.MustCompile(`order=(\d+)`)
	markerResource = regexp.MustCompile(`\{(\w+),(\w+),"?([\w.]*)"?\}`)
	typeLine       = regexp.MustCompile(`^type (\w+) struct`)
)

// readMarkers reads the markers of all kinds, under "version/Kind".
func (s *Source) readMarkers() error {
	files, err := glob(s.Root, "apis", "app", "*", "*.go")
	if err != nil {
		return err
	}
	s.Markers = map[string]Marker{}
	for _, file := range files {
		if err := s.readMarkersOf(file, filepath.Base(filepath.Dir(file))); err != nil {
			return err
		}
	}
	return nil
}

func (s *Source) readMarkersOf(file, version string) error {
	source, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	lines := bufio.NewScanner(source)
	pending := ""
	for lines.Scan() {
		if text, marked := strings.CutPrefix(lines.Text(), markerPrefix); marked {
			pending = text
		}
		if found := typeLine.FindStringSubmatch(lines.Text()); found != nil && pending != "" {
			marker, err := parseMarker(pending)
			if err != nil {
				return fmt.Errorf("%s: marker of %s: %w", file, found[1], err)
			}
			s.Markers[version+"/"+found[1]] = marker
			pending = ""
		}
	}
	return lines.Err()
}

func parseMarker(text string) (Marker, error) {
	title, order := markerTitle.FindStringSubmatch(text), markerOrder.FindStringSubmatch(text)
	if title == nil || order == nil {
		return Marker{}, fmt.Errorf("displayName or order is missing in %q", text)
	}
	m := Marker{Title: title[1]}
	var err error
	if m.Order, err = strconv.Atoi(order[1]); err != nil {
		return m, err
	}
	for _, r := range markerResource.FindAllStringSubmatch(text, -1) {
		m.Resources = append(m.Resources, v1alpha1.APIResourceReference{Kind: r[1], Version: r[2], Name: r[3]})
	}
	return m, nil
}
