package bdb

import "github.com/open-redis-enterprise/operator/internal/rest"

// Create returns the body that makes the database. An error is a sentence about the spec.
func Create(in Inputs) (*rest.BDB, error) {
	body, err := CreatePart(in, Except())
	if err != nil {
		return nil, err
	}
	body.Name = rest.Ptr(in.Name)
	return body, nil
}
