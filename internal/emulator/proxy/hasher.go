package proxy

// Hasher is the slot function of a list of hash rules, or of the standard policy when there are none.
func Hasher(rules []string) (func(key []byte) int, error) { return compileRules(rules) }
