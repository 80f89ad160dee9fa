#!/usr/bin/env bash
# The demo: start the whole system, send a document and a face video through the public HTTP API, print each finding as it
# arrives, send the tampered twin, play the betting shop, and stop cleanly.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
server=""
finish() {
	if [ -n "$server" ]; then
		kill -TERM "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
	fi
	rm -rf "$work"
}
trap finish EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] && [ -z "${NO_COLOR:-}" ] || say() { printf '\n%s\n' "$*"; }

say "Starting every service in one process, on an embedded log"
bin/bonafide up --data "$work/data" --listen 127.0.0.1:0 >"$work/out" 2>"$work/log" &
server=$!
for _ in $(seq 300); do
	url=$(sed -n 's/^ready //p' "$work/out")
	[ -n "$url" ] && break
	if ! kill -0 "$server" 2>/dev/null; then
		echo "The server stopped before it was ready; this is what it logged:" >&2
		tail -20 "$work/log" >&2
		exit 1
	fi
	sleep 0.1
done
if [ -z "$url" ]; then
	echo "The server was not ready after 30 seconds; this is what it logged:" >&2
	tail -20 "$work/log" >&2
	exit 1
fi
echo "ready $url"

say "Drawing documents of an invented state: a passport and a card, and a tampered twin of each"
draw() { bin/bonafide specimen --seed 7 --scene 4000x3000 "$@"; }
draw --kind passport --out "$work/passport.jpg"
draw --kind passport --tamper portrait --out "$work/passport-portrait-replaced.jpg"
draw --kind uk-card --out "$work/uk-card.jpg"
draw --kind uk-card --tamper text --out "$work/uk-card-text-replaced.jpg"

verify() { bin/bonafide verify --server "$url" --key-file "$work/data/demo.key" "$@"; }

say "A genuine passport and a face video. The video was made from one photograph: a replay, so it must not pass as alive"
verify --document "$work/passport.jpg" --selfie models/demo/face.mp4

say "The same passport with its portrait replaced"
verify --document "$work/passport-portrait-replaced.jpg" --selfie models/demo/face.mp4 --brief

say "A card, and its twin with the text replaced"
verify --document "$work/uk-card.jpg" --brief
verify --document "$work/uk-card-text-replaced.jpg" --brief

say "The betting shop: two pounds and three thousand pounds on the same person"
bin/bettingshop -server "$url" -key-file "$work/data/demo.key" -document "$work/passport.jpg" -selfie models/demo/face.mp4

say "Stopping"
kill -TERM "$server"
wait "$server"
server=""
echo "stopped cleanly"
