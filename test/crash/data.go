package crash

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/redis/go-redis/v9"
	corev1 "k8s.io/api/core/v1"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// markKey is the key whose value must outlive a flow.
const markKey = "mark"

// open connects to the database as a client would, with the password in its Secret.
func (s *Stage) open(ctx context.Context) (*redis.Client, error) {
	var secret corev1.Secret
	if err := s.World.Client.Get(ctx, s.Key(names.DatabaseSecret(dbName)), &secret); err != nil {
		return nil, err
	}
	api, err := s.API(ctx)
	if err != nil {
		return nil, err
	}
	defer api.Close()
	db, err := api.FindBDB(ctx, dbName)
	if err != nil {
		return nil, err
	}
	if db == nil {
		return nil, errors.New("there is no database")
	}
	endpoint, ready := db.MainEndpoint()
	if !ready || len(endpoint.Addr) == 0 {
		return nil, errors.New("the database has no endpoint")
	}
	return redis.NewClient(&redis.Options{Addr: net.JoinHostPort(endpoint.Addr[0], strconv.Itoa(int(endpoint.Port))),
		Password: string(secret.Data[names.PasswordKey]), MaxRetries: -1}), nil
}

func (s *Stage) with(ctx context.Context, do func(*redis.Client) error) error {
	c, err := s.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(c), c.Close())
}

func (s *Stage) ping(ctx context.Context) error {
	return s.with(ctx, func(c *redis.Client) error { return c.Ping(ctx).Err() })
}

// write leaves a mark in the database.
func (s *Stage) write(ctx context.Context, mark string) error {
	var err error
	if werr := wait(ctx, s, func(ctx context.Context, s *Stage) (bool, string) {
		err = s.with(ctx, func(c *redis.Client) error { return c.Set(ctx, markKey, mark, 0).Err() })
		return err == nil, fmt.Sprint(err)
	}); werr != nil {
		return fmt.Errorf("the database cannot be written: %w", werr)
	}
	return nil
}

// verify looks for the mark.
func (s *Stage) verify(ctx context.Context, mark string) error {
	var found string
	if err := wait(ctx, s, func(ctx context.Context, s *Stage) (bool, string) {
		err := s.with(ctx, func(c *redis.Client) error {
			var err error
			found, err = c.Get(ctx, markKey).Result()
			return err
		})
		return err == nil || errors.Is(err, redis.Nil), fmt.Sprint(err)
	}); err != nil {
		return fmt.Errorf("the database cannot be read: %w", err)
	}
	if found != mark {
		return fmt.Errorf("the data of the database is lost: the mark is %q, not %q", found, mark)
	}
	return nil
}
