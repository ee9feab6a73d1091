package emulator

import (
	"reflect"
	"testing"
)

func TestMET4_ProcessorTimesAreThoseOfTheMachine(t *testing.T) {
	got := parseProcessorTimes("cpu  300 0 0 700 0 0 0 0 0 0\ncpu0 100 2 50 700 8 1 3 4 0 0\ncpu1 200 0 0 0 0 0 0 0 0 0\nintr 1 2 3\n")
	want := map[string]float64{"user": 1, "nice": 0.02, "system": 0.5, "idle": 7, "iowait": 0.08, "irq": 0.01, "softirq": 0.03, "steal": 0.04}
	if len(got) != 2 || !reflect.DeepEqual(got["0"], want) || got["1"]["user"] != 2 {
		t.Errorf("%v", got)
	}
}
