package rest

import "log/slog"

// The types below hold secrets. Loggers that print fields, and not only texts, ask MarshalLog or LogValue first.

// MarshalLog hides the password from structured logs.
func (c Credentials) MarshalLog() any { return c.String() }

// LogValue hides the password from structured logs.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalLog hides the password from structured logs.
func (c BootstrapCredential) MarshalLog() any { return c.String() }

// LogValue hides the password from structured logs.
func (c BootstrapCredential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalLog hides the secrets from structured logs.
func (b Bootstrap) MarshalLog() any { return b.String() }

// LogValue hides the secrets from structured logs.
func (b Bootstrap) LogValue() slog.Value { return slog.StringValue(b.String()) }

// MarshalLog hides the secrets from structured logs.
func (b BDB) MarshalLog() any { return b.String() }

// LogValue hides the secrets from structured logs.
func (b BDB) LogValue() slog.Value { return slog.StringValue(b.String()) }

// MarshalLog hides the secrets from structured logs.
func (s SyncSource) MarshalLog() any { return s.String() }

// LogValue hides the secrets from structured logs.
func (s SyncSource) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalLog hides the secrets from structured logs.
func (l BackupLocation) MarshalLog() any { return l.String() }

// LogValue hides the secrets from structured logs.
func (l BackupLocation) LogValue() slog.Value { return slog.StringValue(l.String()) }

// MarshalLog hides the password from structured logs.
func (u User) MarshalLog() any { return u.String() }

// LogValue hides the password from structured logs.
func (u User) LogValue() slog.Value { return slog.StringValue(u.String()) }

// MarshalLog hides the key from structured logs.
func (c Certificate) MarshalLog() any { return c.String() }

// LogValue hides the key from structured logs.
func (c Certificate) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalLog hides the licence text from structured logs.
func (l License) MarshalLog() any { return l.String() }

// LogValue hides the licence text from structured logs.
func (l License) LogValue() slog.Value { return slog.StringValue(l.String()) }
