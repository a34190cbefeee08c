#!/bin/bash
# Runs every test that stands on a document store against the server that MONGO_TEST_URI
# names, whatever speaks MongoDB's protocol: what the embedded store is held to through the
# driver, the services, the acceptance tests and both journeys. Each test has a database
# zhdj_test_… of its own there and drops it.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${MONGO_TEST_URI:?the server to test, e.g. mongodb://127.0.0.1:27017}"
unset BASE_URL # a product of their own, not one that runs elsewhere
bash scripts/packages.sh

# The packages whose tests can stand on a server; of the store's own tests those that do.
store=zhihuidangjian/model/docstore
packages=$(go list -test -f '{{.ImportPath}} {{join .Deps " "}}' ./... | grep ' zhihuidangjian/model/mongotest' |
  grep -o '^[^ ]*\.test ' | sed 's/\.test $//' | grep -vx -e "$store" -e zhihuidangjian/model/modeltest)
mkdir -p bin/reports
status=0
{
  go test -json -count=1 -timeout 30m -run '^TestMongo' "$store" || status=1
  go test -json -count=1 -timeout 60m $packages || status=1
} >bin/reports/mongo.jsonl
go run ./scripts/testsummary <bin/reports/mongo.jsonl
exit $status
