#!/usr/bin/env bash
# What a copy of a device leaves besides the data: logs that add up, for every account, whatever the names are.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

# check.py FOLDER SUMMARY: every log is XML, and the sums over all accounts are the summary's
cat >check.py <<'EOF2'
import base64, glob, json, subprocess, sys, xml.etree.ElementTree as tree
folder, events = sys.argv[1:3]
summary = [json.loads(line) for line in open(events)][-2]["data"]

def read(path):
    text = open(path, "rb").read()
    for line in text.split(b"\n")[:200]:
        got = subprocess.run(["xmllint", "--recover", "--noout", "-"], input=line, capture_output=True)
        for word in (b"encoding error", b"PCDATA invalid", b"AttValue"):
            assert word not in got.stderr, (line, got.stderr)
    return tree.fromstring(b"<all>" + text + b"</all>")

def path_of(node):
    at = node.get("Path")
    return base64.b64decode(at) if node.get("name_encoding") == "Base64" else at.encode()

total = errored = renamed = entities = files = 0
for log in glob.glob(folder + "/*/databoxcopylog/*_CopyLog_*.xml"):
    root = read(log)
    end = root.find("CopyLog")
    assert root[-1] is end and len(root.findall("CopyLog")) == 1
    total += int(end.findtext("TotalFiles_Blobs"))
    failed = int(end.findtext("FilesErrored"))
    errored += failed
    assert end.findtext("Status") == ("Failed" if failed else "Succeeded")
    sums = {list_.tag: sum(int(one.get("Count")) for one in list_) for list_ in end.find("Summary")}
    assert sums["ValidationErrors"] == int(end.findtext("TotalFiles_Blobs")), sums
    assert sums["CopyErrors"] == failed, sums
    for one in root.findall("ErroredEntity"):
        entities += 1
        renamed += one.findtext("Category").endswith("Renamed") and one.findtext("Type") == "File"
        path_of(one)
verbose = glob.glob(folder + "/*/databoxcopylog/*_VerboseLog_*.xml")
for log in verbose:
    for one in read(log):
        files += 1
        assert int(one.get("Size")) >= 0 and 0 <= int(one.get("crc64")) < 1 << 64
for log in glob.glob(folder + "/error.xml"):
    read(log)
items = summary["items"]
assert total == items["total"], (total, items)
assert errored == items["failed"], (errored, items)
if verbose:
    assert files == items["copied"] + items["renamed"] + items["unchanged"], (files, items)
print(entities)
EOF2

python3 - <<'EOF2'
import os
def write(path, data=b"x"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "wb").write(data)
base = b"dev/acct_BlockBlob/cont1/"
for name in [b"a&b<c>\"d'e", b"]]>", b"<!--", b"&#65;", b" lead", b"trail ", b"bad\xffutf", b"back\\slash", b"ctl\x01", b"nl\nx", b"dot.",
             "\u00e9\u2028".encode(), b"\xef\xbf\xbe", b"sub/deep/file", b"$x", b"a%20b"]:
    write(base + name, b"data of " + name)
write(b"dev/acct_AzFile/share1/CON", b"reserved")
write(b"dev/acct_AzFile/share1/fine", b"fine")
write(b"dev/acct_BlockBlob/Upper/u1"); write(b"dev/acct_BlockBlob/Upper/u2")
write(b"dev/acct_PageBlob/pages/p", bytes(1024))
write(b"dev/other_BlockBlob/logs/one", b"1"); write(b"dev/other_BlockBlob/logs/two", b"22")
EOF2
ends=(--account "acct=file:store//acct" --account "other=file:store//other" --account "idle=file:store//idle")

echo "- halted: error.xml beside the job, nothing anywhere else"
copy 13 dev "${ends[@]}"
logs=$(summary logs)
grep -q 'error="MANIFEST_MISSING">\\acct_BlockBlob</file>' "$logs/error.xml" || fail "$(cat "$logs/error.xml")"
equal "files of the job" "$(find "$logs" -type f | wc -l)" 1
[[ ! -e store ]] || fail "something was stored"
grep -q '"type":"summary".*"logs":' events || fail "not told"
copy 0 dev "${ends[@]}" --dry-run --manifest ignore --bad-names rename
! grep -q '"logs"' events || fail "a dry run has left logs"

"$sallyport" manifest dev --state "$work/state" --quiet >/dev/null
python3 - <<'EOF2'
import os, shutil
path = b"dev/acct_BlockBlob/cont1/sub/deep/file"
at = os.stat(path)
open(path, "wb").write(b"DATA of sub/deep/file")
os.utime(path, ns=(at.st_mtime_ns, at.st_mtime_ns))
EOF2

echo "- renamed, damaged and fine: every account has a log, and the sums are the summary's"
copy 5 dev "${ends[@]}" --bad-names rename --verbose-log
logs=$(summary logs)
job=$(tail -n 2 events | head -n 1 | field job)
python3 check.py "$logs" events >entities || fail "the logs do not add up: $logs"
log="store/acct/databoxcopylog/copy_dev_CopyLog_$job.xml"
for account in acct other idle; do
    (cd "$logs/$account" && find . -type f) | while read -r file; do
        cmp "$logs/$account/$file" "store/$account/$file" || fail "$account/$file is not what was stored"
    done
    [[ -s "store/$account/databoxcopylog/copy_dev_CopyLog_$job.xml" ]] || fail "$account has no log"
    [[ -e "store/$account/databoxcopylog/copy_dev_VerboseLog_$job.xml" ]] || fail "$account has no verbose log"
done
grep -q '<Category>UploadErrorDataValidationError</Category>' "$log" || fail "no data error: $(cat "$log")"
grep -q '<Category>ContainerRenamed</Category>' "$log" || fail "no container: $(cat "$log")"
equal "containers told" "$(grep -c '<Type>Container</Type>' "$log")" 1
grep -q '<Category>FileRenamed</Category>' "$log" || fail "no file: $(cat "$log")"
grep -q ':because a file or folder of a file share has a reserved name' "$log" || fail "no reason: $(cat "$log")"
grep -q 'Path="cont1\\sub/deep/file"' "$log" || fail "no path: $(cat "$log")"
for file in acct_BlockBlob.txt acct_PageBlob.txt acct_AzFile-BOM.txt; do
    cmp "dev/BOM/$file" "store/acct/azuredatabox-chainofcustodylogs/$job/dev/$file" || fail "$file"
done

echo "- gone on with: the same log, of the whole job"
echo -n "data of sub/deep/file" >dev/acct_BlockBlob/cont1/sub/deep/file
touch -d @1600000000 dev/acct_BlockBlob/cont1/sub/deep/file
touch dev/BOM/*
copy 4 dev "${ends[@]}" --bad-names rename --verbose-log
equal "job" "$(tail -n 2 events | head -n 1 | field job)" "$job"
python3 check.py "$(summary logs)" events >entities || fail "the logs do not add up"
! grep -q UploadErrorDataValidationError "$log" || fail "the log is the old one"
equal "logs" "$(find store/acct/databoxcopylog -type f | wc -l)" 2

echo "- killed, and gone on with"
rm -rf store big
mkdir -p big/acct_BlockBlob/data
for i in $(seq 6); do head -c 5000000 /dev/urandom >"big/acct_BlockBlob/data/$i"; done
for name in 1.d/x 1/x 1-d/x; do mkdir -p "big/acct_BlockBlob/more/${name%/x}" && echo x >"big/acct_BlockBlob/more/$name"; done
"$sallyport" copy big --account acct=file:store//acct --manifest build --state "$work/state" --bandwidth 5MiB/s --block-size 1MiB \
    --lanes 1 --json --verbose-log >killed 2>/dev/null &
victim=$!
deadline=$((SECONDS + 60))
until [[ $(find store/acct/data -type f 2>/dev/null | wc -l) -gt 0 ]]; do
    ((SECONDS < deadline)) || fail "nothing arrives"
    kill -0 "$victim" 2>/dev/null || fail "it has ended already"
done
kill -9 "$victim"
wait "$victim" 2>/dev/null || true
[[ ! -e store/acct/databoxcopylog ]] || fail "a log before the end"
copy 4 big --account acct=file:store//acct --manifest build --verbose-log --block-size 1MiB
(($(summary bytes.resumed) > 0)) || fail "nothing was resumed"
python3 check.py "$(summary logs)" events >entities || fail "the logs do not add up"

echo "- the list that is built is the one that prepare to ship would have made"
list=$(find store/acct/azuredatabox-chainofcustodylogs -name acct_BlockBlob.txt)
"$sallyport" manifest big --output lists --state "$work/state" --quiet >/dev/null
cmp "$list" lists/acct_BlockBlob.txt || fail "the lists differ"
cmp "$list" "$(find "$(summary logs)" -name acct_BlockBlob.txt)" || fail "beside the job it is another"

echo "- a copy of what is there already has a log of its own"
copy 4 big --account acct=file:store//acct --manifest build
equal "logs" "$(find store/acct/databoxcopylog -name '*CopyLog*' | wc -l)" 2
python3 check.py "$(summary logs)" events >entities || fail "the logs do not add up"
