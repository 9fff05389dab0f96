#!/usr/bin/env bash
# usage: kill_anywhere.sh KILLS. SIGKILL at random moments; the same command then finishes, loses nothing and counts as
# if nobody had disturbed it: bytes, properties and totals, in a local store and in a folder.
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
RANDOM=${SEED:-$$}
echo "seed ${SEED:-$$}"

# Everything that tells a copy from another: figures of the last one, and what the index has of each blob.
figures() {
    tail -n 2 events | head -n 1 | python3 -c '
import json, os, sqlite3, sys
data = json.load(sys.stdin)["data"]
for part in ("items", "integrity"):
    print(part, sorted(data[part].items()))
print("bytes", data["bytes"]["total"], data["bytes"]["copied"])
index = sys.argv[1] + "/.sallyport/blobs.db"
if os.path.exists(index):
    rows = sqlite3.connect(index).execute(
        "SELECT key, original, mtime, crc64, content_type, job IS NULL FROM blob ORDER BY key").fetchall()
    print("rows", len(rows), hash(tuple(rows)))' "$1"
}
export PYTHONHASHSEED=0

# disturb SOURCE TARGET FOLDER FILES: FOLDER is where TARGET is stored
disturb() {
    local killed=0 round=0 pid
    while ((killed < kills)); do
        round=$((round + 1))
        ((round < kills * 20)) || fail "the copy always ended before it could be killed"
        "$sallyport" copy "$1" "$2" --state "$work/state" --block-size 1MiB --no-progress >/dev/null 2>&1 &
        pid=$!
        # A moment between nothing and what a whole copy takes here: wait for the process with a deadline.
        if ! timeout "0.$(printf '%03d' $((RANDOM % 400 + 1)))" tail --pid="$pid" -s 0.01 -f /dev/null; then
            kill -9 "$pid" 2>/dev/null && killed=$((killed + 1))
        fi
        wait "$pid" 2>/dev/null || true
        find "$3" -path '*partial*' -prune -o -type f -size -200c -print -quit 2>/dev/null | grep -q . &&
            fail "a piece of an item has its final name"
        # Once all is stored, begin anew: another job, with the same staging area.
        if [[ -e $3/large2 && $(find "$3" -path '*partial*' -prune -o -type f -print | wc -l) -eq 3003 ]]; then
            copy 0 "$1" "$2" --block-size 1MiB
            rm -rf "$3"
        fi
    done
    copy 0 "$1" "$2" --block-size 1MiB
    accounted
}

copy 0 src file:calm/acct/cont --block-size 1MiB
figures calm >calm-figures
disturb src file:store/acct/cont store/acct/cont
figures store >store-figures
diff calm-figures store-figures || fail "a disturbed copy to a store counts otherwise"
diff -r src store/acct/cont || fail "the store differs"
[[ ! -e store/.sallyport/partial ]] || fail "staging was left: $(find store/.sallyport/partial | head -n 3)"
rm -r store

# A folder keeps no properties: what was checked on the way has to be remembered elsewhere.
copy 0 file:calm/acct/cont calm-folder --block-size 1MiB
figures calm-folder >calm-figures
disturb file:calm/acct/cont folder folder
figures folder >folder-figures
diff calm-figures folder-figures || fail "a disturbed copy to a folder counts otherwise"
diff -r src folder || fail "the folder differs"
[[ ! -e folder/.sallyport-partial ]] || fail "staging was left: $(find folder/.sallyport-partial | head -n 3)"
[[ -z $(find state/jobs -name 'stored.db*') ]] || fail "what an unfinished copy has to remember was left"
