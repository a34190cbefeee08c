#!/bin/bash
# Starts the product as separate processes on this machine: document store, redis-server,
# etcd, simulators, and two each of rpc, bff and job. `cluster.sh test` then runs both
# journeys against it, and a check-in burst while one rpc and one bff are killed; without
# an argument it stays up until interrupted.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
pids=()
start() { # start NAME COMMAND… leaves the pid in $last
  local name=$1; shift
  "$@" >"$dir/$name.log" 2>&1 &
  last=$!
  pids+=("$last")
}
stop() {
  local status=$?
  if [ $status != 0 ]; then tail -n 5 "$dir"/*.log; fi
  kill "${pids[@]}" 2>/dev/null || true
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
start rpc1 bin/rpc -prepare; rpc1=$last
until grep -qs '"msg":"serving"' "$dir/rpc1.log"; do kill -0 "$rpc1" || { cat "$dir/rpc1.log"; exit 1; }; sleep 0.1; done
start rpc2 bin/rpc; rpc2=$last
until grep -qs '"msg":"serving"' "$dir/rpc2.log"; do kill -0 "$rpc2" || { cat "$dir/rpc2.log"; exit 1; }; sleep 0.1; done
ADDR=127.0.0.1:19181 start bff1 bin/bff
ADDR=127.0.0.1:19182 start bff2 bin/bff; bff2=$last
start job1 bin/job
start job2 bin/job
for port in 19181 19182; do
  curl -s --retry 60 --retry-delay 1 --retry-all-errors --fail -o /dev/null "http://127.0.0.1:$port/readyz"
done
echo "http://127.0.0.1:19181/ http://127.0.0.1:19182/ (logs in $dir)"
if [ "${1:-}" != test ]; then
  wait
  exit
fi
status=0
export BASE_URL=http://127.0.0.1:19181 BASE_URL_2=http://127.0.0.1:19182 KILL_RPC=$rpc2 KILL_BFF=$bff2
mkdir -p bin/reports
go test -json -count=1 -timeout 10m ./bff/journey >bin/reports/cluster.jsonl || status=1
go run ./scripts/testsummary <bin/reports/cluster.jsonl
exit $status
