#!/bin/bash
# Starts the product as separate processes on this machine, by the production steps of
# README.md: document store, redis-server, etcd and simulators; each service in a process of
# its own, those that a check-in passes through in two; two each of bff and job. The end of
# it is a log-in as the first admin. `cluster.sh test` then runs both journeys against it,
# and a check-in burst while the second processes and one bff are killed, and takes away one
# after another what they stand on; without an argument it stays up until interrupted.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
start() { # start NAME COMMAND… leaves the pid in $last and NAME.pid; NAME.sh starts it again
  local name=$1; shift
  { printf 'cd %q; exec env %s' "$PWD" "${ADDR:+ADDR=$ADDR}"; printf ' %q' "$@"; } >"$dir/$name.sh"
  "$@" >"$dir/$name.log" 2>&1 &
  last=$!
  echo $last >"$dir/$name.pid"
}
stop() {
  local status=$?
  if [ $status != 0 ]; then tail -n 5 "$dir"/*.log; fi
  kill -CONT $(cat "$dir"/*.pid) 2>/dev/null || true
  kill $(cat "$dir"/*.pid) 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap stop EXIT

mkdir -p bin
go build -o bin/ ./bff ./rpc ./job ./model/docstore/serve
go build -o bin/sandbox ./rpc/wechat/sim/serve
export MONGO_URI=mongodb://127.0.0.1:19117 REDIS_ADDR=127.0.0.1:19179 ETCD=127.0.0.1:19123
export DATA=$dir/data DATA_KEY=cluster-test-key-of-at-least-32-bytes ADMIN_PASSWORD='Dangjian#2026'
export SANDBOX_URL=http://127.0.0.1:19170 PUBLIC_URL=http://127.0.0.1:19181
mkdir -p "$DATA"
start store bin/serve -listen 127.0.0.1:19117 -data "$dir/store"
start redis redis-server --port 19179 --bind 127.0.0.1 --save '' --appendonly no
start etcd etcd --data-dir "$dir/etcd" --listen-client-urls http://127.0.0.1:19123 --advertise-client-urls http://127.0.0.1:19123 \
  --listen-peer-urls http://127.0.0.1:19124 --initial-advertise-peer-urls http://127.0.0.1:19124 --initial-cluster default=http://127.0.0.1:19124
until (echo > /dev/tcp/127.0.0.1/19117) 2>/dev/null && (echo > /dev/tcp/127.0.0.1/19179) 2>/dev/null && (echo > /dev/tcp/127.0.0.1/19123) 2>/dev/null; do sleep 0.1; done
start sandbox bin/sandbox -listen 127.0.0.1:19170
until curl -sf -o /dev/null "$SANDBOX_URL/sandbox/api/users"; do sleep 0.1; done

# All at once: each prepares what is its own and waits for what it stands on.
services=$(bin/rpc -h 2>&1 | sed -n 's/.*services to serve (default "\(.*\)").*/\1/p' | tr , ' ')
rpc=() second=()
for name in $services; do
  start "$name" bin/rpc -serve "$name" -prepare
  rpc+=("$name $last")
done
for name in party account meeting points; do
  start "${name}2" bin/rpc -serve "$name" -prepare
  rpc+=("${name}2 $last") second+=("$last")
done
for process in "${rpc[@]}"; do
  read -r name pid <<<"$process"
  until grep -qs '"msg":"serving"' "$dir/$name.log"; do kill -0 "$pid" || { cat "$dir/$name.log"; exit 1; }; sleep 0.1; done
done
start job1 bin/job
start job2 bin/job
ADDR=127.0.0.1:19181 start bff1 bin/bff
ADDR=127.0.0.1:19182 start bff2 bin/bff; bff2=$last
for port in 19181 19182; do
  curl -s --retry 60 --retry-delay 1 --retry-all-errors --fail -o /dev/null "http://127.0.0.1:$port/readyz"
done

post() { # post PATH JSON [OPTION…], as the console does
  curl -s --fail "${@:3}" -b "$dir/cookies" -c "$dir/cookies" \
    -H 'Content-Type: application/json' -H 'X-Requested-With: zhihuidangjian' -d "$2" "$PUBLIC_URL$1"
}
field() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
id=$(post /api/console/captcha '{}' --retry 20 --retry-delay 1 --retry-all-errors | field id)
token=$(post /api/console/captcha/solve "$(curl -s --fail "$PUBLIC_URL/sandbox/api/captcha/$id")" | field token)
post /api/console/login "{\"userName\":\"admin\",\"password\":\"$ADMIN_PASSWORD\",\"captchaToken\":\"$token\"}" >/dev/null
echo "admin is logged in; http://127.0.0.1:19181/ http://127.0.0.1:19182/ (logs in $dir)"
if [ "${1:-}" != test ]; then
  wait
  exit
fi
status=0
export BASE_URL=http://127.0.0.1:19181 BASE_URL_2=http://127.0.0.1:19182 KILL_RPC="${second[*]}" KILL_BFF=$bff2 CLUSTER_DIR=$dir
mkdir -p bin/reports
go test -json -count=1 -timeout 10m ./bff/journey >bin/reports/cluster.jsonl || status=1
go run ./scripts/testsummary <bin/reports/cluster.jsonl
exit $status
