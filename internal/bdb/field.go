package bdb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// change is how far a setting can change after the creation of a database.
type change int

const (
	mutable change = iota // follows the spec at any time
	fixed                 // asked for at creation, refused afterwards
	sticky                // an absent value means: leave as it is
	initial               // sent at creation, or along with the setting that needs it
)

func (c change) String() string {
	return [...]string{"yes", "no", "yes; absent leaves it", "at creation"}[c]
}

// field is one line of the table: a spec field, the setting that carries it, and how the two meet.
type field struct {
	path string // below spec
	wire string // key of the bdb object
	how  change
	// remembered: the absent field goes back to its default only if it was set before (status.managedFields).
	remembered bool
	// secret values are never printed; where the cluster masks them they are compared by fingerprint.
	secret bool
	// codes are error codes of the server that speak of this setting.
	codes []string
	// via names the call that changes the setting, if it is not the update.
	via string
	// note is for the documentation.
	note string

	// wanted tells whether the inputs ask for anything.
	wanted func(Inputs) (bool, error)
	// write puts the wanted value into a create body.
	write func(Inputs, *rest.BDB) error
	// diff compares with an existing database. When it differs, apply puts the wanted value into an update body.
	diff func(in Inputs, have *rest.BDB) (d difference, differs bool, err error)
	// told tells whether an object carries the setting.
	told func(have *rest.BDB) bool
	// fingerprint is set for secrets.
	fingerprint func(Inputs) (fp string, wanted bool, err error)
}

// difference is a wanted change of one setting.
type difference struct {
	from, to string
	apply    func(update *rest.BDB)
}

type option[T any] func(*setting[T])

// setting is a field while it is being put together.
type setting[T any] struct {
	field
	slot func(*rest.BDB) **T
	want func(Inputs) (*T, error)
	same func(have, want T) bool
	show func(T) string
	// read finds the present value, where it is not simply in the slot.
	read func(*rest.BDB) *T
	// unset is the value that an answer without this key stands for.
	unset *T
	// reset is the default of a remembered field.
	reset *T
	// oneWay is a value that the server cannot go back to: asked for at creation, never afterwards.
	oneWay func(T) bool
	// skipNew tells values that need not be sent at creation.
	skipNew func(T) bool
	// alongside adds what an update of this setting must carry as well.
	alongside func(have, update *rest.BDB)
}

// at is a line for a single value.
func at[T comparable](path, wire string, how change, slot func(*rest.BDB) **T, want func(Inputs) (*T, error), opts ...option[T]) field {
	s := &setting[T]{field: field{path: path, wire: wire, how: how}, slot: slot, want: want,
		same: func(a, b T) bool { return a == b }, show: func(v T) string { return fmt.Sprint(v) }}
	return s.finish(opts)
}

// list is a line for a list; normal brings it into a form in which equal lists are equal member by member.
func list[T comparable](path, wire string, how change, slot func(*rest.BDB) **[]T, want func(Inputs) (*[]T, error),
	normal func([]T) []T, opts ...option[[]T]) field {
	empty := []T{}
	s := &setting[[]T]{field: field{path: path, wire: wire, how: how}, slot: slot, want: want,
		same:  func(a, b []T) bool { return slices.Equal(normal(slices.Clone(a)), normal(slices.Clone(b))) },
		show:  func(v []T) string { return fmt.Sprintf("%d entries", len(v)) },
		unset: &empty, skipNew: func(v []T) bool { return len(v) == 0 }}
	return s.finish(opts)
}

func (s *setting[T]) finish(opts []option[T]) field {
	for _, o := range opts {
		o(s)
	}
	if s.read == nil {
		s.read = func(b *rest.BDB) *T { return *s.slot(b) }
	}
	s.remembered = s.reset != nil
	s.wanted = func(in Inputs) (bool, error) {
		v, err := s.want(in)
		return v != nil, err
	}
	s.write = s.writeNew
	s.told = func(b *rest.BDB) bool { return *s.slot(b) != nil }
	s.diff = s.compare
	if s.secret {
		s.fingerprint = s.print
	}
	return s.field
}

func (s *setting[T]) writeNew(in Inputs, b *rest.BDB) error {
	v, err := s.want(in)
	if err != nil || v == nil || s.skipNew != nil && s.skipNew(*v) {
		return err
	}
	*s.slot(b) = v
	return nil
}

func (s *setting[T]) compare(in Inputs, have *rest.BDB) (difference, bool, error) {
	want, err := s.want(in)
	if err != nil {
		return difference{}, false, err
	}
	if want == nil && s.reset != nil && slices.Contains(in.ManagedFields, s.path) {
		want = s.reset
	}
	if want == nil || s.how == initial {
		return difference{}, false, nil
	}
	is := s.read(have)
	if is == nil {
		is = s.unset
	}
	if s.equal(in, is, *want) || is != nil && s.oneWay != nil && s.oneWay(*want) {
		return difference{}, false, nil
	}
	d := difference{from: "unset", to: s.show(*want), apply: func(update *rest.BDB) {
		*s.slot(update) = want
		if s.alongside != nil {
			s.alongside(have, update)
		}
	}}
	if is != nil {
		d.from = s.show(*is)
	}
	if s.how == fixed && is == nil {
		return difference{}, false, nil // not told by this server, so nobody can say that it differs
	}
	return d, true, nil
}

func (s *setting[T]) equal(in Inputs, is *T, want T) bool {
	if s.secret && (is == nil || masked(fmt.Sprint(*is))) {
		text := fmt.Sprint(want)
		return in.Recorded[s.wire] == fingerprint(in.Salt, s.wire, text) || is == nil && text == ""
	}
	return is != nil && s.same(*is, want)
}

func (s *setting[T]) print(in Inputs) (string, bool, error) {
	v, err := s.want(in)
	if err != nil || v == nil {
		return "", false, err
	}
	return fingerprint(in.Salt, s.wire, fmt.Sprint(*v)), true, nil
}

// masked tells a hidden secret, which the cluster sends as a row of one sign, from a real one.
func masked(text string) bool {
	return len(text) >= 3 && strings.Trim(text, "*") == ""
}

func showing[T any](show func(T) string) option[T] { return func(s *setting[T]) { s.show = show } }

func reading[T any](read func(*rest.BDB) *T) option[T] {
	return func(s *setting[T]) { s.read = read }
}

func sameWhen[T any](same func(have, want T) bool) option[T] {
	return func(s *setting[T]) { s.same = same }
}

// notTold: an answer without this key says nothing about the setting.
func notTold[T any]() option[T] { return func(s *setting[T]) { s.unset = nil } }

func unset[T any](v T) option[T] { return func(s *setting[T]) { s.unset = &v } }

// remembering makes a field without a default that is always enforced go back to v when it was set before.
func remembering[T any](v T) option[T] { return func(s *setting[T]) { s.reset = &v } }

func oneWay[T any](is func(T) bool) option[T] { return func(s *setting[T]) { s.oneWay = is } }

func skipNew[T any](skip func(T) bool) option[T] { return func(s *setting[T]) { s.skipNew = skip } }

func secret[T any]() option[T] {
	return func(s *setting[T]) { s.secret = true; s.show = func(T) string { return "***" } }
}

func codes[T any](list ...string) option[T] { return func(s *setting[T]) { s.codes = list } }

func via[T any](call string) option[T] { return func(s *setting[T]) { s.via = call } }

func note[T any](text string) option[T] { return func(s *setting[T]) { s.note = text } }

func alongside[T any](add func(have, update *rest.BDB)) option[T] {
	return func(s *setting[T]) { s.alongside = add }
}
