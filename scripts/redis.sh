#!/usr/bin/env bash
# Run a Redis of one's own on a port of this machine, in memory; nothing of it is left afterwards.
# Usage: scripts/redis.sh PORT
set -euo pipefail

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

if ! command -v redis-server >/dev/null; then
    command -v apt-get >/dev/null || { echo "redis: redis-server is needed, and it could not be installed" >&2; exit 1; }
    echo "redis: installing Debian's package redis-server" >&2
    as_root apt-get update -qq >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server >&2
fi
exec redis-server --port "$1" --bind 127.0.0.1 --save "" --appendonly no
