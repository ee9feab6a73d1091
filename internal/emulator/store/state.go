package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Identity is what makes a node a member: its number and the cluster's internal certificate.
type Identity struct {
	UID int64 `json:"uid"`
	// Certificate and Key (PEM) are shared by all nodes of a cluster and prove membership on the port between nodes.
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
	// Password protects the redis-servers that hold the configuration.
	Password string `json:"password"`
}

// ballot is what a node must never forget: it voted once in a term.
type ballot struct {
	Identity
	Term  int64 `json:"term"`
	Voted int64 `json:"voted"`
}

const ballotFile = "member.json"

func readBallot(dir string) (ballot, error) {
	raw, err := os.ReadFile(filepath.Join(dir, ballotFile))
	if errors.Is(err, fs.ErrNotExist) {
		return ballot{}, ErrNoCluster
	}
	if err != nil {
		return ballot{}, fmt.Errorf("store: %w", err)
	}
	var b ballot
	if err := json.Unmarshal(raw, &b); err != nil {
		return ballot{}, fmt.Errorf("store: %s: %w", ballotFile, err)
	}
	return b, nil
}

func writeBallot(dir string, b ballot) error {
	raw, err := json.Marshal(b)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ballotFile+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(raw)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := os.Rename(tmp.Name(), filepath.Join(dir, ballotFile)); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}
