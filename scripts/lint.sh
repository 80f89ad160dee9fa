#!/usr/bin/env bash
# Lint: formatting, go vet, and the protobuf contracts: their style, that the generated code is theirs, and that nothing on
# main is broken by a change.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "lint: $*"; }
fail() {
	echo "lint: $*" >&2
	exit 1
}

say "gofmt"
unformatted=$(gofmt -l $(git ls-files --cached --others --exclude-standard '*.go' | while read -r f; do [ -f "$f" ] && echo "$f"; done))
[ -z "$unformatted" ] || fail "These files are not formatted; run 'gofmt -w' on them:
$unformatted"

say "go vet"
go vet ./...

buf=$PWD/scripts/buf.sh

say "buf lint"
(cd proto && "$buf" lint .)

say "generated code"
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
mkdir "$fresh/proto"
(cd proto && "$buf" generate . -o "$fresh/proto")
diff -r --brief "$fresh/gen" gen || fail "gen/ is not what proto/ says; run 'make proto'."

main=
for ref in refs/remotes/origin/main refs/heads/main; do
	if git rev-parse --quiet --verify "$ref" >/dev/null; then
		main=$ref
		break
	fi
done
base=${main:+$(git log -1 --format=%H "$main" -- proto)}
if [ -z "$base" ]; then
	say "buf breaking: there is no main branch with contracts to compare with"
elif git diff --quiet "$base" -- proto; then
	say "buf breaking: the contracts are those of ${main#refs/*/}, nothing to compare"
else
	say "buf breaking, against ${main#refs/*/} at ${base:0:12}"
	"$buf" breaking proto --against ".git#ref=$base,subdir=proto" ||
		fail "These changes break readers of the contracts on main. Add fields instead, or make a new version of the package."
fi
