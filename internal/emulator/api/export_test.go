package api

// Patterns are the method and the pattern of every route, for tests that try them all.
func Patterns() [][2]string {
	var all [][2]string
	for _, r := range routes() {
		all = append(all, [2]string{r.method, r.pattern})
	}
	return all
}
