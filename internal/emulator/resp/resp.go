// Package resp reads and writes the Redis serialization protocol, versions 2 and 3: commands as a server meets them,
// replies as a client meets them, raw when they are only passed on.
package resp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// The first bytes of replies.
const (
	Simple    = '+'
	ErrorKind = '-'
	Integer   = ':'
	Bulk      = '$'
	Array     = '*'
	Null      = '_'
	Bool      = '#'
	Double    = ','
	BigNumber = '('
	BlobError = '!'
	Verbatim  = '='
	Map       = '%'
	Set       = '~'
	Push      = '>'
	Attribute = '|'
)

const (
	maxBulk  = 512 << 20
	maxArgs  = 1 << 20
	maxLine  = 64 << 10
	maxDepth = 64
	// What a connection may send before it has signed in, as redis-server limits it.
	maxBulkStranger = 16 << 10
	maxArgsStranger = 10
)

// Error is an error reply, without its leading '-'.
type Error string

// Error is the text of the reply.
func (e Error) Error() string { return string(e) }

// ProtocolError is a violation of the protocol; the connection cannot be used any further.
type ProtocolError string

// Error is the text redis-server would use.
func (e ProtocolError) Error() string { return "Protocol error: " + string(e) }

// Value is a parsed reply.
type Value struct {
	// Kind is the first byte of the reply.
	Kind byte
	// Str is the text of simple strings, errors, bulk strings, doubles, big numbers and verbatim strings.
	Str []byte
	// Int is the value of an integer, and 1 of a true boolean.
	Int int64
	// Elems are the elements of arrays, sets and pushes, and keys and values in turn of maps.
	Elems []Value
	// Nil is true for the null of either protocol version.
	Nil bool
}

// String is the text of a scalar.
func (v Value) String() string {
	if v.Kind == Integer || v.Kind == Bool {
		return strconv.FormatInt(v.Int, 10)
	}
	return string(v.Str)
}

// Err is the reply as an error when it is one.
func (v Value) Err() error {
	if v.Kind == ErrorKind || v.Kind == BlobError {
		return Error(v.Str)
	}
	return nil
}

// Reader reads commands or replies.
type Reader struct {
	br *bufio.Reader
	// Stranger limits what ReadCommand accepts to what a connection needs to sign in.
	Stranger bool
}

// NewReader reads from r.
func NewReader(r io.Reader) *Reader { return &Reader{br: bufio.NewReaderSize(r, 16<<10)} }

// Buffered is how many bytes can be read without blocking.
func (r *Reader) Buffered() int { return r.br.Buffered() }

// HasCommand tells whether a whole command is likely to be buffered, so that reading it does not block for long.
func (r *Reader) HasCommand() bool {
	n := r.br.Buffered()
	if n == 0 {
		return false
	}
	b, err := r.br.Peek(n)
	return err == nil && complete(b)
}

// complete tells whether b starts with a whole command.
func complete(b []byte) bool {
	line, rest, ok := bytes.Cut(b, []byte("\n"))
	if !ok {
		return false
	}
	if b[0] != Array {
		return true
	}
	n, err := strconv.Atoi(string(bytes.TrimRight(line[1:], "\r")))
	if err != nil {
		return true
	}
	for range n {
		line, rest, ok = bytes.Cut(rest, []byte("\n"))
		if !ok {
			return false
		}
		size, err := strconv.Atoi(string(bytes.TrimRight(bytes.TrimPrefix(line, []byte("$")), "\r")))
		if err != nil || size < 0 {
			return true
		}
		if len(rest) < size+2 {
			return false
		}
		rest = rest[size+2:]
	}
	return true
}

// line reads up to CRLF (or LF), which it removes.
func (r *Reader) line() ([]byte, error) {
	var line []byte
	for {
		part, err := r.br.ReadSlice('\n')
		line = append(line, part...)
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		if len(line) > maxLine {
			return nil, ProtocolError("too big inline request")
		}
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// ReadCommand reads one command, as an array of bulk strings or inline. An empty command has no arguments and no error.
func (r *Reader) ReadCommand() ([][]byte, error) {
	line, err := r.line()
	if err != nil {
		return nil, err
	}
	if len(line) == 0 || line[0] != Array {
		return SplitInline(line)
	}
	n, err := strconv.Atoi(string(line[1:]))
	if err != nil || n > maxArgs {
		return nil, ProtocolError("invalid multibulk length")
	}
	if r.Stranger && n > maxArgsStranger {
		return nil, ProtocolError("unauthenticated multibulk length")
	}
	if n <= 0 {
		return nil, nil
	}
	args := make([][]byte, 0, min(n, 1024))
	for range n {
		arg, err := r.bulkArgument()
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
	return args, nil
}

func (r *Reader) bulkArgument() ([]byte, error) {
	line, err := r.line()
	if err != nil {
		return nil, noEOF(err)
	}
	if len(line) == 0 || line[0] != Bulk {
		got := byte('\r')
		if len(line) > 0 {
			got = line[0]
		}
		return nil, ProtocolError(fmt.Sprintf("expected '$', got '%c'", got))
	}
	size, err := strconv.Atoi(string(line[1:]))
	if err != nil || size < 0 || size > maxBulk {
		return nil, ProtocolError("invalid bulk length")
	}
	if r.Stranger && size > maxBulkStranger {
		return nil, ProtocolError("unauthenticated bulk length")
	}
	arg, err := r.exactly(nil, size+2)
	if err != nil {
		return nil, err
	}
	return arg[:size], nil
}

// exactly appends n bytes to dst; memory grows with what really arrives, not with what was announced.
func (r *Reader) exactly(dst []byte, n int) ([]byte, error) {
	const step = 1 << 20
	for n > 0 {
		part := min(n, step)
		start := len(dst)
		if cap(dst)-start < part {
			grown := make([]byte, start, max(start+part, min(2*start, start+n)))
			copy(grown, dst)
			dst = grown
		}
		dst = dst[:start+part]
		if _, err := io.ReadFull(r.br, dst[start:]); err != nil {
			return nil, noEOF(err)
		}
		n -= part
	}
	return dst, nil
}

// noEOF makes an end in the middle of something an error of its own.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// ReadRaw appends one whole reply, as it came, to dst. Attributes are part of the reply they precede.
func (r *Reader) ReadRaw(dst []byte) ([]byte, error) {
	start := len(dst)
	dst, err := r.raw(dst, 0)
	if err != nil {
		if len(dst) > start || errors.Is(err, io.ErrUnexpectedEOF) {
			return dst, noEOF(err)
		}
		return dst, err
	}
	return dst, nil
}

func (r *Reader) raw(dst []byte, depth int) ([]byte, error) {
	if depth > maxDepth {
		return dst, ProtocolError("reply nested too deeply")
	}
	start := len(dst)
	dst, err := r.rawLine(dst)
	if err != nil {
		return dst, err
	}
	head := dst[start:]
	if len(head) < 3 {
		return dst, ProtocolError("empty reply")
	}
	kind := head[0]
	switch kind {
	case Bulk, BlobError, Verbatim:
		n, err := strconv.Atoi(string(head[1 : len(head)-2]))
		if err != nil || n > maxBulk {
			return dst, ProtocolError("invalid bulk length in reply")
		}
		if n < 0 {
			return dst, nil
		}
		return r.exactly(dst, n+2)
	case Array, Set, Push, Map, Attribute:
		n, err := strconv.Atoi(string(head[1 : len(head)-2]))
		if err != nil {
			return dst, ProtocolError("invalid array length in reply")
		}
		if kind == Map || kind == Attribute {
			n *= 2
		}
		if kind == Attribute {
			n++ // the reply itself
		}
		for range n {
			if dst, err = r.raw(dst, depth+1); err != nil {
				return dst, noEOF(err)
			}
		}
		return dst, nil
	case Simple, ErrorKind, Integer, Null, Bool, Double, BigNumber:
		return dst, nil
	}
	return dst, ProtocolError(fmt.Sprintf("unknown kind of reply %q", kind))
}

// rawLine appends one line with its CRLF.
func (r *Reader) rawLine(dst []byte) ([]byte, error) {
	for {
		part, err := r.br.ReadSlice('\n')
		dst = append(dst, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return dst, err
		}
	}
}

// ReadValue reads and parses one reply.
func (r *Reader) ReadValue() (Value, error) {
	raw, err := r.ReadRaw(nil)
	if err != nil {
		return Value{}, err
	}
	v, _, err := Parse(raw)
	return v, err
}

// Parse parses the first reply in raw and returns what follows it. Attributes are skipped.
func Parse(raw []byte) (Value, []byte, error) {
	line, rest, ok := bytes.Cut(raw, []byte("\r\n"))
	if !ok || len(line) == 0 {
		return Value{}, nil, ProtocolError("incomplete reply")
	}
	v := Value{Kind: line[0]}
	body := line[1:]
	switch v.Kind {
	case Simple, ErrorKind, Double, BigNumber:
		v.Str = body
		return v, rest, nil
	case Null:
		v.Nil = true
		return v, rest, nil
	case Bool:
		if string(body) == "t" {
			v.Int = 1
		}
		return v, rest, nil
	}
	n, err := strconv.ParseInt(string(body), 10, 64)
	if err != nil {
		return Value{}, nil, ProtocolError("invalid length in reply")
	}
	return parseSized(v, n, rest)
}

func parseSized(v Value, n int64, rest []byte) (Value, []byte, error) {
	switch v.Kind {
	case Integer:
		v.Int = n
		return v, rest, nil
	case Bulk, BlobError, Verbatim:
		if n < 0 {
			v.Nil = true
			return v, rest, nil
		}
		if int64(len(rest)) < n+2 {
			return Value{}, nil, ProtocolError("incomplete reply")
		}
		v.Str = rest[:n]
		if v.Kind == Verbatim && n >= 4 {
			v.Str = v.Str[4:]
		}
		return v, rest[n+2:], nil
	}
	if n < 0 {
		v.Nil = true
		return v, rest, nil
	}
	count := n
	if v.Kind == Map || v.Kind == Attribute {
		count *= 2
	}
	var elem Value
	var err error
	for range count {
		if elem, rest, err = Parse(rest); err != nil {
			return Value{}, nil, err
		}
		v.Elems = append(v.Elems, elem)
	}
	if v.Kind == Attribute {
		return Parse(rest)
	}
	return v, rest, nil
}
