package schema

// JSONSchema describes a type the way GET /v1/jsonschema does, or reports that there is no such object.
func JSONSchema(typeName string) (Object, bool) {
	t := types()[typeName]
	if t == nil {
		return nil, false
	}
	return t.jsonSchema(map[string]bool{}), true
}

func (t *objectType) jsonSchema(above map[string]bool) Object {
	if above[t.name] {
		return Object{"type": "object"}
	}
	above[t.name] = true
	defer delete(above, t.name)
	properties, required := Object{}, []any{}
	for _, f := range t.fields {
		properties[f.name] = f.jsonSchema(above)
		if f.required {
			required = append(required, f.name)
		}
	}
	o := Object{"type": "object", "properties": properties, "additionalProperties": t.open}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

func (f *field) jsonSchema(above map[string]bool) Object {
	if f.shape == shapeAny {
		return Object{}
	}
	o := Object{"type": f.jsonType()}
	if nested := types()[f.of]; nested != nil {
		switch f.shape {
		case shapeObject:
			o = nested.jsonSchema(above)
		case shapeList:
			o["items"] = nested.jsonSchema(above)
		}
	} else if f.shape == shapeList && isScalar(f.of) {
		o["items"] = (&field{shape: shape(f.of)}).jsonSchema(above)
	}
	if f.min != nil {
		o["minimum"] = *f.min
	}
	if f.max != nil {
		o["maximum"] = *f.max
	}
	if f.maxLen > 0 {
		o["maxLength"] = int64(f.maxLen)
	}
	if len(f.oneOf) > 0 {
		values := make([]any, len(f.oneOf))
		for i, v := range f.oneOf {
			values[i] = v
		}
		o["enum"] = values
	}
	if f.fallback != nil {
		o["default"] = cloneValue(f.fallback)
	}
	if f.readOnly {
		o["readOnly"] = true
	}
	return o
}
