#!/bin/sh
# Looks for what is known to be bad Go: gofmt, then scripts/tools/lint, which says what it
# looks for, in all packages or in those given. Go vet runs it, so that only packages that
# changed are looked at again.
set -eu
cd "$(dirname "$0")/.."
test -z "$(gofmt -l $(git ls-files '*.go' ':!:idl/gen') | tee -a /dev/stderr)"
mkdir -p bin
(cd scripts/tools && go test ./lint && go build -o ../../bin/lint ./lint)
# Its processes are short: little garbage is worth collecting.
GOGC=400 go vet -vettool=bin/lint "${@:-./...}"
