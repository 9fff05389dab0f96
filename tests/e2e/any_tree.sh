#!/usr/bin/env bash
# Whatever a folder can hold is copied byte for byte or named with the reason, in both directions.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

python3 - <<'PY'
import os, socket
os.makedirs(b"src/folder with spaces")
names = [b"plain", b"quo'te", b'double"quote', b"per%cent", b"pl+us", b"ha#sh", b"quest?ion", b"new\nline",
         b"back\\slash", "süß €".encode(), b"inv\xff\xfealid", b"x" * 255, b"-dash", b"*star", b"trailing.dot."]
for number, name in enumerate(names):
    with open(b"src/folder with spaces/" + name, "wb") as file:
        file.write(os.urandom(number * 997))
with open("src/empty", "wb"):
    pass
with open("src/one", "wb") as file:
    file.write(b"1")
with open("src/large", "wb") as file:
    file.write(os.urandom(5 * 1024 * 1024 + 123))
with open("src/sparse", "wb") as file:
    file.truncate(5 << 30)
    file.seek(3 << 30)
    file.write(b"island")
with open("src/only_hole", "wb") as file:
    file.truncate(3 << 20)
os.link("src/one", "src/hard_link")
os.symlink("one", "src/symbolic_link")
os.symlink("missing", "src/dangling_link")
os.mkfifo("src/fifo")
socket.socket(socket.AF_UNIX).bind("src/socket")
os.mkdir("src/empty_folder")
here = os.getcwd()
os.chdir("src")
for _ in range(200):
    os.mkdir("deep")
    os.chdir("deep")
with open("bottom", "wb") as file:
    file.write(b"bottom")
os.chdir(here)
PY

# What an unfinished copy to this folder has left at its top is no data, but it is an entry.
mkdir src/.sallyport-partial
echo s >src/.sallyport-partial/s

copy 3 src file:store/acct/cont --block-size 1MiB --md5 --sha256
accounted
equal "skipped links and staging" "$(summary items.skipped)" 3
grep -q '"code":"not-data"' events
equal "failed specials" "$(summary items.failed)" 2
grep -q '"code":"item-special"' events
bytes=$(summary bytes.total)
used=$(du -sk store | cut -f1)
((used < 64 * 1024)) || fail "holes were not kept: the store uses $used KiB"

copy 0 file:store/acct/cont back --block-size 1MiB
accounted
equal "bytes both ways" "$(summary bytes.total)" "$bytes"
equal "verified by the store's checksums" "$(summary integrity.unverifiable)" 0
# Failed items leave nothing behind either: neither staging nor what a copy has to remember.
copy 3 src with_failures --exclude sparse
equal "failed specials" "$(summary items.failed)" 2
[[ ! -e with_failures/.sallyport-partial ]] || fail "staging was left: $(find with_failures/.sallyport-partial)"
[[ -z $(find state -name 'stored.db*') ]] || fail "an index was left"
copy 3 src with_failures --exclude sparse
equal "copied before, and known to be" "$(summary items.unchanged)" 0
accounted
rm -r src/fifo src/socket src/symbolic_link src/dangling_link src/.sallyport-partial
rmdir src/empty_folder
diff -r src back || fail "what came back differs"
equal "modification time" "$(stat -c %Y back/one)" "$(stat -c %Y src/one)"
[[ ! -e back/.sallyport-partial ]] || fail "staging was left behind"

# Links: followed, or each a failure.
ln -s one src/link
copy 0 src followed --links follow
cmp src/one followed/link
copy 3 src failing --links fail
equal "failed links" "$(summary items.failed)" 1

# The thread pool does the same.
SALLYPORT_IO=threads copy 0 src pool --links follow --lanes 3
diff -r followed pool || fail "the thread pool's result differs"
