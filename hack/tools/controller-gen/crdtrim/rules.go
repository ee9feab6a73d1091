package main

import "strings"

// embedded names the properties that hold Kubernetes types. Below them descriptions go; `kubectl explain pod.spec`
// has them.
var embedded = map[string]bool{
	".spec.bootstrapperResources":                                        true,
	".spec.extraEnvVars":                                                 true,
	".spec.podAntiAffinity":                                              true,
	".spec.podTolerations":                                               true,
	".spec.redisEnterpriseAdditionalPodSpecAttributes":                   true,
	".spec.redisEnterpriseNodeResources":                                 true,
	".spec.redisEnterpriseServicesRiggerResources":                       true,
	".spec.redisEnterpriseVolumeMounts":                                  true,
	".spec.servicesRiggerSpec.extraEnvVars":                              true,
	".spec.servicesRiggerSpec.servicesRiggerAdditionalPodSpecAttributes": true,
	".spec.sideContainersSpec":                                           true,
	".spec.usageMeter.callHomeClient.resources":                          true,
	".spec.volumes":                                                      true,
	".status.conditions":                                                 true,
}

// lenient names those of them whose content must stay as the user wrote it: no defaults are filled in, and lists that
// a pod may hold with repeated keys may do so here.
var lenient = map[string]bool{
	".spec.extraEnvVars":                    true,
	".spec.servicesRiggerSpec.extraEnvVars": true,
	".spec.sideContainersSpec":              true,
	".spec.volumes":                         true,
}

// repeatable names the lists of a container whose keys Kubernetes does not require to be unique.
var repeatable = map[string]bool{"env": true, "volumeDevices": true, "volumeMounts": true}

func walk(schema map[string]any, path string) {
	if description, ok := schema["description"].(string); ok {
		schema["description"] = reflow(description)
	}
	for name, child := range properties(schema) {
		childPath := path + "." + name
		if !embedded[childPath] {
			walk(child, childPath)
			continue
		}
		description := child["description"]
		strip(child, lenient[childPath], nil)
		if text, ok := description.(string); ok {
			child["description"] = reflow(text)
		}
	}
	if items, ok := schema["items"].(map[string]any); ok {
		walk(items, path+"[]")
	}
}

// reflow joins the lines of each paragraph: where a Go comment breaks its lines is no concern of kubectl explain.
func reflow(text string) string {
	paragraphs := strings.Split(strings.TrimSpace(text), "\n\n")
	for i, paragraph := range paragraphs {
		paragraphs[i] = strings.Join(strings.Fields(paragraph), " ")
	}
	return strings.Join(paragraphs, "\n\n")
}

// strip removes descriptions from a schema and everything below it. With lenient it also removes defaults, except those
// of keys, and makes repeatable lists plain ones.
func strip(schema map[string]any, lenient bool, keys map[string]bool) {
	delete(schema, "description")
	for name, child := range properties(schema) {
		if lenient && !keys[name] {
			delete(child, "default")
		}
		if lenient && repeatable[name] {
			delete(child, "x-kubernetes-list-type")
			delete(child, "x-kubernetes-list-map-keys")
		}
		strip(child, lenient, nil)
	}
	if items, ok := schema["items"].(map[string]any); ok {
		strip(items, lenient, mapKeys(schema))
	}
	if values, ok := schema["additionalProperties"].(map[string]any); ok {
		strip(values, lenient, nil)
	}
}

func properties(schema map[string]any) map[string]map[string]any {
	all, ok := schema["properties"].(map[string]any)
	if !ok {
		return nil
	}
	out := make(map[string]map[string]any, len(all))
	for name, child := range all {
		if object, ok := child.(map[string]any); ok {
			out[name] = object
		}
	}
	return out
}

// mapKeys returns the keys of a list that is merged by key; their defaults must stay.
func mapKeys(schema map[string]any) map[string]bool {
	out := map[string]bool{}
	keys, _ := schema["x-kubernetes-list-map-keys"].([]any)
	for _, key := range keys {
		if name, ok := key.(string); ok {
			out[name] = true
		}
	}
	return out
}
