// Command redisload writes to a database as an application would, reads everything back, and reports as JSON what was
// acknowledged, what was lost and for how long the database was away. It exits with 1 when an acknowledged write is lost.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/open-redis-enterprise/operator/test/load"
)

// errLost makes the program exit with 1; the report has been printed.
var errLost = errors.New("acknowledged writes were lost")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	redis.SetLogger(quiet{}) // what fails is in the report
	var o options
	err := o.command().ExecuteContext(ctx)
	switch {
	case errors.Is(err, errLost):
		os.Exit(1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "redisload:", err)
		os.Exit(2)
	}
}

// quiet drops what go-redis would log.
type quiet struct{}

// Printf drops a message.
func (quiet) Printf(context.Context, string, ...any) {}

// options are the flags of all modes.
type options struct {
	config                            load.Config
	passwordFile, ca, cert, key, name string
	useTLS, quiet                     bool
	duration, patience                time.Duration
	stopFile, record                  string
}

func (o *options) command() *cobra.Command {
	root := &cobra.Command{
		Use: "redisload", Short: "Write to a Redis database and tell what became of it", SilenceUsage: true, SilenceErrors: true,
	}
	f := root.PersistentFlags()
	f.StringVar(&o.config.Addr, "addr", "127.0.0.1:6379", "host:port of the database; several, separated by commas, are tried in turn")
	f.StringVar(&o.config.Username, "username", "", "user; empty is the default user")
	f.StringVar(&o.passwordFile, "password-file", os.Getenv("REDIS_PASSWORD_FILE"),
		"file with the password (REDIS_PASSWORD_FILE names one too; the password itself is never an argument)")
	f.BoolVar(&o.useTLS, "tls", false, "connect with TLS")
	f.StringVar(&o.ca, "ca", "", "file with the certificates to trust; empty trusts those of the system")
	f.StringVar(&o.cert, "cert", "", "file with a client certificate")
	f.StringVar(&o.key, "key", "", "file with the key of the client certificate")
	f.StringVar(&o.name, "server-name", "", "name the server's certificate must carry; empty is the host of --addr")
	f.IntVar(&o.config.Workers, "workers", 4, "connections that write at the same time")
	f.IntVar(&o.config.Rate, "rate", 0, "writes per second of all workers together; 0 is as fast as it goes")
	f.IntVar(&o.config.Keys, "keys", 1000, "keys of each worker; they are overwritten in turn")
	f.StringVar(&o.config.Prefix, "prefix", "", "start of every key; empty makes one up")
	f.DurationVar(&o.config.Timeout, "timeout", 5*time.Second, "time for one attempt")
	f.DurationVar(&o.duration, "duration", 0, "how long to write, or for ping to wait; 0 is until SIGTERM or --stop-file")
	f.DurationVar(&o.patience, "verify-timeout", time.Minute, "how long reading back may take")
	f.StringVar(&o.stopFile, "stop-file", "", "end the writing when this file appears")
	f.StringVar(&o.record, "record", "", "file for the acknowledged writes, which verify reads")
	f.BoolVar(&o.quiet, "quiet", false, "show no progress on stderr")
	for _, mode := range []struct {
		name, short string
		run         func(*options, context.Context) error
	}{
		{"run", "Write until told to end, then read everything back and report", (*options).run},
		{"write", "Write until told to end and report; read nothing back", (*options).write},
		{"verify", "Read back what --record says was acknowledged", (*options).verify},
		{"stop", "End the writing of another one by making its --stop-file", (*options).stop},
		{"ping", "Wait until the database answers", (*options).ping},
	} {
		root.AddCommand(&cobra.Command{
			Use: mode.name, Short: mode.short, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				if err := o.complete(); err != nil {
					return err
				}
				return mode.run(o, cmd.Context())
			},
		})
	}
	return root
}

// complete turns flags into a configuration.
func (o *options) complete() error {
	if o.passwordFile != "" {
		data, err := os.ReadFile(o.passwordFile)
		if err != nil {
			return fmt.Errorf("password: %w", err)
		}
		o.config.Password = strings.TrimRight(string(data), "\r\n")
	}
	if o.config.Prefix == "" {
		var id [4]byte
		_, _ = rand.Read(id[:])
		o.config.Prefix = "load:" + hex.EncodeToString(id[:])
	}
	if !o.quiet {
		o.config.Progress = func(r load.Report) {
			fmt.Fprintf(os.Stderr, "%6.0fs  acknowledged %d  failed %d  unavailable %.1fs  p99 %.1fms\n",
				r.Seconds, r.Acknowledged, r.Failed, r.TotalUnavailableSeconds, r.LatencyP99Milliseconds)
		}
	}
	if !o.useTLS {
		return nil
	}
	return o.completeTLS()
}

func (o *options) completeTLS() error {
	o.config.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: o.name}
	if o.ca != "" {
		pem, err := os.ReadFile(o.ca)
		if err != nil {
			return fmt.Errorf("certificates to trust: %w", err)
		}
		o.config.TLS.RootCAs = x509.NewCertPool()
		if !o.config.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("%s holds no certificate", o.ca)
		}
	}
	if o.cert == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(o.cert, o.key)
	if err != nil {
		return fmt.Errorf("client certificate: %w", err)
	}
	o.config.TLS.Certificates = []tls.Certificate{pair}
	return nil
}

// until is the context of the writing: it ends with a signal, the time or the stop file.
func (o *options) until(ctx context.Context) (context.Context, context.CancelFunc) {
	cancel := func() {}
	if o.duration > 0 {
		ctx, cancel = context.WithTimeout(ctx, o.duration)
	}
	if o.stopFile == "" {
		return ctx, cancel
	}
	release := cancel
	ctx, end := context.WithCancel(ctx)
	cancel = func() {
		end()
		release()
	}
	go func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			if _, err := os.Stat(o.stopFile); err == nil {
				end()
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return ctx, cancel
}

// writeAll writes and returns the writer with its history.
func (o *options) writeAll(ctx context.Context) (*load.Writer, error) {
	if o.record != "" {
		f, err := os.OpenFile(o.record, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fmt.Errorf("record: %w", err)
		}
		b := bufio.NewWriter(f)
		o.config.Record = b
		defer func() {
			_ = b.Flush()
			_ = f.Close()
		}()
	}
	ctx, cancel := o.until(ctx)
	defer cancel()
	w := load.NewWriter(o.config)
	err := w.Write(ctx)
	if err == nil && w.Report().Acknowledged == 0 {
		err = fmt.Errorf("no write was acknowledged: %s", w.Report().LastError)
	}
	return w, err
}

func (o *options) write(ctx context.Context) error {
	w, err := o.writeAll(ctx)
	if w != nil {
		err = errors.Join(err, show(w.Report()))
	}
	return err
}

func (o *options) run(ctx context.Context) error {
	w, err := o.writeAll(ctx)
	if err != nil {
		return err
	}
	return o.judge(ctx, w.History(), w.Report())
}

func (o *options) verify(ctx context.Context) error {
	f, err := os.Open(o.record)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	defer func() { _ = f.Close() }()
	h, err := load.ReadRecord(f)
	if err != nil {
		return err
	}
	return o.judge(ctx, h, load.Report{Keys: len(h.Acknowledged)})
}

// judge reads back and prints the report. The signal that ended the writing must not end this as well.
func (o *options) judge(ctx context.Context, h load.History, r load.Report) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.patience)
	defer cancel()
	lost, err := load.Verify(ctx, o.config, h)
	if err != nil {
		return errors.Join(err, show(r))
	}
	if err := show(r.WithLosses(lost)); err != nil {
		return err
	}
	if len(lost) > 0 {
		return errLost
	}
	return nil
}

func (o *options) ping(ctx context.Context) error {
	if o.duration == 0 {
		o.duration = o.config.Timeout
	}
	ctx, cancel := context.WithTimeout(ctx, o.duration)
	defer cancel()
	return load.Ping(ctx, o.config)
}

func show(r load.Report) error {
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// stop makes the stop file, for a program that shares the folder and has no shell to do it.
func (o *options) stop(context.Context) error {
	if o.stopFile == "" {
		return errors.New("which --stop-file?")
	}
	return os.WriteFile(o.stopFile, nil, 0o600)
}
