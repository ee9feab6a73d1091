package rest

import "context"

// User is an account of the cluster.
type User struct {
	UID        *UID    `json:"uid,omitempty"`
	Email      *string `json:"email,omitempty"`
	Name       *string `json:"name,omitempty"`
	Password   *string `json:"password,omitempty"`
	Role       *string `json:"role,omitempty"`
	RoleUIDs   *[]UID  `json:"role_uids,omitempty"`
	AuthMethod *string `json:"auth_method,omitempty"`
	Status     *string `json:"status,omitempty"`
}

// String shows the account's e-mail only.
func (u User) String() string { return "user " + Value(u.Email) }

// GoString hides the password from %#v as well.
func (u User) GoString() string { return "rest.User{" + Value(u.Email) + "}" }

// Role gives its users rights in the admin API and, through ACLs, in databases.
type Role struct {
	UID        UID    `json:"uid"`
	Name       string `json:"name"`
	Management string `json:"management"`
}

// RedisACL is a rule set that a role gets in a database.
type RedisACL struct {
	UID  UID    `json:"uid"`
	Name string `json:"name"`
	ACL  string `json:"acl"`
}

// ListUsers reads all accounts; passwords never come back.
func (c *Client) ListUsers(ctx context.Context) ([]User, error) {
	var out []User
	err := c.get(ctx, "/v1/users", "/v1/users", &out)
	return out, err
}

// CreateUser makes an account.
func (c *Client) CreateUser(ctx context.Context, body *User) (*User, error) {
	out := new(User)
	if err := c.post(ctx, "/v1/users", "/v1/users", body, out); err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateUser changes what is set in body.
func (c *Client) UpdateUser(ctx context.Context, uid UID, body *User) error {
	return c.put(ctx, "/v1/users/{uid}", "/v1/users/"+uid.String(), body, nil)
}

// DeleteUser removes an account; it disappears a moment later.
func (c *Client) DeleteUser(ctx context.Context, uid UID) error {
	return c.delete(ctx, "/v1/users/{uid}", "/v1/users/"+uid.String(), nil)
}

// AddUserPassword adds a password beside those that work already: the first step of a rotation.
func (c *Client) AddUserPassword(ctx context.Context, username, password string) error {
	return c.post(ctx, "/v1/users/password", "/v1/users/password", userPassword{Username: username, New: password}, nil)
}

// ReplaceUserPasswords makes one password the only one.
func (c *Client) ReplaceUserPasswords(ctx context.Context, username, password string) error {
	return c.put(ctx, "/v1/users/password", "/v1/users/password", userPassword{Username: username, New: password}, nil)
}

// DeleteUserPassword removes one password: the last step of a rotation.
func (c *Client) DeleteUserPassword(ctx context.Context, username, password string) error {
	return c.delete(ctx, "/v1/users/password", "/v1/users/password", userPassword{Username: username, Old: password})
}

type userPassword struct {
	Username string `json:"username,omitempty"`
	New      string `json:"new_password,omitempty"`
	Old      string `json:"old_password,omitempty"`
}

// ListRoles reads all roles.
func (c *Client) ListRoles(ctx context.Context) ([]Role, error) {
	var out []Role
	err := c.get(ctx, "/v1/roles", "/v1/roles", &out)
	return out, err
}

// ListRedisACLs reads all ACLs.
func (c *Client) ListRedisACLs(ctx context.Context) ([]RedisACL, error) {
	var out []RedisACL
	err := c.get(ctx, "/v1/redis_acls", "/v1/redis_acls", &out)
	return out, err
}
