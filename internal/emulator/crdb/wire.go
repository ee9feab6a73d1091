package crdb

import (
	"errors"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// PullCommand is what an instance asks the endpoint of a peer: PullCommand guid instance, then pairs of log and position. The
// answer has one batch for each shard.
const PullCommand = "CRDT.PULL"

// Limits of one batch: a shard does nothing else while it reads or takes one.
const (
	batchKeys  = "128"
	batchBytes = "4194304"
)

// Entry is the last change of a key.
type Entry struct {
	Key []byte
	// Moment and By are the stamp.
	Moment, By string
	// Value is what DUMP makes of it; empty for a deletion. Expiry is in Unix milliseconds, or -1.
	Value  []byte
	Expiry string
}

// Batch is a part of the log of one shard.
type Batch struct {
	Log, Position string
	From          string // the position that was asked from
	More          bool
	Entries       []Entry
}

// ReadArguments are those of Read for a shard of these slots.
func ReadArguments(slots string, seen []string) []string {
	return append([]string{slots, batchKeys, batchBytes}, seen...)
}

var errShape = errors.New("crdb: unexpected answer")

// ParseBatch reads what Read answered. A shard that never took a change has no log.
func ParseBatch(v resp.Value) (Batch, error) {
	if v.Err() != nil {
		return Batch{}, v.Err()
	}
	if len(v.Elems) != 4 {
		return Batch{}, errShape
	}
	b := Batch{Log: v.Elems[0].String(), Position: v.Elems[1].String(), More: v.Elems[2].Int == 1}
	for _, e := range v.Elems[3].Elems {
		if len(e.Elems) != 4 {
			return Batch{}, errShape
		}
		moment, by, ok := strings.Cut(e.Elems[1].String(), ":")
		if !ok {
			return Batch{}, errShape
		}
		b.Entries = append(b.Entries, Entry{
			Key: e.Elems[0].Str, Moment: moment, By: by, Value: e.Elems[2].Str, Expiry: e.Elems[3].String(),
		})
	}
	return b, nil
}

// AppendBatch writes a batch as ParseBatch reads it.
func AppendBatch(dst []byte, b Batch) []byte {
	more := int64(0)
	if b.More {
		more = 1
	}
	dst = resp.AppendArray(dst, 4)
	dst = resp.AppendBulks(dst, b.Log, b.Position)
	dst = resp.AppendArray(resp.AppendInt(dst, more), len(b.Entries))
	for _, e := range b.Entries {
		dst = resp.AppendBulk(resp.AppendArray(dst, 4), e.Key)
		dst = resp.AppendBulk(dst, e.Moment+":"+e.By)
		dst = resp.AppendBulk(resp.AppendBulk(dst, e.Value), e.Expiry)
	}
	return dst
}

// TakeArguments are those of Take for some entries of a batch.
func TakeArguments(epoch, salt string, b Batch, entries []Entry) (keys [][]byte, args []string) {
	args = []string{epoch, salt, b.Log, b.From, b.Position}
	for _, e := range entries {
		keys = append(keys, e.Key)
		args = append(args, e.Moment, e.By, string(e.Value), e.Expiry)
	}
	return keys, args
}
