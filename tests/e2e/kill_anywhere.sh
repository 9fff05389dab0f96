#!/usr/bin/env bash
# usage: kill_anywhere.sh KILLS. SIGKILL at random moments; the same command then finishes, loses nothing and
# sends no more than what was in flight or not yet recorded.
kills=${1:?}
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

mkdir -p src/small
python3 - <<'PY'
import os
for number in range(3000):
    with open(f"src/small/f{number}", "wb") as file:
        file.write(os.urandom(200 + number * 7 % 9000))
for number in range(3):
    with open(f"src/large{number}", "wb") as file:
        file.write(os.urandom(120 << 20))
PY
total=$(find src -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
RANDOM=${SEED:-$$}
echo "seed ${SEED:-$$}"
killed=0
round=0
while ((killed < kills)); do
    round=$((round + 1))
    ((round < kills * 20)) || fail "the copy always ended before it could be killed"
    "$sallyport" copy src file:store/acct/cont --state "$work/state" --block-size 1MiB --no-progress >/dev/null 2>&1 &
    pid=$!
    # A moment between nothing and what a whole copy takes here: wait for the process with a deadline.
    if ! timeout "0.$(printf '%03d' $((RANDOM % 400 + 1)))" tail --pid="$pid" -s 0.01 -f /dev/null; then
        kill -9 "$pid" 2>/dev/null && killed=$((killed + 1))
    fi
    wait "$pid" 2>/dev/null || true
    find store/acct -type f -size -200c -print -quit 2>/dev/null | grep -q . && fail "a piece of an item has its final name"
    # Once all is stored, begin anew: another job, with the same staging area.
    if [[ -e store/acct/cont/large2 && $(find store/acct -type f | wc -l) -eq 3003 ]]; then
        copy 0 src file:store/acct/cont --block-size 1MiB
        rm -rf store/acct
    fi
done
copy 0 src file:store/acct/cont --block-size 1MiB
accounted
equal "items" "$(summary items.total)" 3003
equal "bytes" "$(summary bytes.total)" "$total"
diff -r src store/acct/cont || fail "the store differs"
[[ ! -e store/.sallyport/partial ]] || fail "staging was left: $(find store/.sallyport/partial | head -n 3)"
