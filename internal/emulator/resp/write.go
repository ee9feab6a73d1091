package resp

import (
	"bytes"
	"strconv"
)

// AppendCommand appends a command as an array of bulk strings.
func AppendCommand[T ~string | ~[]byte](dst []byte, args ...T) []byte {
	dst = AppendArray(dst, len(args))
	for _, a := range args {
		dst = AppendBulk(dst, a)
	}
	return dst
}

// AppendArray appends the head of an array.
func AppendArray(dst []byte, n int) []byte { return appendHead(dst, Array, n) }

// AppendHead appends the head of any aggregate kind.
func AppendHead(dst []byte, kind byte, n int) []byte { return appendHead(dst, kind, n) }

func appendHead(dst []byte, kind byte, n int) []byte {
	dst = append(dst, kind)
	dst = strconv.AppendInt(dst, int64(n), 10)
	return append(dst, '\r', '\n')
}

// AppendBulk appends a bulk string.
func AppendBulk[T ~string | ~[]byte](dst []byte, s T) []byte {
	dst = appendHead(dst, Bulk, len(s))
	dst = append(dst, s...)
	return append(dst, '\r', '\n')
}

// AppendInt appends an integer.
func AppendInt(dst []byte, n int64) []byte {
	dst = append(dst, Integer)
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, '\r', '\n')
}

// AppendSimple appends a simple string.
func AppendSimple(dst []byte, s string) []byte {
	dst = append(dst, Simple)
	dst = append(dst, s...)
	return append(dst, '\r', '\n')
}

// AppendError appends an error; line breaks in it become spaces.
func AppendError(dst []byte, s string) []byte {
	dst = append(dst, ErrorKind)
	for _, c := range []byte(s) {
		if c == '\r' || c == '\n' {
			c = ' '
		}
		dst = append(dst, c)
	}
	return append(dst, '\r', '\n')
}

// AppendNull appends the null bulk string of protocol version 2, or the null of version 3.
func AppendNull(dst []byte, version int) []byte {
	if version >= 3 {
		return append(dst, "_\r\n"...)
	}
	return append(dst, "$-1\r\n"...)
}

// AppendNullArray appends the null array of protocol version 2, or the null of version 3.
func AppendNullArray(dst []byte, version int) []byte {
	if version >= 3 {
		return append(dst, "_\r\n"...)
	}
	return append(dst, "*-1\r\n"...)
}

// SplitInline splits an inline command into arguments, with the quoting rules of redis-server.
func SplitInline(line []byte) ([][]byte, error) {
	var args [][]byte
	for {
		line = bytes.TrimLeft(line, " \t\r\n\x00")
		if len(line) == 0 {
			return args, nil
		}
		arg, rest, ok := inlineArgument(line)
		if !ok {
			return nil, ProtocolError("unbalanced quotes in request")
		}
		args, line = append(args, arg), rest
	}
}

func inlineArgument(line []byte) (arg, rest []byte, ok bool) {
	arg = []byte{}
	var quote byte
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == 0 && (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0):
			return arg, line[i:], true
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote != 0 && c == quote:
			if i+1 < len(line) && line[i+1] != ' ' && line[i+1] != '\t' {
				return nil, nil, false
			}
			return arg, line[i+1:], true
		case quote == '"' && c == '\\' && i+1 < len(line):
			var n int
			arg, n = unescape(arg, line[i+1:])
			i += n
		case quote == '\'' && c == '\\' && i+1 < len(line) && line[i+1] == '\'':
			arg = append(arg, '\'')
			i++
		default:
			arg = append(arg, c)
		}
	}
	return arg, nil, quote == 0
}

// unescape appends the character that follows a backslash and returns how many bytes it took.
func unescape(dst, s []byte) ([]byte, int) {
	if s[0] == 'x' && len(s) >= 3 {
		if n, err := strconv.ParseUint(string(s[1:3]), 16, 8); err == nil {
			return append(dst, byte(n)), 3
		}
	}
	c := s[0]
	if i := bytes.IndexByte([]byte("nrtba"), c); i >= 0 {
		c = "\n\r\t\b\a"[i]
	}
	return append(dst, c), 1
}

// AppendBulks appends bulk strings one after the other.
func AppendBulks(dst []byte, texts ...string) []byte {
	for _, t := range texts {
		dst = AppendBulk(dst, t)
	}
	return dst
}
