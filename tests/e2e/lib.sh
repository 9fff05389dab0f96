#!/usr/bin/env bash
# What every end-to-end test uses: a folder of its own, the program, and checks that print both values.
set -euo pipefail
sallyport=${SALLYPORT_BINARY:?}
work=$(mktemp -d "${TMPDIR:-/var/tmp}/sallyport-e2e.XXXXXX")
server_pid=
cleanup() {
    stop_server
    chmod -R u+rwX "$work" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
cd "$work"

stop_server() {
    if [[ -n "$server_pid" ]]; then
        kill "$server_pid" 2>/dev/null || true
        wait "$server_pid" 2>/dev/null || true
        server_pid=
    fi
}

# serve ARGUMENT...: a new bench server that keeps bodies and takes anyone; $store is a container there, $port its port
serve() {
    local deadline=$((SECONDS + 10))
    stop_server
    : >"$work/server.out"
    "$(dirname "$sallyport")/bench/bench_server" --port 0 --keep "$@" >"$work/server.out" 2>"$work/server.err" &
    server_pid=$!
    until grep -q listening "$work/server.out"; do
        ((SECONDS < deadline)) || fail "the server does not listen: $(cat "$work/server.err")"
    done
    port=$(grep -o '[0-9]*$' "$work/server.out")
    # shellcheck disable=SC2034 # for who has asked for it
    store="http://127.0.0.1:$port/acct/cont"
}

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# equal WHAT GOT WANT
equal() {
    [[ "$2" == "$3" ]] || fail "$1: got '$2', want '$3'"
}

# copy WANTED_EXIT ARGUMENT...: runs a copy; its events are in ./events, its messages in ./messages
copy() {
    local want=$1 code=0
    shift
    "$sallyport" copy --state "$work/state" --json "$@" >events 2>messages || code=$?
    [[ "$code" -eq "$want" ]] || fail "copy $*: exit $code, want $want: $(cat messages)"
    equal "last event" "$(tail -n 1 events | field type)" exit
    equal "event before it" "$(tail -n 2 events | head -n 1 | field type)" summary
}

# field PATH: one value of a JSON object on standard input
field() {
    python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = value[key]
print(value)' "$1"
}

summary() {
    tail -n 2 events | head -n 1 | field "data.$1"
}

# Items left out by a rule of ours, and not because the target has them already.
left_out() {
    echo $(($(summary items.skipped) - $(summary items.unchanged)))
}

# Every entry is accounted for: the states sum up to the total.
accounted() {
    local sum=0 state
    for state in copied renamed skipped failed; do
        sum=$((sum + $(summary "items.$state")))
    done
    equal "sum of all states" "$sum" "$(summary items.total)"
}
