#!/usr/bin/env bash
# Set-up: installs the Debian packages that are missing, then fills models/. What is there already is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."

# ffmpeg decodes face videos; libzxing reads PDF417; libturbojpeg decodes photographs at a reduced size; g++ and
# pkg-config build the two bindings; the fonts draw specimens.
packages=(ffmpeg libzxing-dev libturbojpeg0-dev pkg-config g++ fonts-ocr-b fonts-dejavu-core)

say() { echo "setup: $*"; }
fail() {
	echo "setup: $*" >&2
	exit 1
}

command -v go >/dev/null || fail "Go is not installed. Install the release that go.mod names from your distribution or from the Go project."
command -v dpkg-query >/dev/null ||
	fail "This is not a Debian system. Install the equivalents of these packages by hand and run 'go run ./internal/models/setup': ${packages[*]}"

missing=()
for p in "${packages[@]}"; do
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
done

if [ ${#missing[@]} -eq 0 ]; then
	say "every system package is there"
else
	as_root=()
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null ||
			fail "These packages are missing, and this user is not root and has no sudo. As root, run: apt-get install --no-install-recommends ${missing[*]}"
		as_root=(sudo)
	fi
	say "installing ${missing[*]}"
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	for step in "update" "install --yes --no-install-recommends ${missing[*]}"; do
		# shellcheck disable=SC2086 # the words of a step are separate arguments
		"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q $step >"$log" 2>&1 || {
			tail -15 "$log" >&2
			fail "apt-get $step did not work. Mend what it says above, then run 'make setup' again."
		}
	done
fi

go run ./internal/models/setup
