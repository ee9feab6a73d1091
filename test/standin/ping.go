package standin

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// Ping opens a database with a password, as a client would.
func Ping(ctx context.Context, host string, port int, password string) error {
	c := redis.NewClient(&redis.Options{Addr: net.JoinHostPort(host, strconv.Itoa(port)), Password: password, MaxRetries: -1})
	defer func() { _ = c.Close() }()
	if err := c.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ping %s:%d: %w", host, port, err)
	}
	return nil
}
