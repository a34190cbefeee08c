#!/bin/bash
# Everything that proves the product: checks, unit and integration tests, races, the
# journeys in one process and in many, and the browser. Reports go to bin/reports, where
# `make spec` reads them. ONLY=go,race,e2e,cluster picks parts.
set -euo pipefail
cd "$(dirname "$0")/.."
reports=$PWD/bin/reports
rm -rf "$reports" && mkdir -p "$reports"
only=${ONLY:-checks,go,race,member,e2e,cluster}
wants() { [[ ",$only," == *",$1,"* ]]; }
step() { echo "== $* ($(date +%T))"; }

bash scripts/packages.sh
step web clients
make -s web >"$reports/web.log" 2>&1 || { tail -40 "$reports/web.log"; exit 1; }

if wants checks; then
  step checks
  sh scripts/lint.sh
  bash scripts/generate.sh >/dev/null
  git diff --exit-code --stat -- idl/gen || { echo "idl/gen is not what idl/*.thrift generates"; exit 1; }
fi

failed=0
# gotest NAME ARGS… runs go test, keeps the events, prints what failed and a summary.
gotest() {
  local name=$1; shift
  go test -json "$@" >"$reports/$name.jsonl" 2>"$reports/$name.err" || failed=1
  go run ./scripts/testsummary <"$reports/$name.jsonl" || true
  cat "$reports/$name.err"
}

if wants go; then
  step go test
  gotest go -timeout 15m ./...
fi
if wants race; then
  step go test -race
  # The journeys drive the whole product; the rows of bff/acceptance would only take longer.
  gotest race -race -short -timeout 15m ./rpc/... ./job/... ./bff/edge/... ./bff/journey/... ./bff/route/... ./model/...
fi

if wants member; then
  step member client
  (cd bff/web/member && npm run check && npm test) || failed=1
  (cd bff/web/console && npm run check && npm test) || failed=1
fi

if wants e2e; then
  step browser
  bash scripts/e2e.sh "$reports/e2e.json" 2>&1 | tee "$reports/e2e.log" || failed=1
fi

if wants cluster; then
  step separate processes
  bash scripts/cluster.sh test || failed=1
fi

step spec
go run ./scripts/spec "$reports" | tail -1
# Only the end of a long log may be read: what failed once more, races first.
if [[ $failed != 0 ]]; then
  [[ ! -f $reports/e2e.log ]] || grep -E -A 25 '^  [0-9]+\) |^not ok|^ +[0-9]+ (failed|flaky|did not run)' "$reports/e2e.log" | head -80 || true
  for name in go race; do
    [[ ! -f $reports/$name.jsonl ]] || go run ./scripts/testsummary -brief 70 <"$reports/$name.jsonl"
  done
fi
exit $failed
