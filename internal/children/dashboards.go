package children

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	corev1 "k8s.io/api/core/v1"

	"github.com/open-redis-enterprise/operator/config/grafana"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// Dashboards holds the Grafana dashboards about the cluster and its databases, for the sidecar of Grafana that looks for
// the label. They are bound to this cluster, so that several clusters can have theirs beside each other.
func Dashboards(c Cluster) (*corev1.ConfigMap, error) {
	held := &corev1.ConfigMap{ObjectMeta: c.metricsMeta(names.Dashboards(c.REC.Name)), Data: map[string]string{}}
	held.Labels[names.LabelDashboard] = "1"
	for _, name := range grafana.OfClusters {
		raw, err := grafana.Files.ReadFile(name + ".json")
		if err != nil {
			return nil, err
		}
		text, err := c.bound(raw)
		if err != nil {
			return nil, err
		}
		held.Data[c.REC.Namespace+"-"+c.REC.Name+"-"+name+".json"] = text
	}
	return held, nil
}

// bound gives a dashboard the cluster's name in its title, a uid of its own, and this cluster as the only choice.
func (c Cluster) bound(raw []byte) (string, error) {
	var d map[string]any
	if err := json.Unmarshal(raw, &d); err != nil {
		return "", err
	}
	where := c.REC.Namespace + "/" + c.REC.Name
	hash := sha256.Sum256([]byte(where))
	d["uid"] = d["uid"].(string) + "-" + hex.EncodeToString(hash[:4]) // Grafana takes 40 characters
	d["title"] = d["title"].(string) + " (" + where + ")"
	fqdn := names.FQDN(c.REC.Name, c.REC.Namespace)
	list := d["templating"].(map[string]any)["list"].([]any)
	for i, v := range list {
		if v.(map[string]any)["name"] == "cluster" {
			list[i] = map[string]any{"name": "cluster", "label": "Cluster", "type": "custom", "query": fqdn, "current": map[string]any{"text": fqdn, "value": fqdn, "selected": true},
				"options": []any{map[string]any{"text": fqdn, "value": fqdn, "selected": true}}}
		}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(d)
	return out.String(), err
}
