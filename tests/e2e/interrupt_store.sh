#!/usr/bin/env bash
# SIGINT and SIGTERM end a command within 2 s, whatever it waits for: a store that does not answer, at each request
# that is made; a store that asks to be left alone for a minute; or nothing but its own arithmetic.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

# The fault has happened: the command waits.
is_hit() {
    kill -USR1 "$server_pid"
    tail -n 1 server.out | grep -qE '"faults":\{[^}]*[1-9]'
}

# It is the program, not yet the shell's child, and its handlers are in place.
is_listening() {
    [[ $(<"/proc/$1/comm") == sallyport ]] &&
        (($(printf '%d' "0x$(awk '/^SigCgt/ { print $2 }' "/proc/$1/status")") & 1 << (2 - 1)))
}

# interrupt SIGNAL WANTED_EXIT WHEN ARGUMENT...: WHEN is a condition
interrupt() {
    local number=$1 want=$2 when=$3 code=0 began took deadline=$((SECONDS + 20))
    shift 3
    "$sallyport" "$@" --state "$work/state" --json >events 2>messages &
    local pid=$!
    until "$when" "$pid"; do
        ((SECONDS < deadline)) || fail "$*: it never waits: $(cat messages)"
        kill -0 "$pid" || fail "$*: it ended: $(cat messages)"
    done
    began=$(date +%s%N)
    kill "-$number" "$pid"
    wait "$pid" || code=$?
    took=$((($(date +%s%N) - began) / 1000000))
    equal "exit of $* after $number: $(cat messages)" "$code" "$want"
    ((took < 2000 * ${SALLYPORT_TEST_SLACK:-1})) || fail "$* took $took ms to end"
    equal "last event of $*" "$(tail -n 1 events | field type)" exit
    equal "code in the last event" "$(tail -n 1 events | field data.code)" "$want"
    equal "event before it" "$(tail -n 2 events | head -n 1 | field type)" summary
    equal "status of $*" "$(summary status)" Cancelled
}

# both FAULT ARGUMENT...: STORE in an argument is the store's address
both() {
    local fault=$1 argument
    shift
    for ending in INT:130 TERM:143; do
        serve --fault "$fault"
        local arguments=()
        for argument in "$@"; do arguments+=("${argument/STORE/$store}"); done
        before
        interrupt "${ending%:*}" "${ending#*:}" is_hit "${arguments[@]}"
        [[ "$1" != copy ]] || for figure in items.total items.failed bytes.sent integrity.unverifiable stages.read \
            seconds peak_rss_bytes retries throttled; do
            summary "$figure" >/dev/null || fail "the summary has no $figure"
        done
    done
}
before() { rm -rf state; }

mkdir -p src/folder
for i in $(seq 20); do echo "$i" >"src/folder/$i"; done
head -c 3000000 /dev/urandom >src/large
blocks=(--block-size 1MiB)

echo "- a store that does not answer"
both hang copy src STORE
both hang copy STORE target
both hang copy src STORE --dry-run
both hang copy STORE target --dry-run
both hang:verb=put-container copy src STORE
both hang:verb=put-blob copy src STORE
both hang:verb=put-block copy src STORE "${blocks[@]}"
both hang:verb=put-block-list copy src STORE "${blocks[@]}"

echo "- or not when it is verified"
both hang:verb=list-blobs copy src STORE
both hang:verb=get-blob copy src STORE --verify read-back

echo "- or not when a receipt is compared"
kept() {
    local arguments=("$@")
    before() { rm -rf state && copy 0 src "$store" --receipt receipt.jsonl "${blocks[@]}" && cp state/keys/site.pub site.pub; }
    both "${arguments[@]}"
}
kept hang:verb=list-blobs:after=1 verify receipt.jsonl STORE --key site.pub
kept hang:verb=get-blob verify receipt.jsonl STORE --key site.pub --read-back

echo "- or not when the target is listed first"
mkdir many
(cd many && seq 3000 | xargs touch)
before() { rm -rf state && copy 0 many "$store"; }
both hang:verb=list-blobs:after=2 copy many STORE --restart

echo "- a store that asks for a minute"
before() { rm -rf state; }
both busy:seconds=60 copy src STORE
both busy:seconds=60:verb=put-blob copy src STORE
both busy:seconds=60:verb=list-blobs copy src STORE
stop_server

echo "- benchmarks"
truncate -s 1T huge
for ending in INT:130 TERM:143; do
    for bench in "hash --time 60s" "send --count 1000000000 --size 64KiB" "end-to-end --files 20000 --size 16KiB --runs 50"; do
        # shellcheck disable=SC2086 # words of a command
        interrupt "${ending%:*}" "${ending#*:}" is_listening bench $bench
    done
    interrupt "${ending%:*}" "${ending#*:}" is_listening bench source huge --runs 50
done
