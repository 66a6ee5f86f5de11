#!/usr/bin/env bash
# Lint and type-check the JavaScript, on machines that have Node.
set -euo pipefail
cd "${0%/*}"

major=$(node --print 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
if [ "$major" -lt 18 ] || ! command -v npm >/dev/null; then
    message="Node 18 or newer and npm are not installed"
    if [ -n "${CI:-}" ]; then
        echo "$message, and no check may be left out in CI." >&2
        exit 1
    fi
    echo "$message: the JavaScript is not checked."
    exit 0
fi
# npm writes this file when it has installed everything
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
fi
npm run --silent check
echo "JavaScript: all checks passed!"
