package bdb

import (
	"slices"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Part chooses settings by the spec field that they come from, without spec in front. Active-Active databases keep most
// settings in common, and some for each cluster.
type Part func(path string) bool

// Only chooses the settings of the fields named.
func Only(paths ...string) Part {
	return func(path string) bool { return slices.Contains(paths, path) }
}

// Except chooses the settings of all other fields.
func Except(paths ...string) Part {
	only := Only(paths...)
	return func(path string) bool { return !only(path) }
}

// CreatePart is Create for a part of the settings, without the name.
func CreatePart(in Inputs, part Part) (*rest.BDB, error) {
	body := new(rest.BDB)
	for _, f := range fields {
		if !part(f.path) {
			continue
		}
		if err := f.write(in, body); err != nil {
			return nil, err
		}
	}
	return body, nil
}

// DiffPart is Diff for a part of the settings.
func DiffPart(in Inputs, have *rest.BDB, part Part) (body *rest.BDB, changes []Change, err error) {
	update := new(rest.BDB)
	for _, f := range fields {
		if f.how == fixed || !part(f.path) {
			continue
		}
		d, differs, err := f.diff(in, have)
		if err != nil {
			return nil, nil, err
		}
		if differs {
			d.apply(update)
			changes = append(changes, f.change(d))
		}
	}
	if len(changes) == 0 {
		return nil, nil, nil
	}
	return update, changes, nil
}

// Sets tells whether a database object carries a setting that comes from the field.
func Sets(have *rest.BDB, path string) bool {
	if have == nil {
		return false
	}
	for _, f := range fields {
		if f.path == path && f.told != nil && f.told(have) {
			return true
		}
	}
	return false
}
