package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

const (
	tokenHeader     = `{"alg":"HS256","typ":"JWT"}` //nolint:gosec // the public first part of every token
	defaultTokenTTL = 300 * time.Second
)

type tokenClaims struct {
	UID     int64 `json:"uid"`
	Issued  int64 `json:"iat"`
	Expires int64 `json:"exp"`
}

var base64url = base64.RawURLEncoding

// tokenKey is shared by all nodes through the cluster configuration.
func (s *Server) tokenKey(c *call) ([]byte, error) {
	cluster, err := s.Engine.Get(c.ctx(), KindCluster, Singleton)
	if err != nil {
		return nil, err
	}
	return []byte(schema.TextOf(cluster, "_token_key")), nil
}

func sign(key []byte, text string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return base64url.EncodeToString(mac.Sum(nil))
}

func (s *Server) issueToken(c *call, user Object, ttl time.Duration) (any, error) {
	key, err := s.tokenKey(c)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	claims, err := json.Marshal(tokenClaims{
		UID: schema.IntOf(user, "uid"), Issued: now.Unix(), Expires: now.Add(ttl).Unix(),
	})
	if err != nil {
		return nil, err
	}
	text := base64url.EncodeToString([]byte(tokenHeader)) + "." + base64url.EncodeToString(claims)
	return Object{"access_token": text + "." + sign(key, text)}, nil
}

func (s *Server) userOfToken(c *call, token string) (Object, error) {
	key, err := s.tokenKey(c)
	if err != nil {
		return nil, err
	}
	cut := strings.LastIndexByte(token, '.')
	if len(key) == 0 || cut < 0 || !hmac.Equal([]byte(sign(key, token[:cut])), []byte(token[cut+1:])) {
		return nil, unauthorized()
	}
	_, payload, _ := strings.Cut(token[:cut], ".")
	data, err := base64url.DecodeString(payload)
	if err != nil {
		return nil, unauthorized()
	}
	var claims tokenClaims
	if err := json.Unmarshal(data, &claims); err != nil || s.Now().Unix() >= claims.Expires {
		return nil, unauthorized()
	}
	user, err := s.Engine.Get(c.ctx(), KindUser, id(claims.UID))
	if err != nil {
		return nil, err
	}
	if user == nil {
		return nil, unauthorized()
	}
	return user, nil
}

// authorize is POST /v1/users/authorize: credentials in the header, or in the body.
func authorize(c *call) (any, error) {
	ask, err := c.typed("jwt_authorize_request", schema.Change)
	if err != nil {
		return nil, err
	}
	var user Object
	if name := schema.TextOf(ask, "username"); name != "" && c.request.Header.Get("Authorization") == "" {
		user, err = c.userOfPassword(c, name, schema.TextOf(ask, "password"))
	} else {
		user, err = c.identify(c)
	}
	if err != nil {
		return nil, err
	}
	return c.issueToken(c, user, ttlOf(ask))
}

// refreshToken is POST /v1/users/refresh_jwt; only a live token refreshes.
func refreshToken(c *call) (any, error) {
	ask, err := c.typed("jwt_authorize_request", schema.Change)
	if err != nil {
		return nil, err
	}
	scheme, _, _ := strings.Cut(c.request.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "jwt") && !strings.EqualFold(scheme, "bearer") {
		return nil, &Error{Status: http.StatusUnauthorized}
	}
	return c.issueToken(c, c.user, ttlOf(ask))
}

func ttlOf(ask Object) time.Duration {
	if n := schema.IntOf(ask, "ttl"); n > 0 {
		return time.Duration(n) * time.Second
	}
	return defaultTokenTTL
}
