#!/usr/bin/env bash
# Runs buf with the arguments given, in the current directory; installs it into .tools/ the first time.
set -euo pipefail
version=1.75.0
tools=$(cd "$(dirname "$0")/.." && pwd)/.tools/buf-$version

if [ ! -x "$tools/node_modules/.bin/buf" ]; then
	echo "buf: installing buf $version into .tools" >&2
	mkdir -p "$tools"
	command -v npm >/dev/null || {
		echo "buf: npm is not installed; it comes with Node.js." >&2
		exit 1
	}
	npm install --silent --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --prefix "$tools" \
		"@bufbuild/buf@$version" >&2 || {
		echo "buf: npm could not install @bufbuild/buf $version; see what it says above." >&2
		exit 1
	}
fi
exec "$tools/node_modules/.bin/buf" "$@"
