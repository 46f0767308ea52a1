package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// record is what a shard has passed.
type record struct {
	SHA256 string `json:"sha256"` // of its test binary
	Passed int    `json:"passed"` // rounds
}

// state is the file that remembers what has passed, by the names of the shards.
type state struct {
	path    string
	records map[string]record
}

// openState reads the file. One that does not exist is empty.
func openState(path string) (*state, error) {
	s := &state{path: path, records: make(map[string]record)}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &s.records); err != nil {
		return nil, fmt.Errorf("%s: %w; delete it to begin again", path, err)
	}
	return s, nil
}

// passed returns how many rounds of a shard have passed with the test binary of
// this hash.
func (s *state) passed(shard, sum string) int {
	if r := s.records[shard]; r.SHA256 == sum {
		return r.Passed
	}
	return 0
}

// put records a shard on disk. The file is replaced as a whole, so a crash leaves
// the old one.
func (s *state) put(shard string, r record) error {
	s.records[shard] = r
	data, err := json.MarshalIndent(s.records, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.path+".new", data, 0o644); err != nil {
		return err
	}
	return os.Rename(s.path+".new", s.path)
}
