#!/usr/bin/env bash
# Every static check. All of them run, and then it fails if one of them did.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
failed=()

check() {
    local name=$1
    shift
    echo "== $name"
    "$@" || failed+=("$name")
}

production() {
    local data
    data=$(mktemp -d)
    env -u WIPPY_DEBUG WIPPY_SECURE=1 ALLOWED_HOSTS=console.example WIPPY_APPS=shop WIPPY_DATA="$data" "$@"
    local status=$?
    rm -rf "$data"
    return $status
}

templates() { git ls-files 'templates/*.html' | xargs --no-run-if-empty $bin/djade --target-version 5.2 --check; }

check "format" $bin/ruff format --check .
check "lint" $bin/ruff check .
check "types" $bin/mypy
check "import contracts" $bin/lint-imports
check "templates" templates
check "Django, in production settings" production $bin/python manage.py check --deploy --fail-level WARNING
check "migrations" production $bin/python manage.py makemigrations --check --dry-run

if [ ${#failed[@]} -gt 0 ]; then
    printf 'check: failed: %s\n' "${failed[@]}" >&2
    exit 1
fi
echo "check: all good"
