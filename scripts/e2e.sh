#!/bin/bash
# Runs the browser tests against a product of its own: e2e.sh [REPORT].
set -euo pipefail
cd "$(dirname "$0")/.."
report=${1:-}
data=$(mktemp -d)
port=${E2E_PORT:-19190}
export ADDR=127.0.0.1:$port DATA=$data ADMIN_PASSWORD='Dangjian#2026'
go build -o bin/zhihuidangjian ./bff
bin/zhihuidangjian >"$data/out.log" 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null; wait $pid 2>/dev/null || true; rm -rf "$data"' EXIT
curl -s --retry 100 --retry-delay 1 --retry-all-errors --fail -o /dev/null "http://$ADDR/readyz"
export BASE_URL=http://$ADDR E2E_REPORT=$report
status=0
(cd bff/web/e2e && npm ci --no-audit --no-fund --silent && npx playwright test "${@:2}") || status=1
# The same built mini-program that phones run, in its simulator, against the same server.
(cd bff/web/member && npm test) || status=1
[ $status = 0 ] || tail -20 "$data/out.log"
exit $status
