#!/usr/bin/env bash
# Manifests of a device tree: every name, every sum, checked by readers and sums that are not ours.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

# manifest WANTED_EXIT ARGUMENT...: its events are in ./events, its messages in ./messages
manifest() {
    local want=$1 code=0
    shift
    "$sallyport" manifest --json "$@" >events 2>messages || code=$?
    [[ "$code" -eq "$want" ]] || fail "manifest $*: exit $code, want $want: $(cat messages)"
    equal "last event" "$(tail -n 1 events | field type)" exit
    equal "event before it" "$(tail -n 2 events | head -n 1 | field type)" summary
}

python3 - <<'PY'
import os
root = b"device/"
files = {
    b"acct_BlockBlob/c1/plain.txt": b"Hello World",
    b"acct_BlockBlob/c1/empty": b"",
    b"acct_BlockBlob/c1/a&b <c> ]]> \"q\" 'p'": b"x" * 1000,
    b"acct_BlockBlob/c1/back\\slash": b"1",
    b"acct_BlockBlob/c1/line\nbreak": b"2",
    b"acct_BlockBlob/c1/not-utf8-\xff\xfe": b"3",
    b"acct_BlockBlob/c1/ blanks ": b"4",
    b"acct_BlockBlob/c1/tab\t\x01\x7f": b"5",
    b"acct_BlockBlob/c1/\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80": b"6",
    b"acct_BlockBlob/c1/\xef\xbf\xbf": b"7",
    b"acct_BlockBlob/c1/\xc2\x85": b"8",
    b"acct_BlockBlob/c1/&amp;&#65;": b"9",
    b"acct_BlockBlob/Hot/c2/deep/er/file": bytes(range(256)) * 40000,
    b"acct_BlockBlob/at-root": b"a",
    b"acct_PageBlob/c/page": bytes(1024),
    b"acct_AzFile/share/check": b"123456789",
    b"rg_MDisk/PremiumSSD/ones": b"1" * 4096,
    b"Backup/elsewhere": b"no share",
    b"lost+found/x": b"no data",
}
for name, data in files.items():
    os.makedirs(os.path.dirname(root + name), exist_ok=True)
    open(root + name, "wb").write(data)
with open(root + b"acct_BlockBlob/c1/sparse", "wb") as sparse:
    sparse.truncate(9000000)
    sparse.seek(5000000)
    sparse.write(b"data")
os.makedirs(root + b"empty_BlockBlob/c")
PY

cat >check.py <<'PY'
"""Each manifest has each file of its share once, in order, with the size and the sum of its bytes."""
import base64, os, re, sys, xml.etree.ElementTree

def sum_table():
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x9A6C9329AC4BC9B5 if crc & 1 else 0)
        yield crc

TABLE = list(sum_table())

def crc64(data):
    crc = 0xFFFFFFFFFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFFFFFFFFFF

assert crc64(b"123456789") == 0xAE8B14860A799888

def listed(path):
    for line in open(path, "rb").read().split(b"\n")[:-1]:
        element = xml.etree.ElementTree.fromstring(line)
        assert element.tag == "file" and re.fullmatch("0x[0-9a-f]{16}", element.get("crc64")), line
        if element.get("name_encoding") == "Base64":
            name = base64.b64decode(element.text, validate=True)
            assert name.startswith(b"/"), line
        else:
            name = element.text.encode().replace(b"\\", b"/")
        yield name[1:], int(element.get("size")), int(element.get("crc64"), 16)

def held(share):
    for folder, folders, files in os.walk(share):
        for name in files:
            path = os.path.join(folder, name)
            data = open(path, "rb").read()
            yield os.path.relpath(path, share), len(data), crc64(data)

folder, root, wanted = sys.argv[1], sys.argv[2], dict(pair.split("=") for pair in sys.argv[3:])
assert sorted(os.listdir(folder)) == sorted(wanted), (os.listdir(folder), wanted)
for manifest, share in wanted.items():
    got = list(listed(os.path.join(folder, manifest)))
    want = sorted(held(os.path.join(root, share).encode()), key=lambda row: row[0].split(b"/"))
    assert got == want, (manifest, got, want)
PY

all=(acct_BlockBlob.txt=acct_BlockBlob acct_PageBlob.txt=acct_PageBlob acct_AzFile-BOM.txt=acct_AzFile
    rg_MDisk-BOM.txt=rg_MDisk)
manifest 0 device
python3 check.py device/BOM device "${all[@]}"
equal "manifests" "$(summary files_written)" 4
equal "items" "$(summary items.total)" 18
equal "entries that are no share" "$(summary items.skipped)" 1
equal "status" "$(summary status)" Completed

# Any XML reader can read a line.
while IFS= read -r line; do
    printf '%s' "$line" | xmllint --recover --noout - 2>xml-errors || fail "xmllint: $line: $(cat xml-errors)"
    [[ ! -s xml-errors ]] || fail "xmllint: $line: $(cat xml-errors)"
done < <(cat device/BOM/*)

# Twice is the same, also elsewhere and as tiers, and for people.
cp -r device/BOM first
manifest 0 device --output elsewhere/ --tiers --sku heavy
diff -r first elsewhere
"$sallyport" manifest device --output elsewhere >text 2>messages
grep -q '4 manifests written: 18 files' text || fail "summary for people: $(cat text)"

# A disk's shares have other names.
mkdir -p disk/BlockBlob/c disk/AzureFile/s disk/DataBoxDiskImport
echo a >disk/BlockBlob/c/a
echo b >disk/AzureFile/s/b
echo c >disk/DriveManifest.xml
manifest 0 disk --sku disk
python3 check.py disk/BOM disk BlockBlob.txt=BlockBlob AzureFile-BOM.txt=AzureFile

# Links and special files are told and left out.
ln -s /etc/passwd device/acct_PageBlob/c/link
mkfifo device/acct_PageBlob/c/pipe
manifest 3 device
diff -r first device/BOM
grep -q '"path":"acct_PageBlob/c/link".*"code":"item-special"' events || fail "the link was not told"
equal "failed" "$(summary items.failed)" 2
rm device/acct_PageBlob/c/link device/acct_PageBlob/c/pipe

# Nothing to do, nowhere, nowhere to write, and a second run at a time.
mkdir -p empty/a_BlockBlob
manifest 9 empty
[[ ! -e empty/BOM ]] || fail "a folder was made for nothing"
manifest 13 missing
manifest 2
manifest 3 device --output device/acct_BlockBlob/c1
exec 9<device/BOM
flock 9
manifest 6 device
exec 9<&-

# Interrupted: soon, and no half manifest.
rm -rf device/BOM
mkdir -p device/z_BlockBlob/c
for i in 1 2 3 4; do head -c 400000000 /dev/zero >"device/z_BlockBlob/c/$i"; done
for signal in INT TERM; do
    rm -rf device/BOM
    "$sallyport" manifest device --json >events 2>messages &
    victim=$!
    deadline=$((SECONDS + 20))
    until [[ -e device/BOM/rg_MDisk-BOM.txt || ! -d /proc/$victim ]]; do
        ((SECONDS < deadline)) || fail "no manifest was written"
    done
    kill -"$signal" "$victim" 2>/dev/null || true
    began=$SECONDS
    code=0
    wait "$victim" || code=$?
    ((SECONDS - began <= 2)) || fail "it took $((SECONDS - began)) s to end"
    [[ -z $(find device/BOM -name '*.partial') ]] || fail "half a manifest was left"
    [[ "$code" -ne 0 || -e device/BOM/z_BlockBlob.txt ]] || fail "done without its last manifest"
    [[ "$code" -eq 0 || ! -e device/BOM/z_BlockBlob.txt ]] || fail "exit $code and all manifests"
    [[ "$code" =~ ^(0|130|143)$ ]] || fail "exit $code: $(cat messages)"
done
rm -rf device/z_BlockBlob device/BOM/z_BlockBlob.txt

# What cannot be read withholds the manifest of its share, and of no other.
if [[ $(id -u) -ne 0 ]]; then
    chmod 0 device/acct_AzFile/share/check
    rm -rf device/BOM
    manifest 3 device
    [[ ! -e device/BOM/acct_AzFile-BOM.txt ]] || fail "a list without a file was published"
    equal "withheld" "$(summary files_withheld)" 1
    equal "written" "$(summary files_written)" 3
fi
