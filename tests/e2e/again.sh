#!/usr/bin/env bash
# Running a copy again does only what is left to do; what changed is copied again, whole.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

mkdir -p src/sub
for i in $(seq 300); do head -c "$((i * 37))" /dev/urandom >"src/sub/f$i"; done
head -c 3000000 /dev/urandom >src/large

copy 0 src file:store/acct/cont --block-size 1MiB
equal copied "$(summary items.copied)" 301
copy 0 src file:store/acct/cont --block-size 1MiB
equal "copied again" "$(summary items.copied)" 0
equal unchanged "$(summary items.unchanged)" 301
equal "bytes sent again" "$(summary bytes.sent)" 0

head -c 5000 /dev/urandom >src/sub/f7
printf x | dd of=src/large bs=1 seek=1500000 conv=notrunc status=none
touch src/sub/f8 # same bytes, another time: the checksum tells
copy 0 src file:store/acct/cont --block-size 1MiB
equal "changed items" "$(summary items.copied)" 2
diff -r src store/acct/cont

# --overwrite
echo other >src/sub/f9
copy 0 src file:store/acct/cont --block-size 1MiB --overwrite never
equal "kept" "$(summary items.copied)" 0
equal "skipped" "$(left_out)" 2 # f8 has another time, f9 other bytes
grep -q '"code":"kept"' events
touch -d '1999-01-01' src/sub/f9
copy 0 src file:store/acct/cont --block-size 1MiB --overwrite if-newer
equal "older is kept" "$(left_out)" 1
equal "newer is copied" "$(summary items.copied)" 1
copy 0 src file:store/acct/cont --block-size 1MiB --overwrite always
equal "always" "$(summary items.copied)" 301
diff -r src store/acct/cont

# --include, --exclude, --dry-run
copy 0 src picked --include 'sub/f1*' --exclude 'f1?'
accounted
[[ -e picked/sub/f1 && -e picked/sub/f100 && ! -e picked/sub/f10 && ! -e picked/large ]] || fail "filter"
copy 0 src nowhere --dry-run
equal "dry run counts" "$(summary items.total)" 301
[[ ! -e nowhere ]] || fail "a dry run made its target"

# A tampered store is found by reading back.
copy 0 src file:fresh/acct/cont --verify read-back
equal "read back" "$(summary integrity.read_back)" 301

# What somebody took away between two runs of an unfinished copy is missed, and then stored again.
mkdir unfinished
mkfifo unfinished/pipe
for i in 1 2 3; do echo "$i" >"unfinished/$i"; done
copy 3 unfinished file:gone/acct/cont
rm gone/acct/cont/2
copy 5 unfinished file:gone/acct/cont
grep -q '"code":"verify-missing"' events || fail "the missing item was not noticed"
copy 3 unfinished file:gone/acct/cont
cmp unfinished/2 gone/acct/cont/2
rm -r gone/acct
copy 3 unfinished file:gone/acct/cont
equal "all again" "$(find gone/acct/cont -type f | wc -l)" 3
