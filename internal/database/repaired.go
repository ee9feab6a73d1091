package database

// Repaired tells what the pass put back because somebody else had changed it.
func (r Run) Repaired() []string {
	var list []string
	for _, step := range r.Done {
		switch s := step.(type) {
		case update:
			if s.drift {
				list = append(list, "Database")
			}
		case setAlerts:
			if s.drift {
				list = append(list, "Alerts")
			}
		}
	}
	return list
}
