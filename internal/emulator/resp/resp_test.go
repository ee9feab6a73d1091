package resp_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReadRawTakesExactlyOneReply(t *testing.T) {
	for _, reply := range []string{
		"+OK\r\n", "-ERR no\r\n", ":-12\r\n", "$-1\r\n", "$0\r\n\r\n", "$5\r\na\r\nbc\r\n", "*-1\r\n", "*0\r\n",
		"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", "_\r\n", "#t\r\n", ",1.5\r\n", "(123456789012345678901\r\n", "!3\r\nERR\r\n",
		"=7\r\ntxt:abc\r\n", "%1\r\n+k\r\n:1\r\n", "~2\r\n:1\r\n:2\r\n", ">2\r\n+a\r\n+b\r\n", "|1\r\n+ttl\r\n:3\r\n+OK\r\n",
	} {
		r := resp.NewReader(strings.NewReader(reply + "+next\r\n"))
		raw, err := r.ReadRaw(nil)
		if err != nil || string(raw) != reply {
			t.Errorf("%q: got %q %v", reply, raw, err)
		}
		if _, rest, err := resp.Parse(raw); err != nil || len(rest) != 0 {
			t.Errorf("%q: parsed with %q left, %v", reply, rest, err)
		}
		for cut := 1; cut < len(reply); cut++ {
			if _, err := resp.NewReader(strings.NewReader(reply[:cut])).ReadRaw(nil); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%q cut to %d: %v", reply, cut, err)
			}
		}
	}
}

func TestParse(t *testing.T) {
	v, _, err := resp.Parse([]byte("*5\r\n$1\r\na\r\n:7\r\n$-1\r\n#t\r\n=7\r\ntxt:abc\r\n"))
	if err != nil || len(v.Elems) != 5 {
		t.Fatalf("%+v %v", v, err)
	}
	if v.Elems[0].String() != "a" || v.Elems[1].String() != "7" || !v.Elems[2].Nil || v.Elems[3].Int != 1 || v.Elems[4].String() != "abc" {
		t.Errorf("%+v", v.Elems)
	}
	if v, _, _ := resp.Parse([]byte("-ERR x\r\n")); v.Err() == nil || v.Err().Error() != "ERR x" {
		t.Errorf("%v", v.Err())
	}
}

func TestReadCommand(t *testing.T) {
	r := resp.NewReader(strings.NewReader("*2\r\n$3\r\nGET\r\n$1\r\nk\r\nSET a \"b \\x41\\n\"\r\n\r\n*0\r\nPING\n"))
	for _, want := range [][]string{{"GET", "k"}, {"SET", "a", "b A\n"}, nil, nil, {"PING"}} {
		args, err := r.ReadCommand()
		var got []string
		for _, a := range args {
			got = append(got, string(a))
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q %v, want %q", got, err, want)
		}
	}
	if _, err := r.ReadCommand(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	for input, stranger := range map[string]bool{
		"*1000000000\r\n": false, "*1\r\n$999999999999\r\n": false, "*1\r\n$-1\r\n": false, "*1\r\n:1\r\n": false, "'a\r\n": false,
		"*11\r\n": true, "*1\r\n$16385\r\n": true,
	} {
		r := resp.NewReader(strings.NewReader(input))
		r.Stranger = stranger
		var bad resp.ProtocolError
		if _, err := r.ReadCommand(); !errors.As(err, &bad) {
			t.Errorf("%q: %v", input, err)
		}
	}
}

func TestHasCommand(t *testing.T) {
	whole := "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
	for cut := range len(whole) {
		r := resp.NewReader(strings.NewReader("x\r\n" + whole[:cut]))
		if _, err := r.ReadCommand(); err != nil {
			t.Fatal(err)
		}
		if r.HasCommand() {
			t.Errorf("%q counts as a command", whole[:cut])
		}
	}
	r := resp.NewReader(strings.NewReader("x\r\n" + whole))
	if _, err := r.ReadCommand(); err != nil || !r.HasCommand() {
		t.Error("a whole command is not seen")
	}
}

func TestClient(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() { // answers one command, then hangs up; the second connection never answers
		conn, err := l.Accept()
		if err != nil {
			return
		}
		if _, err := resp.NewReader(conn).ReadCommand(); err == nil {
			_, _ = conn.Write([]byte("-ERR once\r\n"))
		}
		_ = conn.Close()
	}()
	c := resp.NewClient(l.Addr().String(), "")
	var reply resp.Error
	if _, err := c.Do(t.Context(), "X"); !errors.As(err, &reply) || reply != "ERR once" {
		t.Fatalf("an error reply: %v", err)
	}
	for range 2 { // the broken connection, then a new one that stays silent
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := c.Do(ctx, "X"); err == nil || errors.As(err, &reply) {
			t.Errorf("without an answer: %v", err)
		}
		cancel()
	}
	done := make(chan error, 1)
	go func() {
		_, err := c.Do(context.Background(), "X")
		done <- err
	}()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("a command outlived its client")
	}
	if _, err := c.Do(t.Context(), "X"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
}

func FuzzReply(f *testing.F) {
	for _, s := range []string{"+OK\r\n", "*2\r\n$1\r\na\r\n:1\r\n", "%1\r\n+a\r\n_\r\n", "$-1\r\n", "|1\r\n+a\r\n+b\r\n:1\r\n", "*-5\r\n", "$3\r\nab"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		raw, err := resp.NewReader(bytes.NewReader(data)).ReadRaw(nil)
		if err != nil {
			return
		}
		if !bytes.HasPrefix(data, raw) {
			t.Fatalf("%q is no prefix of %q", raw, data)
		}
		_, _, _ = resp.Parse(raw) // must not panic
	})
}

func FuzzCommand(f *testing.F) {
	f.Add([]byte("*1\r\n$4\r\nPING\r\n"))
	f.Add([]byte("SET a \"b\\x4\"\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := resp.NewReader(bytes.NewReader(data))
		for range 10 {
			args, err := r.ReadCommand()
			if err != nil {
				return
			}
			again, err := resp.NewReader(bytes.NewReader(resp.AppendCommand(nil, args...))).ReadCommand()
			if err != nil || len(again) != len(args) {
				t.Fatalf("%q became %q, %v", args, again, err)
			}
			_ = r.HasCommand()
		}
	})
}
