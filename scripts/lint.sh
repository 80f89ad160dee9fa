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

# compatible CONTRACTS OLD: whether readers of the old contracts can read the new ones.
compatible() { "$buf" breaking "$1" --against "$2"; }

# against NAME COMMIT: fails where the contracts break those of a commit.
against() {
	say "buf breaking, against $1 at ${2:0:12}"
	rm -rf "$fresh/old"
	mkdir "$fresh/old"
	git archive "$2" proto | tar -x -C "$fresh/old"
	compatible proto "$fresh/old/proto" ||
		fail "These changes break readers of the contracts of $1. Add fields instead, or make a new version of the package."
}

say "buf breaking notices a field that is gone"
cp -r proto "$fresh/broken"
sed -i '/ string check = 13;/d' "$fresh/broken/bonafide/envelope/v1/envelope.proto"
noticed=$(compatible "$fresh/broken" proto || true)
grep -q '"check" on message "Envelope" was deleted' <<<"$noticed" || fail "buf breaking let a field go; is 'breaking' still in proto/buf.yaml?"

for tag in $(git tag --list 'v*'); do
	[ -z "$(git ls-tree "$tag" proto)" ] || against "$tag" "$(git rev-parse "$tag^{commit}")"
done

# Main is compared with what it was before its contracts last changed, everything else with main.
main=
for ref in refs/remotes/origin/main refs/heads/main; do
	if git rev-parse --quiet --verify "$ref" >/dev/null; then
		main=$ref
		break
	fi
done
base=
for commit in ${main:+$(git log -2 --format=%H "$main" -- proto)}; do
	git diff --quiet "$commit" -- proto || base=$commit
	[ -z "$base" ] || break
done
if [ -n "$base" ]; then
	against "${main#refs/*/}" "$base"
elif [ "$(git rev-parse --is-shallow-repository)" = true ]; then
	say "buf breaking: NOTHING COMPARED, this clone is shallow; 'git fetch --unshallow origin main' brings what to compare with"
elif [ -z "$main" ]; then
	say "buf breaking: NOTHING COMPARED, there is no main branch here; 'git fetch origin main:main' brings it"
else
	say "buf breaking: the contracts have not changed since they were first on ${main#refs/*/}"
fi
