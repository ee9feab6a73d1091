package bdb

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Invalid says what is wrong with a spec. A person must change it; package outcome reads it as a rejection.
type Invalid struct {
	// Path is the field as the user types it, with spec in front.
	Path string
	// Message says what is wrong and what would be right.
	Message string
	// ByCluster is true when the cluster refused the setting, and false when our own rules did.
	ByCluster bool
}

// Error prints path and message.
func (e *Invalid) Error() string { return e.Path + ": " + e.Message }

// SpecPath is the field to blame.
func (e *Invalid) SpecPath() string { return e.Path }

// ConditionReason is the reason that conditions and events show.
func (e *Invalid) ConditionReason() string {
	if e.ByCluster {
		return v1.ReasonRejectedByCluster
	}
	return v1.ReasonInvalidSpec
}

func invalid(path, format string, args ...any) *Invalid {
	full := "spec"
	if path != "" {
		full += "." + path
	}
	return &Invalid{Path: full, Message: fmt.Sprintf(format, args...)}
}

// Refusals lists the settings that differ and cannot change after creation. The loop calls it with the database as it
// is, the webhook, through ValidateChange, with the database as the old spec asks for.
func Refusals(in Inputs, have *rest.BDB) ([]*Invalid, error) {
	var out []*Invalid
	for _, f := range fields {
		if f.how != fixed {
			continue
		}
		d, differs, err := f.diff(in, have)
		if err != nil {
			return nil, err
		}
		if differs {
			out = append(out, invalid(f.path, "cannot change after the database was created: it is %s, not %s", d.from, d.to))
		}
	}
	return out, nil
}

// ValidateChange lists what a new spec changes and must not.
func ValidateChange(name string, before, after *v1alpha1.RedisEnterpriseDatabaseSpec) []*Invalid {
	var out []*Invalid
	if o, n := before.ClusterName(), after.ClusterName(); o != "" && n != "" && o != n {
		out = append(out, invalid("redisEnterpriseCluster.name", "cannot change after the database was created: it is %s, not %s", o, n))
	}
	have := new(rest.BDB)
	for _, f := range fields {
		if f.how == fixed {
			if err := f.write(Inputs{Name: name, Spec: before}, have); err != nil {
				return out // the old spec is not sound, so nothing was made from it
			}
		}
	}
	refused, err := Refusals(Inputs{Name: name, Spec: after}, have)
	if err != nil {
		return out // the new spec is not sound, which Validate says
	}
	return append(out, refused...)
}

// licence problems come with a status of their own or with a sentence.
var (
	aboutLicense = regexp.MustCompile(`(?i)licen[cs]e`)
	aboutExpiry  = regexp.MustCompile(`(?i)licen[cs]e.*expired`)
)

// Explain turns a refusal by the cluster into a sentence under the field that the user typed. Other errors are
// returned as they are.
func Explain(err error) error {
	e, ok := rest.As(err)
	if !ok || !rest.IsRefused(err) && !rest.IsForbidden(err) {
		return err
	}
	said := e.Message
	if said == "" {
		said = "the request was refused"
	}
	if e.Code != "" {
		said += " [" + e.Code + "]"
	}
	out := &Invalid{ByCluster: true, Path: "spec"}
	switch f := blamed(e); {
	case aboutExpiry.MatchString(e.Message):
		out.Message = "the licence of the cluster has run out: " + said
	case aboutLicense.MatchString(e.Message) || e.Code == "invalid_license":
		out.Path = "spec.shardCount"
		out.Message = "the licence of the cluster does not allow it: " + said
	case f != nil:
		out.Path = "spec." + f.path
		out.Message = fmt.Sprintf("the cluster refused %s: %s", f.wire, said)
	default:
		out.Message = "the cluster refused the database: " + said
	}
	return out
}

// blamed finds the setting that an error speaks of: by its code, else by the name of a setting in its text.
func blamed(e *rest.Error) *field {
	for i := range fields {
		if e.Code != "" && slices.Contains(fields[i].codes, e.Code) {
			return &fields[i]
		}
	}
	words := strings.FieldsFunc(e.Message, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
	for i := range fields {
		if slices.Contains(words, fields[i].wire) && fields[i].wire != "type" {
			return &fields[i]
		}
	}
	return nil
}
