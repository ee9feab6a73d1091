#!/usr/bin/env bash
# Runs the acceptance tests of a public client of the admin API, unmodified, against emulated nodes.
#
#   git clone https://github.com/RedisLabs/vault-plugin-database-redis-enterprise /tmp/plugin
#   test/publicclient/run.sh /tmp/plugin
#
# The plugin's tests want what its own set-up script makes on a fresh cluster: an administrator, a role "DB Member" and
# a database that grants that role the access list "Not Dangerous". They sign in, list, create and delete users and
# roles, change databases and retry on 409, as Vault does in production.
set -euo pipefail

client=${1:?usage: $0 directory-of-the-client}
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
address=127.0.79.1
url=https://$address:9443
user=admin password=xyzzyxyzzy database=mydb

cleanup() {
	if [ -n "${emulator:-}" ]; then
		kill "$emulator" 2>/dev/null || true
		wait "$emulator" 2>/dev/null || true
	fi
	rm -rf "$work"
}
trap cleanup EXIT

(cd "$root" && go build -o "$work/emulator" ./cmd/emulator)
printf %s "$password" >"$work/password"
"$work/emulator" -nodes 3 -bootstrap -first-address "$address" -username "$user" -password-file "$work/password" \
	>"$work/log" 2>&1 &
emulator=$!

# call METHOD PATH [BODY]: the credentials come from a file, so that no process list shows them.
printf 'user = "%s:%s"\n' "$user" "$password" >"$work/curlrc"
call() {
	curl -sS -f -k -L --location-trusted -K "$work/curlrc" -X "$1" -H 'Content-Type: application/json' ${3:+-d "$3"} "$url$2"
}

# until_seen PATH TEXT: polls for a minute.
until_seen() {
	for _ in $(seq 240); do
		if call GET "$1" 2>/dev/null | grep -q "$2"; then return 0; fi
		sleep 0.25
	done
	echo "gave up waiting for $2 in $1" >&2
	cat "$work/log" >&2
	return 1
}

until_seen /v1/nodes '"uid":3'
call POST /v1/roles '{"name":"DB Member","management":"db_member"}' >/dev/null
call POST /v1/bdbs '{"name":"'$database'","type":"redis","memory_size":104857600,"port":12000,
	"roles_permissions":[{"role_uid":2,"redis_acl_uid":3}]}' >/dev/null
until_seen /v1/bdbs/1 '"status":"active"'

cd "$client"
RS_API_URL=$url RS_USERNAME=$user RS_PASSWORD=$password RS_DB=$database go test -count=1 ./internal/...
