package rest

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
)

// MetricsConfig holds the settings of GET and PUT /v1/metrics_config. Clusters before 8.2 have none.
type MetricsConfig struct {
	ExposeDBTags              *bool    `json:"expose_db_tags,omitempty"`
	MetricsTagKeysExposed     *Strings `json:"metrics_tag_keys_exposed,omitempty"`
	MaxRequestsInFlight       *Int     `json:"max_requests_in_flight,omitempty"`
	KeyDistributionEnabled    *bool    `json:"key_distribution_enabled,omitempty"`
	KeySizeBuckets            *string  `json:"key_size_buckets,omitempty"`
	KeyItemsBuckets           *string  `json:"key_items_buckets,omitempty"`
	LocalStorageMaxSizeMB     *Int     `json:"local_storage_max_size_mb,omitempty"`
	LocalStorageRetentionDays *Int     `json:"local_storage_retention_days,omitempty"`
}

// GetMetricsConfig reads what the metrics expose; IsNotFound means that the cluster is too old to know.
func (c *Client) GetMetricsConfig(ctx context.Context) (*MetricsConfig, error) {
	out := new(MetricsConfig)
	if err := c.get(ctx, "/v1/metrics_config", "/v1/metrics_config", out); err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateMetricsConfig changes the settings that are set in body.
func (c *Client) UpdateMetricsConfig(ctx context.Context, body *MetricsConfig) error {
	return c.put(ctx, "/v1/metrics_config", "/v1/metrics_config", body, nil)
}

// GetMetricsCertificate reads the certificate that the metrics are served with, in PEM and without its key.
func (c *Client) GetMetricsCertificate(ctx context.Context) (string, error) {
	all, err := c.GetCertificates(ctx)
	if err != nil {
		return "", err
	}
	var out []byte
	for rest := []byte(all["metrics_exporter_cert"]); ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if _, err := x509.ParseCertificate(block.Bytes); block.Type == "CERTIFICATE" && err == nil {
			out = append(out, pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})...)
		}
	}
	if len(out) == 0 {
		return "", errors.New("the cluster names no certificate for its metrics")
	}
	return string(out), nil
}
