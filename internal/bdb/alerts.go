package bdb

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// wantAlerts are the alerts that the spec names. The resource uses the server's names, so its own JSON is the mapping.
func wantAlerts(spec *v1alpha1.RedisEnterpriseDatabaseSpec) (map[string]v1alpha1.DatabaseAlert, error) {
	if spec.AlertSettings == nil {
		return nil, nil
	}
	data, err := json.Marshal(spec.AlertSettings)
	if err != nil {
		return nil, fmt.Errorf("reading alertSettings: %w", err)
	}
	var out map[string]v1alpha1.DatabaseAlert
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, fmt.Errorf("reading alertSettings: %w", err)
	}
	return out, nil
}

// Alerts compares the alerts that the spec names with those of the database. The body names only what differs and is
// nil when nothing does. Alerts that the spec does not name are left alone.
func Alerts(in Inputs, have map[string]rest.Alert) (body map[string]rest.AlertSetting, changes []Change, err error) {
	want, err := wantAlerts(in.Spec)
	if err != nil {
		return nil, nil, err
	}
	names := make([]string, 0, len(want))
	for name := range want {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		alert, is := want[name], have[name]
		if is.Enabled == alert.Enabled && (alert.Threshold == nil || sameNumber(string(is.Threshold), string(*alert.Threshold))) {
			continue
		}
		setting := rest.AlertSetting{Enabled: alert.Enabled}
		if alert.Threshold != nil {
			setting.Threshold = rest.Ptr(string(*alert.Threshold))
		}
		if body == nil {
			body = map[string]rest.AlertSetting{}
		}
		body[name] = setting
		changes = append(changes, Change{Path: "spec.alertSettings." + name, Setting: name,
			From: showAlert(is.Enabled, string(is.Threshold)), To: showAlert(alert.Enabled, rest.Value(setting.Threshold))})
	}
	return body, changes, nil
}

func sameNumber(a, b string) bool {
	x, errA := strconv.ParseFloat(a, 64)
	y, errB := strconv.ParseFloat(b, 64)
	if errA != nil || errB != nil {
		return a == b
	}
	return x == y
}

func showAlert(enabled bool, threshold string) string {
	text := "off"
	if enabled {
		text = "on"
	}
	if threshold != "" {
		text += " at " + threshold
	}
	return text
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}
