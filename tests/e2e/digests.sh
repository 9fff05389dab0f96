#!/usr/bin/env bash
# MD5 and SHA-256 of whole items, however many blocks they have: in the receipt, and MD5 with the blob.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

mkdir src
head -c 10 /dev/urandom >src/small
head -c 3145728 /dev/urandom >src/three-blocks
head -c 5500000 /dev/urandom >src/six-blocks
truncate -s 20000000 src/hole
echo end >>src/hole
: >src/empty

check_receipt() {
    python3 - "$1" <<'EOF'
import hashlib, json, sys
lines = open(sys.argv[1]).read().splitlines()[1:-1]
assert len(lines) == 5, lines
for item in map(json.loads, lines):
    data = open("src/" + item["path"], "rb").read()
    assert item["md5"] == hashlib.md5(data).hexdigest(), item
    assert item["sha256"] == hashlib.sha256(data).hexdigest(), item
EOF
}

copy 0 src file:store//acct/cont --md5 --sha256 --block-size 1MiB --receipt receipt
check_receipt receipt
python3 - <<'EOF'
import hashlib, sqlite3
rows = sqlite3.connect("store/.sallyport/blobs.db").execute("SELECT key, md5 FROM blob").fetchall()
assert len(rows) == 5, rows
for key, md5 in rows:
    name = (key.decode() if isinstance(key, bytes) else key).rsplit("/", 1)[1]
    assert md5 == hashlib.md5(open("src/" + name, "rb").read()).digest(), name
EOF

# Stopped between the last block and the end, the copy goes on and has them too.
rm -rf store state
head -c 400000000 /dev/urandom >src/six-blocks
"$sallyport" copy src file:store//acct/cont --md5 --sha256 --block-size 1MiB --state "$work/state" --quiet \
    >/dev/null 2>&1 &
victim=$!
deadline=$((SECONDS + 60))
until [[ -n $(find store -type f -size +100M -print -quit 2>/dev/null) ]]; do
    ((SECONDS < deadline)) || fail "nothing was written"
done
kill -9 "$victim"
wait "$victim" 2>/dev/null || true
copy 0 src file:store//acct/cont --md5 --sha256 --block-size 1MiB --receipt receipt
check_receipt receipt
copy 0 file:store//acct/cont back --md5
for file in src/*; do cmp "$file" "back/${file#src/}"; done
