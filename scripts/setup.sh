#!/usr/bin/env bash
# Make .venv and install a lock file into it; does nothing when that was done before.
# Usage: scripts/setup.sh LOCK     (PYTHON names the interpreter, 3.11 or newer)
set -euo pipefail
cd "$(dirname "$0")/.."
lock=$1
python=${PYTHON:-python3}
venv=.venv
stamp=$venv/.installed-$(basename "$lock")

die() { echo "setup: $*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else command -v sudo >/dev/null && sudo "$@"; fi
}

# Debian keeps ensurepip in a package of its own.
install_venv_package() {
    command -v apt-get >/dev/null || return 1
    echo "setup: installing Debian's package python3-venv"
    as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv
}

make_venv() {
    "$python" -c 'import ensurepip' 2>/dev/null || install_venv_package ||
        die "$python can't make virtual environments; install the package python3-venv and try again"
    echo "setup: making $venv"
    "$python" -m venv --clear "$venv"
}

command -v "$python" >/dev/null || die "$python is missing; install Python 3.11 or newer, or set PYTHON"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    die "$python is $("$python" -V); Python 3.11 or newer is needed, name one with PYTHON"

# Two copies of make may run at once.
exec 9>.setup.lock
if command -v flock >/dev/null; then flock 9; fi

[ -x $venv/bin/python ] && $venv/bin/python -c '' 2>/dev/null || make_venv

wanted="$(sha256sum "$lock" 2>/dev/null || shasum -a 256 "$lock")"
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "setup: installing $lock"
    $venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" ||
        die "the packages of $lock could not be installed; see the message above"
    echo "$wanted" >"$stamp"
fi
