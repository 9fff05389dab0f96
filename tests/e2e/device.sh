#!/usr/bin/env bash
# A device tree is checked before the first byte moves, and every share goes to its account.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

mkdir -p dev/acct_BlockBlob/cont1/sub dev/acct_PageBlob/disks dev/acct_AzFile/share1 dev/other_BlockBlob/logs
echo hi >dev/acct_BlockBlob/cont1/a.txt
echo yo >dev/acct_BlockBlob/cont1/sub/b.txt
head -c 1024 /dev/urandom >dev/acct_PageBlob/disks/p.bin
echo file >dev/acct_AzFile/share1/f.txt
echo log >dev/other_BlockBlob/logs/one
ends=(--account "acct=file:store//acct" --account "other=file:store//other")

echo "- not prepared: it halts, and nothing moves"
copy 13 dev --sku databox "${ends[@]}"
grep -q '"type":"halt".*"cause":"prepare-to-ship-not-run"' events || fail "no halt: $(cat events)"
equal "status" "$(summary status)" Halted
[[ ! -e store ]] || fail "something was stored"

echo "- usage"
copy 2 dev target --sku databox "${ends[@]}"
copy 2 dev --sku databox
copy 2 dev --sku databox --account acct
copy 2 dev

"$sallyport" manifest dev --state "$work/state" --quiet >/dev/null

echo "- an account without an end"
copy 2 dev --sku databox --account "acct=file:store//acct"
grep -q "account 'other'" messages || fail "which account: $(cat messages)"

echo "- two accounts that go to one place"
copy 2 dev --account "acct=file:store//acct" --account "other=file:./store//acct"
grep -q "'acct' and 'other' both go to file:.*store//acct" messages || fail "which accounts: $(cat messages)"
[[ ! -e store ]] || fail "something was stored"

echo "- file shares need a store that takes them"
copy 8 dev --account "acct=http://127.0.0.1:9/acct" --account "other=file:store//other"
grep -q "file share 'share1'" messages || fail "which share: $(cat messages)"

echo "- prepared: each share in its account, compared with its manifest"
copy 0 dev "${ends[@]}"
equal "copied" "$(summary items.copied)" 5
equal "compared with the manifest" "$(summary integrity.manifest)" 5
accounted
for pair in acct_BlockBlob/cont1:acct/cont1 acct_PageBlob/disks:acct/disks acct_AzFile/share1:acct/share1 \
    other_BlockBlob/logs:other/logs; do
    diff -r "dev/${pair%%:*}" "store/${pair##*:}" || fail "$pair differs"
done
receipt=$(summary receipt)
grep -q '"path":"acct_AzFile/share1/f.txt","blob":"acct/share1/f.txt","type":"AzureFile"' "$receipt" || fail "$(cat "$receipt")"
copy 0 dev "${ends[@]}"
equal "copied again" "$(summary items.copied)" 0

# verify EXIT ARGUMENT...: compares that receipt
verify() {
    local want=$1 code=0
    shift
    "$sallyport" verify "$receipt" "$@" --key state/keys/site.pub >checked 2>messages || code=$?
    equal "verify $*" "$code" "$want"
}

echo "- its receipt is compared with the ends of all accounts"
verify 0 "${ends[@]}" --read-back
grep -q "valid: 5 items" checked || fail "$(cat checked)"
verify 0 file:store
verify 0 file:store/ --read-back
verify 2
grep -q "name its end with --account" messages || fail "what: $(cat messages)"
verify 2 --account "acct=file:store//acct"
grep -q "account 'other'" messages || fail "which: $(cat messages)"
verify 2 file:store "${ends[@]}"
verify 2 http://127.0.0.1:9/acct
grep -q "name each with --account" messages || fail "what: $(cat messages)"
verify 2 --account acct
cp -r store kept
echo other >store/other/logs/one
verify 5 "${ends[@]}"
grep -q "other/logs/one" messages || fail "which: $(cat messages)"
rm store/other/logs/one
verify 5 file:store
grep -q "verify-missing: 'other/logs/one'" messages || fail "which: $(cat messages)"
rm -rf store
mv kept store
verify 0 file:store
mkdir plain
echo x >plain/x
"$sallyport" copy plain file:plainly//acct/cont --receipt plain.receipt --state state --quiet >/dev/null
receipt=plain.receipt
verify 2 "${ends[@]}"
grep -q "not of a device" messages || fail "what: $(cat messages)"
verify 2
verify 0 file:plainly//acct/cont

echo "- a file of several blocks"
mkdir -p large/acct_BlockBlob/cont1
head -c 3000000 /dev/urandom >large/acct_BlockBlob/cont1/large
copy 4 large --account "acct=file:larger//acct" --manifest build --block-size 1MiB
cmp large/acct_BlockBlob/cont1/large larger/acct/cont1/large || fail "it differs"

echo "- bytes that are not those of the manifest are not stored"
rm -rf store
kept=$(stat -c %y dev/acct_BlockBlob/cont1/sub/b.txt)
echo xo >dev/acct_BlockBlob/cont1/sub/b.txt
touch -d "$kept" dev/acct_BlockBlob/cont1/sub/b.txt
copy 5 dev "${ends[@]}" --restart
grep -q '"code":"manifest-crc-mismatch"' events || fail "not noticed: $(cat events)"
equal "failed" "$(summary items.failed)" 1
[[ ! -e store/acct/cont1/sub/b.txt ]] || fail "it was stored"
echo yo >dev/acct_BlockBlob/cont1/sub/b.txt
touch -d "$kept" dev/acct_BlockBlob/cont1/sub/b.txt

echo "- data in the wrong folder and a bad name, mended by a plan"
mkdir dev/Backup
echo b >dev/Backup/z
echo c >"dev/acct_BlockBlob/cont1/$(printf 'bad\001name')"
copy 13 dev "${ends[@]}" --manifest ignore
"$sallyport" validate dev --manifest ignore --write-plan plan.json --state "$work/state" >/dev/null 2>&1 || true
copy 4 dev "${ends[@]}" --manifest ignore --plan plan.json
equal "status" "$(summary status)" CompletedWithWarnings
equal "renamed" "$(summary items.renamed)" 1
accounted
equal "mapped" "$(cat store/acct/backup/z)" b
[[ -n $(find store/acct/cont1/BlockBlob -name 'DataBox-0x*') ]] || fail "the renamed blob is not there"

echo "- empty folders of file shares are kept, those of blob shares counted"
mkdir -p hollow/acct_AzFile/{share1/{empty,deep/er/empty,full},lonely,Upper/in} hollow/acct_AzFile/share1/CON hollow/acct_BlockBlob/cont1/empty
echo x >hollow/acct_AzFile/share1/full/x
for round in 1 2; do
    copy 4 hollow --account "acct=file:hollowed//acct" --manifest build
    equal "empty" "$(summary folders.empty)" 6
    equal "kept" "$(summary folders.kept)" 4
    accounted
    [[ -d hollowed/acct/share1/empty && -d hollowed/acct/share1/deep/er/empty ]] || fail "not kept, $round"
    [[ -d hollowed/acct/lonely && -d hollowed/acct/upper/in ]] || fail "shares not kept, $round"
    [[ ! -e hollowed/acct/cont1 && ! -e hollowed/acct/share1/CON ]] || fail "too much was kept, $round"
    rm -r hollowed/acct/share1/empty
done

echo "- also by a run that goes on, and not over a file of the same name"
mkdir -p hollow/acct_BlockBlob/cont1 hollowed/acct/share1
rm -rf hollow/acct_AzFile/share1/CON
: >hollowed/acct/share1/empty
copy 3 hollow --account "acct=file:hollowed//acct" --manifest build --restart
equal "failed" "$(summary items.failed)" 1
accounted
rm hollowed/acct/share1/empty
copy 4 hollow --account "acct=file:hollowed//acct" --manifest build
[[ -d hollowed/acct/share1/empty ]] || fail "not kept by the run that goes on"
equal "failed" "$(summary items.failed)" 0
