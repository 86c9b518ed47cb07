#!/usr/bin/env bash
# Run a command with a PostgreSQL of its own as DATABASE_URL; nothing of it is left afterwards.
# Usage: scripts/postgres.sh COMMAND...
set -euo pipefail

newest() { find /usr/lib/postgresql -maxdepth 3 -name initdb 2>/dev/null | sort -V | tail -1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
# The server refuses to run as root.
as_server() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

if [ -z "$(newest)" ]; then
    command -v apt-get >/dev/null || { echo "postgres: PostgreSQL is needed, and it could not be installed" >&2; exit 1; }
    echo "postgres: installing Debian's package postgresql"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql
fi
bin=$(dirname "$(newest)")

folder=$(mktemp -d)
if [ "$(id -u)" = 0 ]; then chown postgres "$folder"; fi
chmod 711 "$folder"
stop() {
    as_server "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap stop EXIT

as_server "$bin/initdb" -D "$folder/data" -A trust -U wippy >/dev/null
as_server "$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w start \
    -o "-k $folder -c listen_addresses= -c fsync=off" >/dev/null || { cat "$folder/log" >&2; exit 1; }
DATABASE_URL="postgres://wippy@/postgres?host=$folder" "$@"
