#!/usr/bin/env bash
# Page blobs stay page blobs: from Azurite to the local store and back, with the pages they had and no others, killed in
# the middle, and with another writer in between.
# shellcheck source=tests/e2e/azurite_lib.sh
source "$(dirname "$0")/azurite_lib.sh"

cat >make.py <<'EOF'
import os, sys
MIB = 1 << 20
def write(name, size, *parts):
    os.makedirs(os.path.dirname("src/" + name) or "src", exist_ok=True)
    with open("src/" + name, "wb") as file:
        file.truncate(size)
        for begin, length in parts:
            file.seek(begin)
            file.write(os.urandom(length - 1) + b"x")
write("empty", 0)
write("one-page", 512, (0, 512))
write("small.vhd", 200 * 1024, (0, 512), (150 * 1024, 4096))
write("zeros", 3 * MIB)
write("dense.vhd", 9 * MIB + 512, (0, 9 * MIB + 512))
write("deep/sparse.vhd", 64 * MIB, (0, 4096), (20 * MIB + 65536, 5 * MIB), (64 * MIB - 512, 512))
EOF
python3 make.py

# Everything that the SDK has read (a line per blob) is as in src, of type PageBlob, and only what is not zero is stored.
cat >compare.py <<'EOF'
import hashlib, json, os, sys
seen = {blob["name"]: blob for blob in map(json.loads, open(sys.argv[1], encoding="utf-8"))}
want = {os.path.relpath(os.path.join(folder, name), "src")
        for folder, _, names in os.walk("src") for name in names}
assert set(seen) == want, set(seen) ^ want
for name, blob in seen.items():
    data = open("src/" + name, "rb").read()
    assert blob["type"] == "PageBlob", blob
    assert blob["sha256"] == hashlib.sha256(data).hexdigest(), name
    assert blob["contentType"] == "text/x-test", blob
    assert blob["metadata"]["writer"] == "sdk" and blob["metadata"]["tag"] == "a b", blob
    assert len(blob["metadata"]["sallyport_crc64"]) == 16, blob
    assert "sallyport_state" not in blob["metadata"], blob
    at = 0
    for begin, count in blob["ranges"]:
        assert begin >= at and data[at:begin].count(0) == begin - at, (name, blob["ranges"])
        at = begin + count
        piece = data[begin:at]
        for gap in range(0, len(piece) - 131072, 65536):
            assert piece[gap : gap + 131072].count(0) < 131072, (name, "zeros were sent", begin + gap)
    assert data[at:].count(0) == len(data) - at, name
print(len(seen))
EOF
count=$(find src -type f | wc -l)

echo "- from page blobs of the SDK to the local store, and back to other containers"
# shellcheck disable=SC2119 # the flags are Azurite's, not ours
azurite
sdk pages theirs src
copy 0 "$store/theirs" file:blobs//acct/disks --block-size 1MiB
equal "copied" "$(summary items.copied)" "$count"
diff -r src blobs/acct/disks || fail "the local store differs"
used=$(du -sk blobs/acct/disks/deep/sparse.vhd | cut -f1)
((used < 6 * 1024)) || fail "holes were not kept: $used KiB of 64 MiB are in use"
copy 0 file:blobs//acct/disks "$store/back" --block-size 1MiB
sdk read back >blobs.json
equal "page blobs read by the SDK" "$(python3 compare.py blobs.json)" "$count"
copy 0 file:blobs//acct/disks "$store/larger" --md5 --receipt receipt
equal "page blobs in the receipt" "$(grep -c '"type":"PageBlob"' receipt)" "$count"
equal "in transit" "$(summary integrity.in_transit)" "$count"
sdk read larger >blobs.json
equal "page blobs read by the SDK" "$(python3 compare.py blobs.json)" "$count"
rclone check --download src peer:back 2>rclone.log || fail "rclone: $(cat rclone.log)"

echo "- nothing to do, from store to store, and into a plain folder"
copy 0 file:blobs//acct/disks "$store/back" --block-size 1MiB
equal "unchanged" "$(summary items.unchanged)" "$count"
copy 0 "$store/theirs" "$store/straight" --verify read-back
sdk read straight >blobs.json
equal "page blobs read by the SDK" "$(python3 compare.py blobs.json)" "$count"
copy 0 "$store/back" folder --block-size 1MiB
diff -r src folder || fail "the folder differs"
used=$(du -sk folder/deep/sparse.vhd | cut -f1)
((used <= 9 * 1024)) || fail "holes were not kept: $used KiB of 64 MiB are in use"
copy 0 "$store/theirs" "$store/tiers" --tier Cool
sdk read tiers >blobs.json
! grep -q '"tier":"Cool"' blobs.json || fail "a page blob got a tier"

echo "- replaced by what --overwrite allows only"
sdk put-pages back dense.vhd
copy 0 file:blobs//acct/disks "$store/back" --overwrite never
equal "skipped" "$(left_out)" 1
copy 0 file:blobs//acct/disks "$store/back"
equal "copied" "$(summary items.copied)" 1
sdk read back >blobs.json
equal "page blobs read by the SDK" "$(python3 compare.py blobs.json)" "$count"

# begin_slowly CONTAINER: a copy of one large page blob in the background, once some of it has arrived
begin_slowly() {
    local before deadline=$((SECONDS + 60))
    before=$(du -sk azurite-data | cut -f1)
    "$sallyport" copy file:blobs//acct/large "$store/$1" --state "$work/state" --block-size 1MiB --bandwidth 10MiB/s \
        --json >events 2>messages &
    victim=$!
    until (($(du -sk azurite-data | cut -f1) > before + 12000)); do
        ((SECONDS < deadline)) || fail "nothing arrives"
        kill -0 "$victim" 2>/dev/null || fail "it has ended already: $(cat messages)"
    done
}

echo "- killed in the middle"
rm -rf src
mkdir -p src
head -c 40000000 /dev/urandom >src/large
truncate -s 80000000 src/large
truncate -s 80000512 src/large
sdk pages large src
copy 0 "$store/large" file:blobs//acct/large
begin_slowly killed
kill -9 "$victim"
wait "$victim" 2>/dev/null || true
sdk read killed >blobs.json
grep -q '"sallyport_state":"partial"' blobs.json || fail "it is not said to be unfinished: $(cat blobs.json)"
copy 3 "$store/killed" half
equal "unfinished ones are not copied" "$(grep -c '"code":"item-changed"' events)" 1
copy 0 file:blobs//acct/large "$store/killed" --block-size 1MiB
(($(summary bytes.sent) < 75000000)) || fail "all of it was sent again"
sdk read killed >blobs.json
equal "page blobs read by the SDK" "$(python3 compare.py blobs.json)" 1
copy 0 file:blobs//acct/large "$store/killed" --block-size 1MiB
equal "unchanged" "$(summary items.unchanged)" 1

echo "- what a copy that is forgotten left unfinished is no item"
begin_slowly forgotten
kill -9 "$victim"
wait "$victim" 2>/dev/null || true
copy 0 file:blobs//acct/large "$store/forgotten" --restart --overwrite never
equal "copied" "$(summary items.copied)" 1
sdk read forgotten >blobs.json
equal "page blobs read by the SDK" "$(python3 compare.py blobs.json)" 1

for other in put-pages write; do
    echo "- another writer in the middle: $other"
    mkdir -p other
    echo other >other/large
    begin_slowly "taken-$other"
    if [[ "$other" == write ]]; then sdk write "taken-$other" other; else sdk put-pages "taken-$other" large; fi
    code=0
    wait "$victim" || code=$?
    equal "exit" "$code" 3
    grep -q '"code":"other-writer"' events || fail "no other-writer: $(cat events)"
    sdk read "taken-$other" >blobs.json
    if [[ "$other" == write ]]; then want='"type":"BlockBlob"'; else want='"ranges":\[\[0,512\]\]'; fi
    grep -q "$want" blobs.json || fail "the other's blob is not as it was: $(cat blobs.json)"
done
