package v1alpha1

import (
	"encoding/json"
	"fmt"
)

// UnmarshalJSON accepts text and numbers; a number keeps the digits it was written with.
func (t *AlertThreshold) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*t = AlertThreshold(text)
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(data, &number); err != nil {
		return fmt.Errorf("threshold must be text or a number, not %s", data)
	}
	*t = AlertThreshold(number.String())
	return nil
}
