#!/bin/sh
# Generates idl/gen from idl/*.thrift by scripts/tools/idl. Only files that differ are written,
# so that builds beside it go on.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd scripts/tools && go build -o "$work/idl" ./idl)
"$work/idl" -o "$work/gen" idl/*.thrift
(cd "$work/gen" && find . -type f) | while read -r f; do
  cmp -s "$work/gen/$f" "idl/gen/$f" || { mkdir -p "idl/gen/$(dirname "$f")" && cp "$work/gen/$f" "idl/gen/$f"; }
done
[ -d idl/gen ] && (cd idl/gen && find . -type f) | while read -r f; do
  [ -e "$work/gen/$f" ] || rm "idl/gen/$f"
done
