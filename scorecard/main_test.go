package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	scorecard "github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// call runs the program as a pod does, and reads its whole output as the runner does.
func call(t *testing.T, args ...string) scorecard.TestStatus {
	t.Helper()
	var out bytes.Buffer
	if err := execute(t.Context(), &out, &out, args); err != nil {
		t.Log(err)
	}
	var status scorecard.TestStatus
	decoder := json.NewDecoder(&out)
	if err := decoder.Decode(&status); err != nil {
		t.Fatal(err)
	}
	if decoder.More() {
		t.Error("there is more than a result")
	}
	return status
}

func TestTheProgram(t *testing.T) {
	t.Setenv("KUBECONFIG", "/nowhere")
	for _, c := range []struct {
		name  string
		args  []string
		state scorecard.State
		words string
	}{
		{"a bundle that is well", []string{"images-pinned", "--bundle=../bundle"}, scorecard.PassState, ""},
		{"no bundle", []string{"images-pinned", "--bundle=/nowhere"}, scorecard.FailState, "/nowhere"},
		{"no such test", []string{"unheard-of", "--bundle=../bundle"}, scorecard.FailState, "there is no test unheard-of; there are descriptors-complete"},
		{"an unknown flag", []string{"images-pinned", "--unheard-of"}, scorecard.FailState, "unknown flag: --unheard-of"},
		{"no test", nil, scorecard.FailState, "accepts 1 arg(s)"},
		{"no such stage", []string{"lifecycle-unheard-of"}, scorecard.FailState, ""},
		{"no cluster", []string{"lifecycle-install", "--catalog-image=example.com/catalog:v1"}, scorecard.FailState, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			status := call(t, c.args...)
			if len(status.Results) != 1 || status.Results[0].State != c.state || !strings.Contains(strings.Join(status.Results[0].Errors, " "), c.words) {
				t.Errorf("%+v", status)
			}
			if report.Passed(status) != (c.state == scorecard.PassState) {
				t.Error("the result and its state disagree")
			}
		})
	}
}

// TestLibrariesAreQuiet: whatever they log, nothing gets between the lines of a result.
func TestLibrariesAreQuiet(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr := os.Stderr
	os.Stderr = writer
	t.Cleanup(func() { os.Stderr = stderr })
	quiet()
	log.Log.Info("a warning of the API server")
	log.FromContext(t.Context()).Error(errors.New("an error"), "of a library")
	klog.Error("another one")
	klog.Flush()
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(reader); err != nil || len(text) > 0 {
		t.Errorf("%q, %v", text, err)
	}
}

// TestTheConfigurationRunsEveryTest: each test is in the bundle once, in an order that works, with arguments that are understood.
func TestTheConfigurationRunsEveryTest(t *testing.T) {
	raw, err := os.ReadFile("../bundle/tests/scorecard/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var config scorecard.Configuration
	if err := yaml.UnmarshalStrict(raw, &config); err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, stage := range config.Stages {
		for _, test := range stage.Tests {
			if test.Entrypoint[0] != "/usr/local/bin/redis-scorecard" {
				continue
			}
			command := newCommand(t.Context(), &bytes.Buffer{}, &bytes.Buffer{})
			if err := command.ParseFlags(test.Entrypoint[1:]); err != nil {
				t.Errorf("%v: %v", test.Entrypoint, err)
			}
			if args := command.Flags().Args(); len(args) != 1 || args[0] != test.Labels["test"] {
				t.Errorf("%v is labelled %v", test.Entrypoint, test.Labels)
			}
			if strings.Contains(strings.Join(test.Entrypoint, " ")+test.Image, "$") || strings.HasSuffix(test.Image, ":latest") {
				t.Errorf("%v in %s", test.Entrypoint, test.Image)
			}
			if test.Labels["suite"] == "redis-lifecycle" && (stage.Parallel || len(stage.Tests) != 1) {
				t.Errorf("%s does not run alone", test.Labels["test"])
			}
			listed = append(listed, test.Labels["test"])
		}
	}
	if !slices.Equal(listed, tests()) {
		t.Errorf("the bundle runs %v, the program has %v", listed, tests())
	}
}
