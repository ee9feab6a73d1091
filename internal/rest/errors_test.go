package rest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/rest"
	"github.com/open-redis-enterprise/operator/internal/rest/resttest"
)

func TestErrorFacts(t *testing.T) {
	facts := map[string]func(error) bool{"not found": rest.IsNotFound, "exists": rest.IsExists, "busy": rest.IsBusy, "unauthorized": rest.IsUnauthorized,
		"forbidden": rest.IsForbidden, "refused": rest.IsRefused, "unavailable": rest.IsUnavailable, "maybe applied": rest.MaybeApplied, "transport": rest.IsTransport}
	for _, tc := range []struct {
		answer resttest.Answer
		facts  string
		text   string
	}{
		{resttest.Status(404, "", ""), "not found", "404 Not Found"},
		{resttest.Status(404, "db_not_exist", "gone"), "not found", "404 db_not_exist: gone"},
		{resttest.Status(406, "node_not_found", ""), "not found, refused", "406 node_not_found"},
		{resttest.Status(409, "db_busy", "wait"), "busy", "409 db_busy: wait"},
		{resttest.Status(406, "busy", "wait"), "busy", "406 busy: wait"},
		{resttest.Status(409, "", ""), "busy", "409 Conflict"},
		{resttest.Status(409, "uid_exists", "taken"), "exists", "409 uid_exists: taken"},
		{resttest.Status(400, "email_already_exists", "taken"), "exists", "400 email_already_exists: taken"},
		{resttest.Status(409, "email_already_exists", "taken"), "exists", "409 email_already_exists: taken"},
		{resttest.Status(400, "config_edit_conflict", "again"), "busy", "400 config_edit_conflict: again"},
		{resttest.Status(401, "", ""), "unauthorized", "401 Unauthorized"},
		{resttest.Status(403, "", ""), "forbidden", "403 Forbidden"},
		{resttest.Status(406, "port_unavailable", "taken"), "refused", "406 port_unavailable: taken"},
		{resttest.Status(400, "invalid_schema", "no"), "refused", "400 invalid_schema: no"},
		{resttest.Status(500, "internal_error", "no"), "maybe applied", "500 internal_error: no"},
		{resttest.Status(501, "unsupported_resource", ""), "maybe applied, unavailable", "501 unsupported_resource"},
		{resttest.Answer{Status: 503, Body: "upstream connect error\nor disconnect"}, "maybe applied, unavailable", "503 Service Unavailable: upstream connect error or disconnect"},
		{resttest.Answer{Status: 502, Body: "<html>bad</html>"}, "maybe applied, unavailable", "502 Bad Gateway"},
		{resttest.Answer{Status: 406, Body: `{"error_code":"x","message":"in the other key"}`}, "refused", "406 x: in the other key"},
		{resttest.Answer{Status: 400, Body: `[1,2]`}, "refused", "400 Bad Request: [1,2]"},
		{resttest.Answer{Err: resttest.Lost}, "maybe applied, transport", "connection reset by peer"},
		{resttest.Answer{Err: resttest.Refused}, "transport", "connection refused"},
	} {
		t.Run(tc.text, func(t *testing.T) {
			var tr resttest.Transport
			tr.On("POST", "/v1/bdbs", resttest.Always(tc.answer))
			_, err := client(&tr, nodeA).CreateBDB(context.Background(), &rest.BDB{RedisPassword: rest.Ptr("geheim")})
			err = fmt.Errorf("creating: %w", err)
			for name, is := range facts {
				if want := contains(tc.facts, name); is(err) != want {
					t.Errorf("%q is %v, want %v", name, is(err), want)
				}
			}
			if !strings.Contains(err.Error(), tc.text) || !strings.Contains(err.Error(), "POST /v1/bdbs") || strings.Contains(err.Error(), "geheim") {
				t.Errorf("reads %q", err)
			}
		})
	}
}

func contains(list, word string) bool {
	for _, w := range strings.Split(list, ", ") {
		if w == word {
			return true
		}
	}
	return false
}
