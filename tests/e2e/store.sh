#!/usr/bin/env bash
# The local store: what its addresses mean, what names that no file can have become, and what is refused.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

# put NAME: a blob of this name in store//acct/con, whatever the name; its bytes are the name itself
put() {
    rm -rf one && mkdir one
    printf '%s' "$1" >one/x
    copy 0 one "file:store//acct/con/$1"
}
rows() {
    python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM blob").fetchone()[0])' \
        "$1/.sallyport/blobs.db"
}

# A file is neither an account nor a container.
mkdir -p store/acct
touch store/readme store/acct/notes
for address in file:store//readme file:store/readme file:store//acct/notes file:store/acct/notes; do
    copy 2 "$address" zz
    grep -q "is no folder" messages || fail "$address: $(cat messages)"
    mkdir -p src
    copy 2 src "$address"
done

# Nor are names that lead elsewhere, or to the store's own folder.
echo x >src/x
for address in file:store//.sallyport/con file:store/.sallyport/con file:store//acct/.sallyport file:store//../con \
    file:store//acct/.. file:store//./con file:store//acct//con; do
    copy 2 src "$address"
    copy 2 "$address" zz
done
[[ ! -e con && ! -e store/con ]] || fail "an address led out of the store"

# A folder of the source that is called like the store's own is data, and does not become one.
mkdir -p n1/.sallyport/deep n1/d/.sallyport
echo s >n1/.sallyport/blobs.db
echo t >n1/.sallyport/deep/t
echo u >n1/d/.sallyport/u
echo v >n1/v
copy 0 n1 file:st2/acct/con
[[ ! -e st2/acct/con/.sallyport && ! -e st2/acct/con/d ]] || fail "the source made a store inside the store"
copy 0 n1 file:st2/acct/con
equal "found again" "$(summary items.unchanged)" 4
copy 0 file:st2/acct/con n1-back
diff -r n1 n1-back

# One store has many spellings: all of them are one job.
(
    mkdir -p rv && cd rv
    copy 0 ../src file:id/acct/con
    mkdir deep && ln -s ../id deep/link && ln -s con id/acct/alias
    for address in file:id/acct/con file:./id/acct/con file:../rv/id/acct/con/ file:id//acct/con// "file://$PWD/id/acct/con" \
        "file:$PWD/deep/link/acct/con" file:deep/link//acct/con file:id/acct/alias file:id//acct/alias; do
        copy 0 ../src "$address"
    done
    rm id/acct/alias
    equal "job folders" "$(find ../state/jobs -mindepth 1 -maxdepth 1 -newer id/acct/con | wc -l)" 1
)

# Source and target that are one, or one in the other.
mkdir -p nest/deep
echo x >nest/x
ln -s nest outside
copy 2 nest nest/sub
grep -q 'lies inside the source' messages
copy 2 nest outside/deep/sub
copy 2 nest file:nest/store/acct/con
copy 2 nest file:nest//acct/con
copy 2 outside nest/
copy 2 nest/x nest
grep -q 'onto itself' messages
copy 2 file:store/acct store/acct
copy 2 file:st2/acct/con st2/acct/con/below
[[ ! -e nest/sub && ! -e nest/store && ! -e nest/.sallyport ]] || fail "a refused copy made something"
copy 0 nest/x nest/deep
copy 0 nest/deep deep-copy

# A prefix is a folder, an exact name is one item, also where no file can have the name.
for name in plain/one x//y f f/x/z .sallyport/q .. a/../b; do put "$name"; done
copy 0 file:store//acct/con/plain got1 && equal "a prefix" "$(cat got1/one/x)" plain/one
copy 0 file:store//acct/con/plain/one/x got2 && equal "an exact name" "$(cat got2/x)" plain/one
copy 0 file:store//acct/con/x//y/x got3 && equal "an exact name by id" "$(cat got3/x)" x//y
copy 3 file:store//acct/con/x got4
grep -q '"code":"name-illegal"' events || fail "what lies below 'x' only by id was not found"
copy 0 file:store//acct/con/x//y got5 && equal "a prefix by id" "$(cat got5/x)" x//y
copy 0 file:store//acct/con/.sallyport got6 && equal "a prefix like our folder" "$(cat got6/q/x)" .sallyport/q
copy 9 file:store//acct/con/none zz
copy 9 file:store//acct/con/f/none zz
copy 13 file:store//acct/none zz
copy 13 file:store//none/con zz
copy 13 file:nowhere//acct/con zz
mkdir -p both/a
echo below >both/a/b
copy 0 both file:store//acct/both
echo beside >one/a && rm -f one/x
copy 0 one file:store//acct/both
equal "a beside a/b" "$(find store/acct/both -type f | wc -l)" 1
copy 0 file:store//acct/both/a got7
equal "an exact name goes before a prefix" "$(cat got7/a)" beside

# A target that is a blob: the message names what to do.
copy 2 src/x file:store//acct/con/plain/one/x
grep -q "name 'file:$work/store//acct/con/plain/one' to store beside it" messages || fail "$(cat messages)"
copy 2 src n1/v
grep -q 'is no folder' messages
copy 0 src file:store//acct/con/plain/one/x/below
copy 0 file:store//acct/con/plain/one/x/below got8
cmp src/x got8/x

# A file where the target has a folder, and the other way round: said as it is.
mkdir -p os cd/f os2/d cd2
echo 1 >os/f
echo 1 >os2/d/f
echo 1 >cd2/d
copy 3 os cd
grep -q '"code":"name-illegal"' events || fail "file over folder: $(cat events)"
grep -q 'has a folder' events
copy 3 os2 cd2
grep -q '"code":"name-illegal"' events || fail "folder over file: $(cat events)"
[[ ! -e cd/.sallyport-partial && ! -e cd2/.sallyport-partial ]] || fail "staging of a failed item was left"

# A file that another tool put there is compared by its bytes, and gets its properties.
mkdir bare
for i in 1 2 3; do echo "number $i" >bare/$i.txt; done
copy 0 bare file:st3/acct/con
equal "rows" "$(rows st3)" 3
rm st3/.sallyport/blobs.db*
echo "numbre 2" >st3/acct/con/2.txt
touch -r bare/2.txt st3/acct/con/2.txt
copy 0 bare file:st3//acct/con
equal "other bytes are stored" "$(summary items.copied)" 1
equal "equal bytes are adopted" "$(summary items.unchanged)" 2
diff -r bare st3/acct/con
equal "rows again" "$(rows st3)" 3
copy 0 bare file:st3//acct/con
equal "believed from now on" "$(summary items.unchanged)" 3
copy 0 file:st3/acct/con bare-back
equal "checked against the store" "$(summary integrity.unverifiable)" 0
equal "a row has its file's etag" "$(python3 - <<'PY'
import os, sqlite3
row = sqlite3.connect("st3/.sallyport/blobs.db").execute("SELECT etag FROM blob WHERE key=?", (b"acct/con/1.txt",)).fetchone()
st = os.stat("st3/acct/con/1.txt")
print(row[0] == "%x-%x-%x.%x" % (st.st_ino, st.st_size, st.st_mtime_ns // 10**9, st.st_mtime_ns % 10**9))
PY
)" True
