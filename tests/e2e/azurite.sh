#!/usr/bin/env bash
# What is uploaded is read back by other clients, and what they wrote is downloaded: Azurite, the Azure SDK for
# JavaScript, rclone.
# shellcheck source=tests/e2e/azurite_lib.sh
source "$(dirname "$0")/azurite_lib.sh"

mkdir -p "src/deep/$(printf 'd%.0s/' {1..60})" src/plain
printf 'page' >src/page.html
printf '{}' >src/data.json
printf 'x' >src/one-byte
: >src/empty
printf 'n' >"src/name with 'quotes' \"and\" % + # ? & = ; ~ é 漢字"
printf 'l' >"src/$(printf 'l%.0s' {1..255})"
printf 'd' >"src/deep/$(printf 'd%.0s/' {1..60})leaf"
head -c 1048576 /dev/urandom >src/one-block
head -c 3500000 /dev/urandom >src/several-blocks
for i in $(seq 60); do printf '%s' "$i" >"src/plain/$i.txt"; done
touch -d '2021-02-03T04:05:06.123456789Z' src/page.html
count=$(find src -type f | wc -l)

# expect_same FILE: what the SDK has read (a line per blob, in FILE) is the tree src
cat >compare.py <<'EOF'
import hashlib, json, os, sys
path, prefix, md5 = sys.argv[1:4]
seen = {}
for line in open(path, encoding="utf-8"):
    blob = json.loads(line)
    seen[blob["name"]] = blob
want = {}
for folder, _, files in os.walk("src"):
    for name in files:
        full = os.path.join(folder, name)
        want[prefix + os.path.relpath(full, "src")] = full
assert set(seen) == set(want), (set(seen) ^ set(want))
types = {".html": "text/html", ".json": "application/json", ".txt": "text/plain"}
for name, full in want.items():
    data = open(full, "rb").read()
    blob = seen[name]
    assert blob["size"] == len(data), name
    assert blob["sha256"] == hashlib.sha256(data).hexdigest(), name
    assert blob["contentType"] == types.get(os.path.splitext(name)[1], "application/octet-stream"), blob
    assert len(blob["metadata"]["sallyport_crc64"]) == 16, blob
    assert len(blob["metadata"]["sallyport_job"]) == 32, blob
    if md5 == "md5" and len(data) <= 1 << 20:
        assert blob["contentMD5"] == hashlib.md5(data).hexdigest(), blob
assert seen[prefix + "page.html"]["metadata"]["mtime"] == "2021-02-03T04:05:06.123456789Z"
EOF

echo "- strict Azurite refuses our checksum header: MD5 goes instead"
azurite
copy 0 src "$store/first/in/here" --block-size 1MiB --md5
equal "in transit" "$(summary integrity.in_transit)" "$count"
sdk read first >blobs
python3 compare.py blobs in/here/ md5
rclone check --download src peer:first/in/here 2>rclone.log || fail "rclone: $(cat rclone.log)"

echo "- nothing to do, then only what changed"
copy 0 src "$store/first/in/here" --block-size 1MiB --md5
equal "copied" "$(summary items.copied)" 0
equal "unchanged" "$(summary items.unchanged)" "$count"
echo changed >src/plain/7.txt
copy 0 src "$store/first/in/here" --block-size 1MiB --md5
equal "copied" "$(summary items.copied)" 1

echo "- back again"
copy 0 "$store/first/in/here" back
diff -r src back || fail "the download differs"
equal "time of page.html" "$(stat -c %y back/page.html)" "$(stat -c %y src/page.html)"
rm -rf back

echo "- compressed on its way, and undone on the way back"
mkdir texts
seq 900000 >texts/large
for i in $(seq 20); do seq "$i" 900 >"texts/$i"; done
copy 0 texts "$store/packed" --compress zstd --block-size 1MiB --md5 --verify read-back
equal "read back" "$(summary integrity.read_back)" 21
(($(summary bytes.sent) * 2 < $(summary bytes.copied))) || fail "sent $(summary bytes.sent)"
copy 0 "$store/packed" back
diff -r texts back || fail "what was compressed came back otherwise"
rm -rf back texts

echo "- a folder is no string prefix, a blob's name is one item"
copy 0 src/plain "$store/first/in/here-too"
copy 0 "$store/first/in/here" back --verify read-back
equal "items" "$(summary items.total)" "$count"
copy 0 "$store/first/in/here/page.html" one
equal "items" "$(summary items.total)" 1
cmp src/page.html one/page.html
copy 9 "$store/first/in/he" none
rm -rf back one

echo "- names that the store cannot hold are failed items"
mkdir bad
touch 'bad/back\slash' "$(printf 'bad/new\nline')" "$(printf 'bad/not-utf8-\xff')" bad/fine
copy 3 bad "$store/bad"
equal "copied" "$(summary items.copied)" 1
equal "failed" "$(summary items.failed)" 3
equal "codes" "$(grep -c '"code":"name-illegal"' events)" 3

echo "- a dry run makes nothing"
copy 0 src "$store/dry-run" --dry-run
sdk containers >names
! grep -qx dry-run names || fail "a dry run made the container"

echo "- what --overwrite says"
mkdir small
echo old >small/file
copy 0 small "$store/over"
echo newer >small/file
copy 0 small "$store/over" --overwrite never
equal "skipped" "$(left_out)" 1
touch -d 2001-01-01 small/file
copy 0 small "$store/over" --overwrite if-newer
equal "skipped" "$(left_out)" 1
copy 0 small "$store/over" --overwrite always
equal "copied" "$(summary items.copied)" 1
copy 0 small "$store/over" --overwrite always
equal "copied" "$(summary items.copied)" 1

echo "- tiers"
copy 0 src/plain "$store/cool" --tier Cool
sdk read cool >blobs
equal "cool blobs" "$(grep -c '"tier":"Cool"' blobs)" 60
copy 2 src/plain folder --tier Cool

echo "- zeros from a store are holes at a folder"
mkdir holes
truncate -s 40M holes/empty
cp holes/empty holes/island
echo island | dd of=holes/island bs=1M seek=17 conv=notrunc status=none
copy 0 holes "$store/holes"
copy 0 "$store/holes" holes-back
diff -r holes holes-back
(($(du -sk holes-back | cut -f1) < 8192)) || fail "holes were not kept: $(du -sk holes-back)"
rm -r holes holes-back

echo "- killed in the middle of a blob"
mkdir killed
head -c 60000000 /dev/urandom >killed/large
before=$(du -sk azurite-data | cut -f1)
"$sallyport" copy killed "$store/killed" --state "$work/state" --block-size 1MiB --bandwidth 20MiB/s \
    --quiet >/dev/null 2>&1 &
victim=$!
deadline=$((SECONDS + 60))
until (($(du -sk azurite-data | cut -f1) > before + 25000)); do
    ((SECONDS < deadline)) || fail "nothing arrives"
    kill -0 "$victim" 2>/dev/null || break
done
kill -9 "$victim" 2>/dev/null || true
wait "$victim" 2>/dev/null || true
copy 0 killed "$store/killed" --block-size 1MiB
(($(summary bytes.sent) < 60000000)) || fail "all of it was sent again"
copy 0 "$store/killed" back
cmp killed/large back/large
rm -rf back

echo "- other clients' blobs"
mkdir -p theirs/sub
printf 'small' >theirs/small
: >theirs/nothing
head -c 2500000 /dev/urandom >theirs/sub/large
touch -d '2019-08-07T06:05:04Z' theirs/small
sdk write sdk theirs
copy 0 "$store/sdk" back
diff -r theirs back || fail "the SDK's blobs differ"
rm -rf back
rclone copy theirs peer:rclone 2>rclone.log || fail "rclone: $(cat rclone.log)"
copy 0 "$store/rclone" back
diff -r theirs back || fail "rclone's blobs differ"
equal "time that rclone kept" "$(stat -c %Y back/small)" "$(stat -c %Y theirs/small)"
rm -rf back

echo "- from store to store, with what other clients kept"
copy 0 "$store/sdk" "$store/sdk-copy"
sdk read sdk-copy >blobs
equal "metadata kept" "$(grep -c '"writer":"sdk","tag":"a b"\|"tag":"a b","writer":"sdk"' blobs)" 3
equal "content types kept" "$(grep -c '"contentType":"text/x-test"' blobs)" 3

echo "- credentials"
sas=$(sdk sas sas)
signature=${sas#*sig=}
signature=${signature%%&*}
sdk write sas theirs
(
    unset AZURE_STORAGE_KEY
    copy 0 "$store/sas?$sas" back
    diff -r theirs back || fail "with a SAS the download differs"
    copy 0 theirs "$store/sas/up?$sas" --log-level debug
    ! grep -rqF "$signature" events messages state || fail "the signature of the SAS was written down"
    AZURE_STORAGE_CONNECTION_STRING=$connection copy 0 theirs "$store/connection"
    copy 7 theirs "$store/nobody"
    grep -q 'no credentials' messages || fail "the message does not say so: $(cat messages)"
    AZURE_STORAGE_KEY=$(printf 'wrong' | base64) copy 7 theirs "$store/wrong"
    grep -q 'store-auth' messages || fail "no store-auth: $(cat messages)"
    printf 'secret-token' >token
    chmod 600 token
    AZURE_STORAGE_TOKEN_FILE=$work/token copy 8 theirs http://192.0.2.1/account/container
    grep -q 'use https' messages || fail "a token would be sent over http: $(cat messages)"
    ! grep -q 'secret-token' messages events || fail "the token was written down"
)

echo "- loose Azurite knows no checksum: nothing counts as verified, unless MD5 is asked for"
azurite --loose
copy 0 src/plain "$store/loose"
equal "unverifiable" "$(summary integrity.unverifiable)" 60
copy 0 src/plain "$store/loose-md5" --md5
equal "in transit" "$(summary integrity.in_transit)" 60
