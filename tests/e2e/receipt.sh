#!/usr/bin/env bash
# Receipts: what they say is what was stored, anyone can check it, and nobody can change it.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

# verify WANTED_EXIT RECEIPT ARGUMENT...
verify() {
    local want=$1 code=0
    shift
    "$sallyport" verify "$1" file:store//acct/cont/in --state "$work/state" --json "${@:2}" \
        >events 2>messages || code=$?
    [[ "$code" -eq "$want" ]] || fail "verify $*: exit $code, want $want: $(cat messages)"
    equal "last event" "$(tail -n 1 events | field type)" exit
}

mkdir -p src/folder
echo one >src/one
echo two >"src/folder/t w o"
head -c 5000000 /dev/urandom >src/folder/large
: >src/empty
touch "$(printf 'src/not-utf8-\xff')"
copy 0 src file:store//acct/cont/in --block-size 1MiB --receipt receipt.jsonl --md5
equal "the summary names it" "$(summary receipt)" receipt.jsonl
key=state/keys/site.pub
equal "mode of the private key" "$(stat -c %a state/keys/site.key)" 600

# Anyone can check the signature without us.
python3 - <<'EOF'
import base64, hashlib, json
raw = open("receipt.jsonl", "rb").read()
lines = raw.split(b"\n")
assert lines[-1] == b"", "the last line ends with a newline"
end = json.loads(lines[-2])
body = b"\n".join(lines[:-2]) + b"\n"
digest = hashlib.sha256(body).digest()
assert digest.hex() == end["sha256"], "SHA-256 of all lines before the last"
assert end["count"] == len(lines) - 3 == 5, "items are counted"
open("digest", "wb").write(digest)
open("signature", "wb").write(base64.b64decode(end["signature"]))
items = {json.dumps(item["path"]): item for item in map(json.loads, lines[1:-2])}
one = items['"one"']
assert one["size"] == 4 and one["blob"] == "in/one" and one["type"] == "BlockBlob", one
assert one["md5"] == hashlib.md5(b"one\n").hexdigest(), one
assert len(one["crc64"]) == 16 and len(one["xxh3"]) == 32, one
assert items['"folder/large"']["block_size"] == 1 << 20
EOF
openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in digest -sigfile signature >/dev/null ||
    fail "openssl does not accept the signature"

verify 0 receipt.jsonl --key "$key"
verify 0 receipt.jsonl --key "$key" --read-back
equal "read back" "$(summary items.read_back)" 5

# Whatever is changed in it is found.
sed 's/"size":4/"size":5/' receipt.jsonl >edited
sed '2d' receipt.jsonl >shortened
sed '$d' receipt.jsonl >cut-off
head -c -1 receipt.jsonl >torn
(sed '$d' receipt.jsonl | awk 'NR == 2 {kept = $0; next} {print} NR == 3 {print kept}' && tail -n 1 receipt.jsonl) >reordered
(cat receipt.jsonl && sed -n 2p receipt.jsonl) >extended
(sed '$d' receipt.jsonl && sed -n 2p receipt.jsonl && tail -n 1 receipt.jsonl) >doubled
: >empty
head -c 200000 /dev/zero | tr '\0' x >noise
for forged in edited shortened cut-off torn reordered extended doubled empty noise; do
    verify 5 "$forged" --key "$key"
    grep -q receipt-invalid messages || fail "$forged: $(cat messages)"
done
openssl genpkey -algorithm ed25519 -out other.key 2>/dev/null
openssl pkey -in other.key -pubout -out other.pub
verify 5 receipt.jsonl --key other.pub
verify 8 receipt.jsonl --key missing.pub
verify 8 missing.jsonl --key "$key"
verify 2 receipt.jsonl

# What the store lost or changed is found; a change behind its back only by reading.
kept=$(stat -c %y store/acct/cont/in/folder/large)
printf x | dd of=store/acct/cont/in/folder/large bs=1 seek=4000000 conv=notrunc 2>/dev/null
touch -d "$kept" store/acct/cont/in/folder/large
verify 5 receipt.jsonl --key "$key" --read-back
grep -q '"code":"verify-mismatch"' events || fail "a flipped byte was not found"

# A file that was changed without care has no checksum any more that could be compared: it is read.
printf 2 | dd of=store/acct/cont/in/one bs=1 conv=notrunc 2>/dev/null
verify 5 receipt.jsonl --key "$key"
grep -q "'one' reads back as" events || fail "a changed file was not read: $(cat events)"
# Whoever checks needs no state of ours, and leaves nothing.
mkdir checker
HOME=$work/nowhere XDG_STATE_HOME='' TMPDIR=$work/checker "$sallyport" verify receipt.jsonl \
    file:store//acct/cont/in --key "$key" >/dev/null 2>messages && fail "the change was not found"
grep -q verify-mismatch messages || fail "without a state folder: $(cat messages)"
equal "left behind" "$(ls checker)" ""
rm store/acct/cont/in/one
verify 5 receipt.jsonl --key "$key"
grep -q '"code":"verify-missing"' events || fail "a removed item was not found"
grep -q '"path":"one"' events || fail "it is not named"

# A copy that was killed and went on has all items in its receipt, and so has one with nothing to do.
rm -rf store state
mkdir many
for i in $(seq 300); do echo "$i" >"many/$i"; done
head -c 300000000 /dev/urandom >many/large
"$sallyport" copy many file:store//acct/cont/in --state "$work/state" --quiet 2>/dev/null >&2 &
victim=$!
deadline=$((SECONDS + 20))
until [[ -n $(find store -type f -size +10M -print -quit 2>/dev/null) ]]; do
    ((SECONDS < deadline)) || fail "nothing was written"
done
kill -9 "$victim"
wait "$victim" 2>/dev/null || true
copy 0 many file:store//acct/cont/in --receipt resumed.jsonl
equal "items in the resumed receipt" "$(tail -n 1 resumed.jsonl | field count)" 301
verify 0 resumed.jsonl --key "$key" --read-back
copy 0 many file:store//acct/cont/in --receipt again.jsonl
equal "copied again" "$(summary items.copied)" 0
equal "items in the receipt of nothing to do" "$(tail -n 1 again.jsonl | field count)" 301
verify 0 again.jsonl --key "$key" --read-back
