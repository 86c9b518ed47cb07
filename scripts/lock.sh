#!/usr/bin/env bash
# Pin every dependency of pyproject.toml with hashes, so that pip alone can install them; uv's own lock file would spell
# out where packages were fetched from.
# Usage: scripts/lock.sh UV [--upgrade]
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$1
shift
command -v "$uv" >/dev/null || { echo "lock: uv is needed for this alone: pip install uv, or set UV=" >&2; exit 1; }

# Nothing of the machine's own configuration may end up in the files: no index addresses, no comments with them.
pin() {
    local out=$1
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --custom-compile-command "make lock" "$@" --output-file "$out"
    ! grep -nE 'https?://|--(extra-)?index|--find-links' "$out" || { echo "lock: $out names a host" >&2; exit 1; }
}

pin requirements.lock "$@" pyproject.toml
# The same versions as in production, plus the tools.
pin requirements-dev.lock "$@" --constraint requirements.lock --group dev pyproject.toml
