#!/usr/bin/env bash
# A device of two accounts and a resource group goes to Azurite, and other clients read it back: kinds, bytes, pages, tiers,
# and the logs.
# shellcheck source=tests/e2e/azurite_lib.sh
source "$(dirname "$0")/azurite_lib.sh"

cat >make.py <<'EOF'
import os, struct
MIB = 1 << 20
def write(name, size, *parts):
    path = "dev/" + name
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.truncate(size)
        for begin, length in parts:
            file.seek(begin)
            file.write(os.urandom(length - 1) + b"x")
def vhd(name, size):
    write(name, size + 512, (MIB, 4096), (size - 4096, 4096))
    footer = bytearray(struct.pack(">8sIIQI4sI4sQQHBBI", b"conectix", 2, 0x10000, 2**64 - 1, 0, b"test", 0, b"test", size, size,
                                   1, 1, 1, 2).ljust(512, b"\0"))
    struct.pack_into(">I", footer, 64, ~sum(footer) & 0xffffffff)
    with open("dev/" + name, "r+b") as file:
        file.seek(size)
        file.write(footer)
write("first_BlockBlob/Cool/docs/one.txt", 1000, (0, 1000))
write("first_BlockBlob/Cool/docs/sub/deep.bin", 5 * MIB + 7, (0, 5 * MIB + 7))
write("first_BlockBlob/Hot/media/empty", 0)
write("first_BlockBlob/plain/a b&c.txt", 10, (0, 10))
write("first_BlockBlob/plain/\u00fcml\u00e4ut", 11, (0, 11))
write("first_PageBlob/pages/sparse", 8 * MIB, (0, 512), (4 * MIB, 70000))
write("first_PageBlob/pages/zeros", 2 * MIB)
write("second_BlockBlob/other/file", 300000, (0, 300000))
vhd("group_MDisk/PremiumSSD/disk.vhd", 24 * MIB)
EOF
python3 make.py
"$sallyport" manifest dev --state "$work/state" --quiet >/dev/null

# A container is what a folder of dev is: kind, tier, bytes and pages as the SDK sees them.
cat >compare.py <<'EOF'
import hashlib, json, os, sys
folder, kind, tier = sys.argv[1:4]
seen = {blob["name"]: blob for blob in map(json.loads, open("blobs.json", encoding="utf-8"))}
root = os.path.join("dev", folder)
want = {os.path.relpath(os.path.join(at, name), root) for at, _, names in os.walk(root) for name in names}
assert set(seen) == want, set(seen) ^ want
for name, blob in seen.items():
    data = open(os.path.join(root, name), "rb").read()
    assert blob["type"] == kind, blob
    assert tier == "-" or blob["tier"] == tier, blob
    assert blob["sha256"] == hashlib.sha256(data).hexdigest(), name
    assert len(blob["metadata"]["sallyport_crc64"]) == 16 and "sallyport_state" not in blob["metadata"], blob
    at = stored = 0
    for begin, count in blob["ranges"] or []:
        assert data[at:begin].count(0) == begin - at, (name, blob["ranges"])
        at = begin + count
        stored += count
    if kind == "PageBlob":
        assert data[at:].count(0) == len(data) - at, name
        assert stored < len(data) / 2, (name, blob["ranges"])
EOF

export AZURITE_ACCOUNTS="first:$key;second:$key;group:$key"
# shellcheck disable=SC2119 # the flags are Azurite's, not ours
azurite
base="http://127.0.0.1:$port"
ends=(--account "first=$base/first" --account "second=$base/second" --account "group=$base/group")
unset RCLONE_CONFIG_PEER_USE_EMULATOR RCLONE_CONFIG_PEER_ENDPOINT

# look ACCOUNT [CONTAINER]: what the SDK, and rclone in that container, see from now on
look() {
    connection="DefaultEndpointsProtocol=http;AccountName=$1;AccountKey=$key;BlobEndpoint=$base/$1;"
    if [[ $# -gt 1 ]]; then
        RCLONE_CONFIG_PEER_SAS_URL="$base/$1/$2?$(sdk sas "$2")"
        export RCLONE_CONFIG_PEER_SAS_URL
    fi
}

# same ACCOUNT CONTAINER FOLDER KIND TIER: what is there is what the device has
same() {
    look "$1" "$2"
    sdk read "$2" >blobs.json
    python3 compare.py "${@:3}" || fail "$1/$2 is not as it should be: $(cat blobs.json)"
    rclone check --download "dev/$3" "peer:$2" 2>rclone.log || fail "rclone: $(cat rclone.log)"
}

# verify EXIT [ARGUMENT...]
verify() {
    local want=$1 code=0
    shift
    "$sallyport" verify receipt "${ends[@]}" --key state/keys/site.pub "$@" >checked 2>messages || code=$?
    equal "exit of verify" "$code" "$want"
}

echo "- file shares are refused before anything moves"
mkdir -p dev/first_AzFile/share
echo x >dev/first_AzFile/share/x
copy 8 dev "${ends[@]}" --manifest build
grep -q "file share 'share' of account 'first'" messages || fail "what: $(cat messages)"
for name in first second group; do
    look "$name"
    equal "containers of $name" "$(sdk containers)" ""
done
rm -r dev/first_AzFile

echo "- every share to its account: kinds, tiers, bytes, pages"
copy 0 dev "${ends[@]}" --tiers --block-size 1MiB --verbose-log --receipt receipt
equal "compared with the manifest" "$(summary integrity.manifest)" 9
equal "in transit" "$(summary integrity.in_transit)" 9
accounted
logs=$(summary logs)
job=$(tail -n 2 events | head -n 1 | field job)
same first docs first_BlockBlob/Cool/docs BlockBlob Cool
same first media first_BlockBlob/Hot/media BlockBlob Hot
same first plain first_BlockBlob/plain BlockBlob -
same first pages first_PageBlob/pages PageBlob -
same second other second_BlockBlob/other BlockBlob -
same group premiumssd group_MDisk/PremiumSSD PageBlob -

echo "- with the logs in each account"
for name in first second group; do
    for container in databoxcopylog azuredatabox-chainofcustodylogs; do
        look "$name" "$container"
        rclone copy "peer:$container" "fetched/$name/$container" 2>rclone.log || fail "rclone: $(cat rclone.log)"
    done
    diff -r "fetched/$name" "$logs/$name" || fail "the logs of $name differ"
    [[ -s "fetched/$name/databoxcopylog/copy_dev_CopyLog_$job.xml" ]] || fail "$name has no log"
done
cmp "fetched/group/azuredatabox-chainofcustodylogs/$job/dev/group_MDisk-BOM.txt" dev/BOM/group_MDisk-BOM.txt ||
    fail "the list of files differs"
look first
sdk read databoxcopylog >blobs.json
equal "logs that are XML" "$(grep -c '"contentType":"application/xml"' blobs.json)" 2

echo "- the receipt is what is there; nothing is left to do"
verify 0 --read-back
grep -q "read back 9" checked || fail "$(cat checked)"
copy 0 dev "${ends[@]}" --tiers --block-size 1MiB
equal "unchanged" "$(summary items.unchanged)" 9
sdk put-pages pages zeros
verify 5
grep -q "first/pages/zeros" messages || fail "which: $(cat messages)"

echo "- killed in the middle, and gone on with"
rm -rf dev
mkdir -p dev/first_BlockBlob/more
for i in $(seq 6); do head -c 6000000 /dev/urandom >"dev/first_BlockBlob/more/$i"; done
before=$(du -sk azurite-data | cut -f1)
"$sallyport" copy dev "${ends[@]}" --manifest build --state "$work/state" --block-size 1MiB --bandwidth 6MiB/s --lanes 1 \
    --json >killed 2>/dev/null &
victim=$!
deadline=$((SECONDS + 60))
until (($(du -sk azurite-data | cut -f1) > before + 12000)); do
    ((SECONDS < deadline)) || fail "nothing arrives"
    kill -0 "$victim" 2>/dev/null || fail "it has ended already"
done
kill -9 "$victim"
wait "$victim" 2>/dev/null || true
copy 4 dev "${ends[@]}" --manifest build --block-size 1MiB
(($(summary bytes.resumed) > 0)) || fail "nothing was resumed"
same first more first_BlockBlob/more BlockBlob -
