#!/usr/bin/env bash
# Sources that cannot be read or that change, and targets that are full: named, counted, resumable.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

# Unreadable files and folders, as somebody who is not root.
mkdir -p src/closed
echo x >src/open
echo x >src/secret
echo x >src/closed/inside
chmod 000 src/secret src/closed
chmod 777 .
as_nobody=()
if [[ $(id -u) -eq 0 ]]; then
    as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
fi
code=0
"${as_nobody[@]}" "$sallyport" copy src target --state "$work/nobodys" --json >events 2>messages || code=$?
equal "exit" "$code" 3
accounted
equal "failed" "$(summary items.failed)" 2
equal "copied" "$(summary items.copied)" 1
equal "codes" "$(grep -c '"code":"item-access"' events)" 2
chmod -R u+rwX src

# A file that grows while it is read is never stored as a mixture.
mkdir live
head -c 300000000 /dev/zero >live/growing
touch grow
(while [[ -e grow ]]; do echo more >>live/growing; done) &
writer=$!
copy 3 live file:store/acct/cont --block-size 1MiB
rm grow
wait "$writer"
grep -q '"code":"item-changed"' events
[[ ! -e store/acct/cont/growing ]] || fail "a changing file was stored"

# A full disk stops the copy; with room again it goes on.
if [[ $(id -u) -eq 0 ]] && mkdir full && mount -t tmpfs -o size=20m tmpfs full 2>/dev/null; then
    trap 'umount full; cleanup' EXIT
    mkdir big
    head -c 60000000 /dev/urandom >big/file
    copy 13 big file:full/acct/cont --dry-run
    grep -q 'store-full' messages || fail "a dry run does not see that there is no room"
    python3 -c 'import sys; sys.exit(float(sys.argv[1]) <= 0)' "$(summary estimated_seconds)"
    [[ ! -e full/acct ]] || fail "a dry run made something"
    copy 13 big file:full/acct/cont --block-size 1MiB
    grep -q 'store-full' messages
    [[ ! -e full/acct/cont/file ]] || fail "half an item has its final name"
    mount -o remount,size=200m full
    copy 0 big file:full/acct/cont --block-size 1MiB
    (($(summary bytes.sent) < 60000000)) || fail "all of it was sent again"
    cmp big/file full/acct/cont/file
else
    echo "SKIPPED: the full disk needs root and tmpfs"
fi
