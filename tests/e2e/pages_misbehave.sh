#!/usr/bin/env bash
# A store that errs, lies or is somebody else's for a moment while page blobs are sent: whatever has its name and is
# not said to be unfinished is right, and a later run with a sound store loses nothing.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

# pages put|check|state: the page blobs of the store, by Python's own HTTP client
cat >pages.py <<'EOF'
import http.client, os, random, sys, urllib.parse
verb, address = sys.argv[1:3]
url = urllib.parse.urlsplit(address)
connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
MIB = 1 << 20
def ask(method, path, body=None, **headers):
    connection.request(method, path, body, {key.replace("_", "-"): value for key, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()
def content(name):
    chance = random.Random(name)
    size = {"small": 512 * 40, "zeros": 3 * MIB, "large": 12 * MIB + 512}.get(name, 512 * chance.randrange(1, 100))
    data = bytearray(size)
    if name != "zeros":
        for _ in range(3 if name != "large" else 10):
            at = chance.randrange(size)
            piece = chance.randbytes(min(size - at, 700_000))
            data[at:at + len(piece)] = piece
    return bytes(data)
NAMES = ["small", "zeros", "large"] + [f"disk-{i}" for i in range(12)]
for name in NAMES:
    path, data = f"{url.path}/{name}", content(name)
    if verb == "put":
        if name == NAMES[0]:
            assert ask("PUT", url.path + "?restype=container")[0] == 201
        status, _, _ = ask("PUT", path, b"", x_ms_blob_type="PageBlob", x_ms_blob_content_length=str(len(data)))
        assert status == 201, status
        for at in range(0, len(data), 65536):
            piece = data[at:at + 65536]
            if piece.count(0) < len(piece):
                status, _, _ = ask("PUT", path + "?comp=page", piece, x_ms_page_write="update",
                                   x_ms_range=f"bytes={at}-{at + len(piece) - 1}")
                assert status == 201, status
        continue
    status, headers, body = ask("GET", path)
    if verb == "right" and (status == 404 or headers["x-ms-meta-sallyport_state"] == "partial"):
        continue # not there, and said so
    assert status == 200, (name, status)
    assert headers["x-ms-meta-sallyport_state"] is None, name
    assert headers["x-ms-blob-type"] == "PageBlob", name
    assert headers["x-ms-blob-sequence-number"] == "0", name
    assert body == data, name
EOF
# all: everything is there; right: whatever is there is right
check() {
    python3 pages.py "$1" "$store" || fail "what is stored is wrong"
}

cat >quick.conf <<'EOF'
[retry]
give-up-after = 20s
delay-min = 10ms
delay-max = 40ms
[http]
connect-timeout = 1s
idle-timeout = 500ms
EOF
quick=(--config quick.conf --block-size 1MiB)
serve
python3 pages.py put "$store"
copy 0 "$store" file:blobs//acct/disks "${quick[@]}"
count=$(summary items.total)

# trouble EXIT FAULT...: a copy to a store with these faults, which leaves nothing wrong
trouble() {
    local want=$1 arguments=()
    shift
    for fault in "$@"; do arguments+=(--fault "$fault"); done
    serve "${arguments[@]}"
    copy "$want" file:blobs//acct/disks "$store" "${quick[@]}" --restart
    if [[ "$want" -eq 0 ]]; then check all; else check right; fi
}

echo "- a sound store"
trouble 0
equal "in transit" "$(summary integrity.in_transit)" "$count"

echo "- storms, cuts and lost answers"
trouble 0 busy:after=5:count=40 error:every=7:count=5
trouble 0 reset:every=5:count=12
trouble 0 lost-answer:every=4:count=15
equal "copied" "$(summary items.copied)" "$count"
trouble 0 lost-answer:verb=put-page:every=3:count=10 lost-answer:verb=set-blob:every=3:count=6
equal "copied" "$(summary items.copied)" "$count"

echo "- checksums that say otherwise, are missing, or are refused"
trouble 5 wrong-crc:verb=put-page:every=6
grep -q '"code":"digest-mismatch"' events || fail "no digest-mismatch"
accounted
trouble 0 no-crc
trouble 0 refuse-crc
equal "in transit by MD5" "$(summary integrity.in_transit)" "$count"

echo "- another writer"
for after in 1 5 9 14 20; do
    serve --fault "steal:verb=put-page:after=$after:count=1"
    copy 3 file:blobs//acct/disks "$store" "${quick[@]}" --restart --lanes 1
    equal "other writers noticed" "$(grep -c '"code":"other-writer"' events)" 1
    equal "failed" "$(summary items.failed)" 1
done

echo "- stopped in the middle, and ended by the next run"
serve --fault full:verb=put-page:after=9:count=1
copy 13 file:blobs//acct/disks "$store" "${quick[@]}" --restart
check right
copy 0 file:blobs//acct/disks "$store" "${quick[@]}"
check all

echo "- a page blob whose length is no multiple of 512 is refused before anything is sent"
printf x >>blobs/acct/disks/small
python3 - blobs <<'EOF'
import os, sqlite3, sys
path = sys.argv[1] + "/acct/disks/small"
status = os.stat(path)
index = sqlite3.connect(sys.argv[1] + "/.sallyport/blobs.db")
seconds, ns = divmod(status.st_mtime_ns, 10**9)
etag = f"{status.st_ino:x}-{status.st_size:x}-{seconds:x}.{ns:x}"
index.execute("UPDATE blob SET etag=?, stored_bytes=?, stored_ns=?, original=?, crc64=NULL WHERE key=?",
              (etag, status.st_size, status.st_mtime_ns, status.st_size, b"acct/disks/small"))
index.commit()
EOF
copy 3 file:blobs//acct/disks "$store" "${quick[@]}"
equal "codes" "$(grep -c '"code":"item-alignment"' events)" 1
copy 3 file:blobs//acct/disks "$store" "${quick[@]}" --dry-run
equal "codes of a dry run" "$(grep -c '"code":"item-alignment"' events)" 1
check all
