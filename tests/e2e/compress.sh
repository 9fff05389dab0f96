#!/usr/bin/env bash
# --compress: what shrinks is stored as zstd writes it, any tool reads it, everything that is told is of the
# original bytes, a copy back undoes it, and memory stays within its bounds.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

# within MIB: the last copy's peak, a tenth more than --memory at most
within() {
    local peak
    peak=$(summary peak_rss_bytes)
    # Sanitizers need memory of their own.
    [[ ${SALLYPORT_TEST_SLACK:-1} -gt 1 ]] || ((peak <= $1 * 1048576 * 11 / 10)) || fail "peak $((peak / 1048576)) MiB with --memory $1MiB"
}

echo "- what cannot be meant"
mkdir -p src/folder few
echo few >few/file
for bad in gzip zstd: zstd:0 zstd:20 zstd:99 zstd:-1 zstd:3x zstd:3:3 ZSTD :3 ''; do
    copy 2 few file:store//acct/cont --compress "$bad"
    grep -q 'compress' messages || fail "--compress '$bad': $(cat messages)"
done
copy 2 few folder --compress zstd
grep -q 'leave out --compress' messages || fail "a plain folder: $(cat messages)"
[[ ! -e folder && ! -e store ]] || fail "something was made"

python3 - <<'EOF'
import os, random
random.seed(5)
words = [bytes(random.choices(b"abcdefghijklmnopqrstuvwxyz", k=random.randint(2, 9))) for _ in range(4000)]
def text(size):
    return b" ".join(random.choices(words, k=size // 5 + 1))[:size]
for number in range(200):
    open(f"src/folder/t{number}.txt", "wb").write(text(number * 251))
for number in range(20):
    open(f"src/folder/r{number}.bin", "wb").write(os.urandom(number * 997))
piece = text(3 << 20)
open("src/large.log", "wb").write(b"".join(piece[random.randrange(1 << 20):] for _ in range(30)))
open("src/mixed", "wb").write(piece + os.urandom(9 << 20) + piece + os.urandom(1 << 20) + piece * 2)
open("src/noise", "wb").write(os.urandom(20 << 20))
open("src/photo.jpg", "wb").write(piece)
with open("src/sparse", "wb") as file:
    file.truncate(300 << 20)
    file.seek(100 << 20)
    file.write(piece)
EOF

# plain FILE: what any zstd makes of a stored file is the source's
plain() {
    zstd -q -d -c <"store/acct/cont/$1" | cmp - "src/$1" || fail "zstd reads '$1' otherwise"
}

echo "- to the local store"
copy 0 src file:store//acct/cont --compress zstd --receipt receipt.jsonl --verify read-back --md5
accounted
within 256
equal "read back" "$(summary integrity.read_back)" 225
sent=$(summary bytes.sent)
((sent < $(summary bytes.copied) / 2)) || fail "sent $sent of $(summary bytes.copied) bytes"
for name in large.log mixed sparse folder/t100.txt; do
    plain "$name"
    (($(stat -c %s "store/acct/cont/$name") < $(stat -c %s "src/$name"))) || fail "'$name' has not become smaller"
done
for name in noise photo.jpg folder/r19.bin folder/t1.txt; do
    cmp "src/$name" "store/acct/cont/$name" || fail "'$name' is not stored as it is"
done
[[ ! -e store/.sallyport/partial ]] || fail "staging was left: $(find store/.sallyport/partial | head -n 3)"
python3 - <<'EOF'
import hashlib, json
items = [json.loads(line) for line in open("receipt.jsonl")][1:-1]
assert len(items) == 225, len(items)
for item in items:
    raw = open("src/" + item["path"], "rb").read()
    assert item["size"] == len(raw), item
    assert item["md5"] == hashlib.md5(raw).hexdigest(), item
    # The CRC-64 of the originals, bit by bit for a small one.
    if 0 < len(raw) < 6000 and item["path"].endswith(".txt"):
        crc = (1 << 64) - 1
        for byte in raw:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ (0x9A6C9329AC4BC9B5 if crc & 1 else 0)
        assert f"{crc ^ (1 << 64) - 1:016x}" == item["crc64"], item
EOF
"$sallyport" verify receipt.jsonl file:store//acct/cont --key state/keys/site.pub --read-back --state state >/dev/null ||
    fail "the receipt does not fit the store"

echo "- nothing is copied twice, and back again it is the same"
copy 0 src file:store//acct/cont --compress zstd
equal "copied again" "$(summary items.copied)" 0
copy 0 file:store//acct/cont back --verify read-back
equal "verified" "$(summary integrity.in_transit)" 225
within 256
diff -r src back || fail "what came back differs"
rm -rf back
copy 0 file:store//acct/cont back --memory 96MiB --md5 --sha256 --block-size 1MiB
within 96
diff -r src back || fail "what came back in small blocks differs"
rm -rf back

echo "- from store to store: undone, kept, or done anew"
copy 0 file:store//acct/cont file:other//acct/plain
cmp src/large.log other/acct/plain/large.log || fail "it was not undone"
copy 0 file:store//acct/cont file:other//acct/packed --compress zstd:9 --memory 96MiB
within 96
zstd -q -d -c <other/acct/packed/large.log | cmp - src/large.log || fail "it was not done anew"
python3 - <<'EOF'
import sqlite3
rows = sqlite3.connect("other/.sallyport/blobs.db").execute("SELECT key, content_encoding, stored_bytes, original FROM blob")
found = {key.decode(): (encoding, stored != original) for key, encoding, stored, original in rows}
assert found["acct/plain/large.log"] == (None, False), found["acct/plain/large.log"]
assert found["acct/packed/large.log"] == ("zstd", True), found["acct/packed/large.log"]
assert found["acct/packed/noise"] == (None, False), found["acct/packed/noise"]
EOF

echo "- little memory, a high level"
copy 0 src file:few-memory//acct/cont --compress zstd:19 --memory 96MiB --include '*.txt' --include mixed
within 96
copy 0 file:few-memory//acct/cont back
cmp src/mixed back/mixed
rm -rf back few-memory

echo "- killed in the middle, it goes on inside the file"
rm -rf store state
kills=0
for round in $(seq 40); do
    "$sallyport" copy src file:store//acct/cont --compress zstd:6 --state state --block-size 1MiB --quiet >/dev/null 2>&1 &
    victim=$!
    timeout "0.$((round * 2 + 10))" tail --pid="$victim" -s 0.01 -f /dev/null || { kill -9 "$victim" 2>/dev/null && kills=$((kills + 1)); }
    wait "$victim" 2>/dev/null || true
    ((kills < 6)) || break
done
((kills > 0)) || fail "nothing was killed"
copy 0 src file:store//acct/cont --compress zstd:6 --block-size 1MiB
for name in large.log mixed sparse; do plain "$name"; done
copy 0 file:store//acct/cont back
diff -r src back || fail "what came back after kills differs"
rm -rf back
[[ ! -e store/.sallyport/partial ]] || fail "staging was left: $(find store/.sallyport/partial | head -n 3)"

echo "- bytes that were damaged are found"
stored=$(stat -c %s store/acct/cont/large.log)
kept=$(stat -c %y store/acct/cont/large.log)
printf x | dd of=store/acct/cont/large.log bs=1 seek=$((stored / 2)) conv=notrunc 2>/dev/null
touch -d "$kept" store/acct/cont/large.log
copy 5 file:store//acct/cont back
grep -q 'digest-mismatch' events || fail "$(cat messages)"
equal "failed" "$(summary items.failed)" 1
[[ ! -e back/large.log ]] || fail "damaged bytes were published"
rm -rf back

echo "- somebody else's zstd stays as it is in a folder, and that is told"
# shellcheck disable=SC2119 # the flags are the server's, not ours
serve
store=${store%/cont}
zstd -q -c src/photo.jpg >foreign
python3 - "$store" <<'EOF'
import sys, urllib.request
def put(url, body, **headers):
    request = urllib.request.Request(url, body, {name.replace("_", "-"): value for name, value in headers.items()}, method="PUT")
    assert urllib.request.urlopen(request).status == 201
put(sys.argv[1] + "/foreign?restype=container", b"")
put(sys.argv[1] + "/foreign/item", open("foreign", "rb").read(), x_ms_blob_type="BlockBlob", x_ms_blob_content_encoding="zstd")
EOF
copy 0 "$store/foreign" back
cmp foreign back/item
grep -q 'Content-Encoding zstd' messages || fail "nobody was told: $(cat messages)"
rm -rf back

echo "- blocks that a server has are not sent again"
rm -rf state
"$sallyport" copy src "$store/killed" --compress zstd --state state --block-size 1MiB --include large.log \
    --bandwidth 6MiB/s --quiet >/dev/null 2>&1 &
victim=$!
python3 - <<'EOF'
import glob, sqlite3, time
deadline = time.monotonic() + 60
while True:
    assert time.monotonic() < deadline, "no block was recorded"
    for plan in glob.glob("state/jobs/*/plan.db"):
        try:
            if sqlite3.connect(plan).execute("SELECT count(*) FROM block").fetchone()[0] >= 8:
                raise SystemExit
        except sqlite3.Error:
            pass
EOF
kill -9 "$victim"
wait "$victim" 2>/dev/null || true
copy 0 src "$store/killed" --compress zstd --block-size 1MiB --include large.log --verify read-back
equal "read back" "$(summary integrity.read_back)" 1
whole=$(python3 -c 'import sys, urllib.request; print(len(urllib.request.urlopen(sys.argv[1]).read()))' "$store/killed/large.log")
(($(summary bytes.sent) < whole - 1000000)) || fail "sent $(summary bytes.sent) of $whole bytes again"

echo "- to a server, and back"
copy 0 src "$store/cont" --compress zstd --verify read-back --receipt remote.jsonl
equal "verified in transit" "$(summary integrity.in_transit)" 225
((sent * 2 > $(summary bytes.sent))) || fail "sent $(summary bytes.sent)"
within 256
"$sallyport" verify remote.jsonl "$store/cont" --key state/keys/site.pub --read-back --state state >/dev/null ||
    fail "the receipt does not fit the server"
copy 0 "$store/cont" back --memory 96MiB
within 96
diff -r src back || fail "what came back from the server differs"
copy 0 src "$store/cont" --compress zstd
equal "copied again" "$(summary items.copied)" 0
python3 - "$store" <<'EOF'
import subprocess, sys, urllib.request
answer = urllib.request.urlopen(sys.argv[1] + "/cont/mixed")
raw = answer.read()
assert answer.headers["Content-Encoding"] == "zstd", answer.headers
original = subprocess.run(["zstd", "-q", "-d", "-c"], input=raw, capture_output=True, check=True).stdout
assert original == open("src/mixed", "rb").read()
assert answer.headers["x-ms-meta-sallyport_size"] == str(len(original)), answer.headers
EOF
