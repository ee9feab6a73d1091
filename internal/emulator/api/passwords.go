package api

import (
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// passwordTarget is whose passwords a call is about: the caller's own, or another's for administrators of users.
func (c *call) passwordTarget(username string) (Object, error) {
	if username == "" {
		return c.user, nil
	}
	user, err := c.findUser(c, username)
	if err != nil {
		return nil, err
	}
	if user == nil {
		return nil, refusal(http.StatusNotFound, "user_not_exist", "User does not exist")
	}
	if schema.IntOf(user, "uid") != schema.IntOf(c.user, "uid") && c.permit(c, "update_user") != nil {
		return nil, refusal(http.StatusForbidden, "unauthorized_action", "Only an admin may change the password of another user")
	}
	return user, nil
}

// addPassword is POST /v1/users/password: one more live password.
func addPassword(c *call) (any, error) {
	return c.newPassword(func(live []string, fresh string) []string { return append(live, fresh) })
}

// replacePassword is PUT /v1/users/password: the only live password.
func replacePassword(c *call) (any, error) {
	return c.newPassword(func(_ []string, fresh string) []string { return []string{fresh} })
}

func (c *call) newPassword(combine func(live []string, fresh string) []string) (any, error) {
	ask, err := c.typed("user_password_set", schema.Create)
	if err != nil {
		return nil, err
	}
	user, err := c.passwordTarget(schema.TextOf(ask, "username"))
	if err != nil {
		return nil, err
	}
	password := schema.TextOf(ask, "new_password")
	if passwordMatches(user, password) {
		return nil, refusal(http.StatusBadRequest, "new_password_same_as_current", "This password is already in use")
	}
	if err := c.checkComplexity(password, schema.TextOf(user, "email")); err != nil {
		return nil, err
	}
	_, err = c.Engine.Update(c.ctx(), KindUser, id(schema.IntOf(user, "uid")), func(u Object) (Object, error) {
		if u == nil {
			return nil, ErrNotFound
		}
		setPasswords(u, combine(digests(u), digest(password)), schema.Timestamp(c.Now()))
		return u, nil
	})
	c.lockouts.clear(userKeyOf(user))
	return nil, err
}

// deletePassword is DELETE /v1/users/password.
func deletePassword(c *call) (any, error) {
	ask, err := c.typed("user_password_delete", schema.Create)
	if err != nil {
		return nil, err
	}
	user, err := c.passwordTarget(schema.TextOf(ask, "username"))
	if err != nil {
		return nil, err
	}
	old := digest(schema.TextOf(ask, "old_password"))
	_, err = c.Engine.Update(c.ctx(), KindUser, id(schema.IntOf(user, "uid")), func(u Object) (Object, error) {
		if u == nil {
			return nil, ErrNotFound
		}
		live := digests(u)
		at := slices.Index(live, old)
		if at < 0 {
			return nil, refusal(http.StatusBadRequest, "invalid_param", "The user has no such password")
		}
		if len(live) == 1 {
			return nil, refusal(http.StatusBadRequest, "cannot_delete_last_password", "The last password can not be deleted")
		}
		setPasswords(u, slices.Delete(live, at, at+1), schema.TextOf(u, "password_issue_date"))
		return u, nil
	})
	return nil, err
}

// checkComplexity applies the password rules of the cluster, which are off at first.
func (c *call) checkComplexity(password, email string) error {
	cluster, err := c.Engine.Get(c.ctx(), KindCluster, Singleton)
	if err != nil {
		return err
	}
	if password == "" {
		return badRequest("A password can not be empty")
	}
	if !schema.BoolOf(cluster, "password_complexity") {
		return nil
	}
	if reason := weakness(password, email, int(schema.IntOf(cluster, "password_min_length"))); reason != "" {
		return refusal(http.StatusBadRequest, "password_not_complex", "The password %s", reason)
	}
	return nil
}

func weakness(password, email string, minLength int) string {
	var upper, lower, digit, special bool
	run, last := 0, rune(-1)
	for _, r := range password {
		upper = upper || unicode.IsUpper(r)
		lower = lower || unicode.IsLower(r)
		digit = digit || unicode.IsDigit(r)
		special = special || (!unicode.IsLetter(r) && !unicode.IsDigit(r))
		if r == last {
			run++
		} else {
			run, last = 1, r
		}
		if run > 3 {
			return "has more than three equal characters in a row"
		}
	}
	switch {
	case len(password) < max(minLength, 8):
		return "is too short"
	case !upper || !lower || !digit || !special:
		return "needs upper and lower case letters, digits and special characters"
	case email != "" && (strings.EqualFold(password, email) || strings.EqualFold(password, reversed(email))):
		return "is the e-mail"
	}
	return ""
}

func reversed(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}
