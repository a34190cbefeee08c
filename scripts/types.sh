#!/bin/sh
# Makes bff/web/shared/api.ts, the types of what the HTTP interface takes and answers, of the
# document that /openapi.json serves. With -check it only tells whether the file is right.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go run ./scripts/openapi >"$work/openapi.json"
(cd bff/web/console && npx --no-install openapi-typescript "$work/openapi.json" -o "$work/api.ts" >/dev/null)
if [ "${1:-}" = -check ]; then
  cmp -s "$work/api.ts" bff/web/shared/api.ts || { echo "bff/web/shared/api.ts is not what the routes answer: make types"; exit 1; }
else
  cp "$work/api.ts" bff/web/shared/api.ts
fi
