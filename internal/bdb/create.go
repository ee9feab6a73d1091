package bdb

import "github.com/open-redis-enterprise/operator/internal/rest"

// Create returns the body that makes the database. An error is a sentence about the spec.
func Create(in Inputs) (*rest.BDB, error) {
	body := &rest.BDB{Name: rest.Ptr(in.Name)}
	for _, f := range fields {
		if err := f.write(in, body); err != nil {
			return nil, err
		}
	}
	return body, nil
}
