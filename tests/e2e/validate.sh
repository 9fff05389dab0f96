#!/usr/bin/env bash
# A device's tree is judged before it is copied: verdict, exit code, proposal, and nothing is changed or told.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

# validate WANTED_EXIT ARGUMENT...: events in ./events, messages in ./messages
validate() {
    local want=$1 code=0
    shift
    "$sallyport" validate --json "$@" >events 2>messages || code=$?
    [[ "$code" -eq "$want" ]] || fail "validate $*: exit $code, want $want: $(cat messages; tail -n 5 events)"
    equal "last event" "$(tail -n 1 events | field type)" exit
    equal "event before it" "$(tail -n 2 events | head -n 1 | field type)" summary
}

# codes: the codes of all findings that halt, in order
codes() {
    python3 -c '
import json
for line in open("events"):
    event = json.loads(line)
    if event["type"] == "finding" and event["data"]["halt"]:
        print(event["data"]["code"])' | sort | paste -sd ' '
}

# list TREE SHARE: the list of files that prepare to ship leaves
list() {
    mkdir -p "$1/BOM"
    (cd "$1/$2" && find . -type f -printf '<file size="%s" crc64="0x659632cb7e4be261">%P</file>\n') |
        sed 's|>|>/|; s|/|\\|g; s|<\\file>|</file>|' >"$1/BOM/$2.txt"
}

# A sound tree is clean, and a changed one is not.
mkdir -p sound/acct_BlockBlob/reports/2024 sound/acct_PageBlob/pages sound/lost+found
echo hello >sound/acct_BlockBlob/reports/2024/hello.txt
echo other >sound/acct_BlockBlob/reports/other.txt
head -c 1024 /dev/zero >sound/acct_PageBlob/pages/p
list sound acct_BlockBlob
list sound acct_PageBlob
validate 0 sound
equal verdict "$(summary verdict)" clean
equal items "$(summary items)" 3
equal bytes "$(summary bytes)" 1036
echo more >sound/acct_BlockBlob/reports/more.txt
validate 13 sound
equal codes "$(codes)" MANIFEST_FILE_ADDED
validate 4 sound --manifest build
validate 0 sound --manifest ignore

# What our own lists say is what the check reads.
rm -r sound/BOM
"$sallyport" manifest sound >/dev/null
validate 0 sound

# Everything wrong at once; the proposal mends it, and the device stays as it was.
mkdir -p wrong/acct_BlockBlob/{ab,Upper,data} wrong/acct_PageBlob/pages wrong/Backup/old wrong/rg_MDisk/{PremiumSSD/sub,Mine}
mkdir -p wrong/acct_BlockBlob/hot/data wrong/acct_BlockBlob/Hot/data wrong/acct_AzFile
echo 1 >wrong/acct_BlockBlob/ab/1
echo 2 >wrong/acct_BlockBlob/Upper/2
echo 3 >wrong/acct_BlockBlob/at-the-root
echo 4 >wrong/acct_BlockBlob/hot/data/4
echo 4 >wrong/acct_BlockBlob/Hot/data/4
echo 5 >wrong/acct_AzFile/file
echo 6 >wrong/Backup/old/invoice.txt
echo 7 >wrong/stray.txt
head -c 513 /dev/zero >wrong/acct_PageBlob/pages/odd
head -c 1024 /dev/zero >wrong/rg_MDisk/PremiumSSD/none.vhd
head -c 1024 /dev/zero >wrong/rg_MDisk/PremiumSSD/sub/deep.vhd
head -c 1024 /dev/zero >wrong/rg_MDisk/Mine/mine.vhd
ln -s / wrong/acct_BlockBlob/data/everything
mkfifo wrong/acct_BlockBlob/data/pipe
find wrong -printf '%p %s %T@ %C@\n' | sort >before
validate 13 wrong --tiers --write-plan plan.json
equal codes "$(codes)" "ERROR_BLOB_OR_FILE_SIZE_ALIGNMENT ERROR_BLOB_OR_FILE_TYPE_UNSUPPORTED \
ERROR_CONTAINER_OR_SHARE_NAME_DISALLOWED_FOR_TYPE ERROR_CONTAINER_OR_SHARE_NAME_LENGTH ERROR_DIRECTORY_DISALLOWED_FOR_TYPE \
MANIFEST_MISSING REPARSE_POINT_ERROR ROOT_FILE ROOT_FOLDER_UNKNOWN SHARE_ROOT_FILE TIER_CASE_VARIANT"
python3 -c '
import json
summary = json.loads(open("events").readlines()[-2])["data"]
assert summary["proposal"] == json.load(open("plan.json")), "the file and the event are one plan"'
# Taking hot for Hot brings two blobs of one name to light; the plan knows that too.
equal "verdict that is promised" "$(summary proposal_verdict)" warnings
validate 4 wrong --tiers --plan plan.json
equal "verdict with the plan" "$(summary verdict)" warnings
find wrong -printf '%p %s %T@ %C@\n' | sort >after
cmp before after || fail "validate has changed the device"
code=0
"$sallyport" validate wrong --tiers --write-plan plan.json >out 2>messages || code=$?
equal "exit where the plan is there already" "$code" 2
grep -q 'plan.json' messages

# Names do not get out before the customer has consented.
validate 13 wrong --tiers --redacted
for name in Backup invoice stray everything pages acct none.vhd Upper; do
    ! grep -q "$name" events || fail "'$name' is told: $(grep "$name" events)"
done
"$sallyport" validate wrong --tiers --redacted >out 2>messages || true
for name in Backup invoice stray everything pages acct none.vhd Upper; do
    ! grep -q "$name" out || fail "'$name' is shown"
done
grep -q 'verdict: halt' out

# For a person: causes, hints, examples, the plan in words.
"$sallyport" validate wrong --tiers >out || equal exit $? 13
grep -q 'wrong-folder' out
grep -q "Copy 'Backup' into container 'backup' of account 'acct'" out

# The disks of an order are one.
mkdir -p disk1/BlockBlob/data disk2/BlockBlob/data
echo 1 >disk1/BlockBlob/data/same
echo 2 >disk2/BlockBlob/data/same
validate 0 disk1 --sku disk --manifest ignore
validate 13 disk1 disk2 --sku disk --manifest ignore
equal codes "$(codes)" PATH_ON_SEVERAL_DISKS

# Nothing there, nothing to say; and usage.
validate 13 missing
grep -q "missing" messages
equal status "$(summary status)" Failed
validate 2
validate 2 sound --sku boxx
validate 1 sound --plan before

# Names of any bytes; a terminal obeys none of them.
mkdir -p odd/acct_BlockBlob/data
printf x >"odd/acct_BlockBlob/data/$(printf 'a\xff\033[31m')"
validate 4 odd --manifest ignore
grep -q '"b64"' events
"$sallyport" validate odd --manifest ignore >out || true
! grep -q "$(printf '\033')" out || fail "an escape sequence is shown"

# A folder that holds itself does not go on for ever (needs a mount namespace).
if unshare -rm true 2>/dev/null; then
    mkdir -p loop/acct_BlockBlob/data/inner/again
    echo x >loop/acct_BlockBlob/data/inner/x
    code=0
    # shellcheck disable=SC2016 # the inner shell's argument
    unshare -rm bash -c 'mount --bind loop/acct_BlockBlob/data loop/acct_BlockBlob/data/inner/again &&
        timeout 20 "$1" validate loop --manifest ignore --json' - "$sallyport" >events || code=$?
    equal "exit with a loop" "$code" 13
    equal codes "$(codes)" ERROR_GENERAL
    equal items "$(summary items)" 1
fi

# Ctrl-C is obeyed within two seconds, whatever is being read: here a list of files without an end in sight.
mkdir -p endless/acct_BlockBlob/data endless/BOM
echo x >endless/acct_BlockBlob/data/x
truncate -s 1T endless/BOM/acct_BlockBlob.txt
"$sallyport" validate endless --json >events 2>messages &
pid=$!
until [[ -r /proc/$pid/wchan ]] && grep -q 'acct_BlockBlob.txt' <(readlink /proc/$pid/fd/* 2>/dev/null); do
    kill -0 "$pid" || fail "ended before it was interrupted: $(cat events)"
done
kill -INT "$pid"
begun=$(date +%s%N)
code=0
wait "$pid" || code=$?
equal "exit after Ctrl-C" "$code" 130
(($(date +%s%N) - begun < 2000000000)) || fail "it took longer than two seconds to stop"
equal status "$(summary status)" Cancelled
