#!/bin/bash
# Everything that proves the product. Reports go to bin/reports, where `make spec` reads
# them. ONLY=checks,go,race,member,e2e,cluster picks parts. Its steps, with the seconds of
# processor time that each takes once everything has been compiled and downloaded; the table
# at the end tells how long they took this time:
#
#   web       60  installs and builds both clients, whatever ONLY says
#   checks    30  beside web: generated code, lint of what needs no client
#   lint      10  part of the checks too: lint of all
#   go      <300  go test of all; 45 of them are bff/acceptance, which waits more than it computes
#   member    15  beside go: types of both clients, tests of the member client
#   compile   20  beside go: what race is about to run (290 the first time)
#   race     270  alone: go test -race, but not of the rows in bff/acceptance
#   e2e       95  alone: the browser, and the mini-program in its simulator
#   cluster   30  alone: the journeys over separate processes
#
# What is alone has deadlines that other work could make it miss.
set -euo pipefail
cd "$(dirname "$0")/.."
reports=$PWD/bin/reports
rm -rf "$reports" && mkdir -p "$reports"
only=${ONLY:-checks,go,race,member,e2e,cluster}
wants() { [[ ",$only," == *",$1,"* ]]; }
# Steps beside the script would not hear an interrupt.
trap 'trap "" TERM; kill 0; exit 130' INT TERM

declare -A pids
bad=() # the steps that failed

# begin STEP COMMAND… runs a step beside what follows, its output in a file.
begin() {
  local step=$1; shift
  : >"$reports/$step.log"
  {
    local began=$SECONDS status=0
    echo "== $step ($(date +%T))"
    "$@" &
    wait $! || status=$?
    echo "$((SECONDS - began)) $step" >>"$reports/seconds"
    exit $status
  } >>"$reports/$step.log" 2>&1 &
  pids[$step]=$!
}

# finish STEP… shows the output of steps that have begun, in this order, until each ends.
finish() {
  local step
  for step; do
    [[ -n ${pids[$step]:-} ]] || continue
    tail -n +1 -s 0.2 -f --pid="${pids[$step]}" "$reports/$step.log"
    wait "${pids[$step]}" || bad+=("$step")
  done
}

alone() { begin "$@"; finish "$1"; }

web() { make -s -j2 web >"$reports/web.out" 2>&1 || { tail -40 "$reports/web.out"; exit 1; }; }

checks() {
  bash scripts/generate.sh >/dev/null
  git diff --exit-code --stat -- idl/gen || { echo "idl/gen is not what idl/*.thrift generates"; exit 1; }
  sh scripts/lint.sh ./rpc/... ./job/... ./model/...
}

# gotest NAME ARGS… runs go test, keeps the events, prints what failed and a summary.
gotest() {
  local name=$1 status=0; shift
  go test -json "$@" >"$reports/$name.jsonl" 2>"$reports/$name.err" || status=1
  go run ./scripts/testsummary <"$reports/$name.jsonl" || true
  cat "$reports/$name.err"
  exit $status
}

member() {
  local status=0
  sh scripts/types.sh -check || status=1
  (cd bff/web/member && npm run check && npm test) || status=1
  (cd bff/web/console && npm run check && npm test) || status=1
  exit $status
}

# The journeys drive the whole product; the rows of bff/acceptance would only take longer.
raced=(./rpc/... ./job/... ./bff/edge/... ./bff/journey/... ./bff/route/... ./model/...)

bash scripts/packages.sh
begin web web
if wants checks; then begin checks checks; fi
finish web checks
if wants checks && [[ ${#bad[@]} == 0 ]]; then alone lint sh scripts/lint.sh; fi
[[ ${#bad[@]} == 0 ]] || exit 1

if wants go; then begin go gotest go -timeout 15m ./...; fi
if wants member; then begin member member; fi
if wants race; then begin compile nice go build -race "${raced[@]}"; fi
finish go member compile
if wants race; then alone race gotest race -race -short -timeout 15m "${raced[@]}"; fi
if wants e2e; then alone e2e bash scripts/e2e.sh "$reports/e2e.json"; fi
if wants cluster; then alone cluster bash scripts/cluster.sh test; fi

echo "== where the $SECONDS seconds went"
sort -rn "$reports/seconds" | while read -r took step; do printf '%7d s  %s\n' "$took" "$step"; done
go run ./scripts/testsummary -slow 10 "$reports"
echo "== spec ($(date +%T))"
# What README says of the chapters is held to when everything ran and passed.
readme=()
[[ ${#bad[@]} == 0 && -z ${ONLY:-} ]] && readme=(-readme README.md)
go run ./scripts/spec "${readme[@]}" "$reports" | tail -2 || bad+=(spec)
# Only the end of a long log may be read: what failed once more, races first.
for step in "${bad[@]}"; do
  case $step in
  go | race) go run ./scripts/testsummary -brief 70 <"$reports/$step.jsonl" ;;
  e2e) grep -E -A 25 '^  [0-9]+\) |^not ok|^ +[0-9]+ (failed|flaky|did not run)' "$reports/e2e.log" | head -80 || true ;;
  *) echo "== failed: $step" && tail -n 20 "$reports/$step.log" ;;
  esac
done
[[ ${#bad[@]} == 0 ]]
