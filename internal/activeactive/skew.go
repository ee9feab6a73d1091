package activeactive

// Operators of several versions may share a database. What an older one does not know of the common settings must not look
// as if somebody had removed it here: it counts as being here like it is there, and is not remembered as agreed on, so that
// after an upgrade it is taken in as something new (AA-9).

// known is the part of some common settings that this version knows.
func known(settings tree) (tree, error) {
	global, err := globalOf(settings, pathGlobal)
	return globalTree(global), err
}

// whatIsKnown leaves out of some terms what this version does not know.
func whatIsKnown(t Terms) Terms {
	if global, err := known(t.Global); err == nil {
		t.Global = global
	}
	return t
}

// withUnknown adds to settings what the common ones have and this version does not know.
func withUnknown(settings, common tree) tree {
	knows, err := known(common)
	if err != nil {
		return settings
	}
	return restored(settings, knows, common)
}

// restored puts back what got lost between all and part, unless the settings say something else in its place.
func restored(settings, part, all tree) tree {
	out := tree{}
	for key, value := range settings {
		out[key] = value
	}
	for key, value := range all {
		mine, has := settings[key]
		kept, survived := part[key]
		inner, deep := value.(tree)
		theirs, too := kept.(tree)
		here, also := mine.(tree)
		switch {
		case value == nil: // as good as absent
		case !has && !survived, has && survived && same(mine, kept):
			out[key] = value
		case deep && too && also:
			out[key] = restored(here, theirs, inner)
		}
	}
	return out
}
