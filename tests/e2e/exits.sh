#!/usr/bin/env bash
# Each way to end has its exit code, a message that names the thing, and both last events.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

mkdir src empty
echo x >src/a
copy 2 src
grep -q 'TARGET is missing' messages
copy 2 src target --overwrit never
grep -q "did you mean '--overwrite'" messages
copy 2 src target --overwrite sometimes
copy 2 src target --memory 1MiB
copy 2 src src
copy 2 src target --lanes 16 --block-size 64MiB
grep -q 'need --memory' messages
copy 2 '' target
copy 9 empty target
equal "why" "$(tail -n 1 events | field data.reason)" "nothing to do: no item found"
copy 13 missing target
grep -q 'missing' messages
equal "status of a halt" "$(summary status)" Halted
equal "fields of a halt" "$(summary items.total) $(summary integrity.in_transit)" "0 0"
equal "status of a copy that did not begin" "$(summary status)" Halted
equal "its items" "$(summary items.total)" 0

# A source that cannot be read is not one of its items that failed.
mkdir -m 000 closed
cp "$sallyport" program
chmod 755 . program
mkdir -m 777 other
unreadable() {
    local code=0
    if [[ $(id -u) -eq 0 ]]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups ./program copy closed other/target --state other/state --json "$@"
    else
        ./program copy closed other/target --state other/state --json "$@"
    fi >events 2>messages || code=$?
    equal "exit: $(cat messages)" "$code" 13
    equal "status" "$(summary status)" Halted
    grep -q 'item-access' messages || fail "no item-access in: $(cat messages)"
    grep -q 'HINT: ' messages || fail "no remedy in: $(cat messages)"
}
unreadable
unreadable --dry-run

# All events of a copy name their job, from the first on.
copy 0 src named
equal "jobs named" "$(python3 -c '
import json
print(len({json.loads(line)["job"] for line in open("events")}))')" 1
[[ $(tail -n 1 events | field job) =~ ^[0-9a-f]{32}$ ]] || fail "the job is not named"
echo '[retry]
give-up-after = none' >bad.conf
copy 8 src target --config bad.conf
grep -q 'line 2' messages

# A limit of open files means less at a time, or is said before the first byte, with the number that would do.
mkdir heap
for i in $(seq 600); do echo "$i" >"heap/$i"; done
for i in 1 2 3 4; do head -c 5000000 /dev/urandom >"heap/large$i"; done
(ulimit -n 64 && copy 0 heap file:narrow//acct/cont --block-size 1MiB --verify read-back --lanes 4)
equal "items copied with few files" "$(summary items.copied)" 604
(ulimit -n 20 && copy 8 heap narrow)
grep -q "the limit of open files is 20, and a copy needs [0-9]*; raise it with 'ulimit -n" messages
[[ ! -e narrow/1 ]] || fail "something was copied"

# Where a receipt cannot be written is said before the first byte, too.
copy 8 src late --receipt nowhere/receipt.jsonl
grep -q "'nowhere'" messages
copy 8 src late --receipt src
[[ ! -e late ]] || fail "something was copied"

# A second process on the same copy is turned away while the first has its lock.
copy 0 src target
lock=$(echo state/jobs/copy-*/lock | head -n 1)
for lock in state/jobs/copy-*/lock; do
    exec {held}>"$lock"
    flock -n "$held"
done
copy 6 src target
grep -q 'already-running' messages
exec {held}>&-

# With --json there is nothing but JSON Lines, whatever is asked for.
for asked in --help --version "help" "copy --help" "error list" "bench hash --help"; do
    # shellcheck disable=SC2086 # words of a command
    "$sallyport" $asked --json >events || fail "$asked --json: exit $?"
    python3 -c 'import json; [json.loads(line) for line in open("events")]' || fail "$asked --json is not JSON Lines"
    equal "last event of $asked" "$(tail -n 1 events | field type)" exit
done
"$sallyport" --help | grep -q '^usage: ' || fail "no help"

# Results that could not be written are no success; the copy itself is done all the same.
full() {
    local code=0
    "$sallyport" "$@" >/dev/full 2>messages || code=$?
    equal "exit of $* on a full disk" "$code" 1
    grep -q 'could not write to standard output' messages || fail "no words: $(cat messages)"
}
full copy src told --state state --json
cmp src/a told/a
full copy src told2 --state state
full error list
full error list --json
full --help
full --version
full completion bash

# Names of errors lead to their explanation.
"$sallyport" error explain already-running | grep -q 'exit code:    6'
code=0
"$sallyport" error explain already-runing 2>messages || code=$?
equal "exit of an unknown code" "$code" 2
grep -q 'already-running' messages
"$sallyport" doctor --state "$work/state" | grep -q CRC-64
for shell in bash zsh fish; do
    "$sallyport" completion "$shell" | grep -q 'block-size'
done
"$sallyport" completion bash | bash -n
