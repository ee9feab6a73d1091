package schema

// Defaults is an object of a type with every documented default, as a bare request would make it.
func Defaults(typeName string) Object {
	o := Object{}
	t := types()[typeName]
	if t == nil {
		return o
	}
	for _, f := range t.fields {
		if f.extended {
			continue
		}
		if f.fallback != nil {
			o[f.name] = cloneValue(f.fallback)
		}
	}
	return o
}

// Fill adds the defaults that o lacks and returns o.
func Fill(typeName string, o Object) Object {
	for k, v := range Defaults(typeName) {
		if _, there := o[k]; !there {
			o[k] = v
		}
	}
	return o
}

// defaultsWithNested is Defaults with nested objects filled in as well, for the settings objects that always show
// every section.
func defaultsWithNested(typeName string) Object {
	o := Defaults(typeName)
	for _, f := range types()[typeName].fields {
		if f.shape == shapeObject && types()[f.of] != nil && !f.extended {
			if _, there := o[f.name]; !there {
				o[f.name] = defaultsWithNested(f.of)
			}
		}
	}
	return o
}

// ReadOnly tells whether requests may not set a field of a type.
func ReadOnly(typeName, fieldName string) bool {
	f := types()[typeName].field(fieldName)
	return f != nil && f.readOnly
}
