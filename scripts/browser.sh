#!/usr/bin/env bash
# See to it that there is a Chromium for the browser tests: Debian's, driven by Playwright.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then exit 0; fi
done
if command -v apt-get >/dev/null; then
    echo "test: installing Debian's package chromium"
    run=()
    if [ "$(id -u)" != 0 ]; then run=(sudo); fi
    "${run[@]}" apt-get update -qq
    "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium && exit 0
fi
echo "test: the browser tests need Chromium, and it could not be installed; install it as 'chromium'" >&2
exit 1
