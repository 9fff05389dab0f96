#!/usr/bin/env bash
# SIGINT and SIGTERM end a copy within 2 s; the next run goes on inside the file.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

mkdir src
head -c 1500000000 /dev/urandom >src/large

# interrupt SIGNAL WANTED_EXIT TARGET
interrupt() {
    local code=0 began ended deadline
    "$sallyport" copy src "$3" --state "$work/state" --block-size 1MiB --json >events 2>messages &
    local pid=$!
    deadline=$((SECONDS + 20))
    until [[ -n $(find "${3#file:}" store -path '*partial/*' -type f -size +20M -print -quit 2>/dev/null) ]]; do
        ((SECONDS < deadline)) || fail "nothing was staged"
    done
    began=$(date +%s%N)
    kill "-$1" "$pid"
    wait "$pid" || code=$?
    ended=$(date +%s%N)
    equal "exit after $1" "$code" "$2"
    (((ended - began) / 1000000 < 2000 * ${SALLYPORT_TEST_SLACK:-1})) || fail "$1 took $(((ended - began) / 1000000)) ms"
    equal "last event" "$(tail -n 1 events | field type)" exit
}

interrupt INT 130 file:store/acct/cont
copy 0 src file:store/acct/cont --block-size 1MiB
(($(summary bytes.sent) < 1500000000)) || fail "all of it was sent again"
cmp src/large store/acct/cont/large
rm -rf store/acct
interrupt TERM 143 file:store/acct/cont
