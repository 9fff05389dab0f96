#!/usr/bin/env bash
# Every benchmark runs, tells plausible figures as JSON Lines, and leaves nothing but its datasets.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

# bench WANTED_EXIT ARGUMENT...
bench() {
    local want=$1 code=0
    shift
    "$sallyport" bench "$@" --state "$work/state" --json >events 2>messages || code=$?
    [[ "$code" -eq "$want" ]] || fail "bench $*: exit $code, want $want: $(cat messages)"
    equal "last event" "$(tail -n 1 events | field type)" exit
    equal "event before it" "$(tail -n 2 events | head -n 1 | field type)" summary
}

bench 0 hash --time 1ms --size 64KiB
python3 -c '
import json
lines = [json.loads(line)["data"] for line in open("events")]
rates = {line["what"]: line["bytes_per_second"] for line in lines if "what" in line and line["usable"]}
assert {"crc64-table", "xxh3-128", "md5", "sha256"} <= set(rates), rates
assert all(rate > 1e6 for rate in rates.values()), rates
assert sum(line.get("used", False) for line in lines) == 1'

mkdir -p tree/deep/er
for i in 1 2 3; do head -c 100000 /dev/urandom >"tree/deep/$i"; done
: >tree/empty
head -c 3000001 /dev/urandom >tree/deep/er/blocks
ln -s empty tree/link
for io in uring threads; do
    bench 0 source tree --runs 2 --block-size 64KiB --memory 1MiB --lanes 2 --io "$io"
    equal "files read by $io" "$(summary items)" 5
    equal "bytes read by $io" "$(summary bytes)" 3300001
done
bench 0 source tree/deep/er/blocks --cold --runs 1
equal "bytes of one file" "$(summary bytes)" 3000001
mkdir none
bench 9 source none
bench 2 source tree --block-size 8MiB --memory 1MiB
bench 2 source http://127.0.0.1:9/a/b

bench 0 send --size 100KiB --count 50 --in-flight 8 --lanes 2 --runs 2
equal "bodies sent" "$(summary items)" 50
equal "bytes sent" "$(summary bytes)" 5120000
bench 0 send --size 0KiB --count 3 --runs 1
equal "empty bodies sent" "$(summary items)" 3

for direction in up down; do
    for peer in sink store; do
        bench 0 end-to-end --files 1100 --size 1KiB --direction "$direction" --peer "$peer" --runs 1
        equal "files $direction, $peer" "$(summary items)" 1100
        equal "bytes $direction, $peer" "$(summary bytes)" 1126400
    done
done
bench 0 end-to-end --files 2 --size 20MiB --runs 1 --verify read-back
equal "bytes of large files" "$(summary bytes)" 41943040
equal "what is left" "$(cd state/bench && echo *)" \
    "lock set-1100x1024 set-1100x1024.mark set-2x20971520 set-2x20971520.mark"

# Only one at a time; an interrupt leaves nothing half made that would be taken for whole.
exec {held}>state/bench/lock
flock "$held"
bench 6 clean
exec {held}>&-
"$sallyport" bench end-to-end --files 1 --size 2GiB --state "$work/state" >out 2>messages &
pid=$!
until [[ -e state/bench/set-1x2147483648.mark ]]; do :; done
kill -INT "$pid"
code=0
wait "$pid" || code=$?
equal "exit when interrupted" "$code" 130

# What somebody else put there stays.
echo mine >state/bench/set-2x20971520/00000/mine
mkdir state/bench/set-9x9
bench 4 clean
equal "kept" "$(summary kept)" 1
equal "my file" "$(cat state/bench/set-2x20971520/00000/mine)" mine
[[ -d state/bench/set-9x9 ]] || fail "a folder without a mark was removed"
rm state/bench/set-2x20971520/00000/mine
bench 0 clean
equal "what is left" "$(cd state/bench && echo *)" "lock set-9x9"
