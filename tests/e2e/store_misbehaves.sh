#!/usr/bin/env bash
# A store that errs, hangs, lies or is somebody else's for a moment: each trouble has its exit code, its
# catalogue code and its remedy, and a later run with a sound store loses nothing.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

# told CODE: the message names the code and says what to do
told() {
    grep -q "$1" messages || fail "no '$1' in: $(cat messages)"
    grep -q 'HINT: ' messages || fail "no remedy in: $(cat messages)"
}

# sound: with the store well again the same copy ends, and what is there equals the source
sound() {
    copy 0 src "$store" "$@"
    rm -rf back
    copy 0 "$store" back
    diff -r src back || fail "what was stored differs"
    rm -rf back
}

cat >quick.conf <<'EOF'
[retry]
give-up-after = 2s
delay-min = 10ms
delay-max = 40ms
[http]
connect-timeout = 1s
idle-timeout = 500ms
EOF
quick=(--config quick.conf --block-size 1MiB)
# The same, but patient.
sed 's/^give-up-after.*/give-up-after = 60s/' quick.conf >patient.conf
patient=(--config patient.conf --block-size 1MiB)

mkdir -p src/folder
for i in $(seq 40); do head -c $((i * 100)) /dev/urandom >"src/folder/$i"; done
head -c 5500000 /dev/urandom >src/large

echo "- a storm that ends"
serve --fault busy:after=5:count=60 --fault error:every=7:count=5 --fault throttle:every=11:count=5
copy 0 src "$store" "${patient[@]}"
accounted
# It is told once, to people and as an event, and counted.
equal "notices" "$(grep -c '"type":"notice"' events)" 1
equal "notes" "$(grep -c '^note: ' messages)" 1
grep -q 'requests failed for a moment .* first: .* last: ' messages || fail "the storm is not told: $(cat messages)"
(($(summary retries) >= 60 && $(summary throttled) >= 60)) || fail "counted: $(summary retries), $(summary throttled)"
sound "${quick[@]}"
equal "retries in calm weather" "$(summary retries)" 0

echo "- a store that refuses every second or third request, for as long as it lasts"
mkdir heap
for i in $(seq 201); do echo "$i" >"heap/$i"; done
serve --fault throttle:every=2
copy 0 heap "$store"
equal "copied" "$(summary items.copied)" 201
serve --fault busy:every=3:verb=get-blob
copy 0 heap "$store" --restart
copy 0 "$store" heap-back
diff -r heap heap-back
rm -rf heap-back

echo "- a storm that does not end"
serve --fault busy:after=20
copy 6 src "$store" "${quick[@]}"
told store-throttled
grep -qE 'tried [0-9]+ times' messages || fail "the tries are not told: $(cat messages)"
serve
sound "${quick[@]}"

echo "- connections cut in the middle of bodies"
serve --fault reset:every=5:count=12
copy 0 src "$store" "${quick[@]}"
sound "${quick[@]}"

echo "- answers that are lost"
serve --fault lost-answer:every=4:count=15
copy 0 src "$store" "${quick[@]}"
equal "copied" "$(summary items.copied)" 41
sound "${quick[@]}"

echo "- a server that never answers"
serve --fault hang:after=10
began=$SECONDS
copy 6 src "$store" "${quick[@]}"
told timeout
((SECONDS - began < 20)) || fail "it took $((SECONDS - began)) s"
serve
sound "${quick[@]}"

echo "- a server that is not there"
stop_server
copy 6 src "$store" "${quick[@]}"
told network

echo "- checksums that say otherwise"
serve --fault wrong-crc:every=10
copy 5 src "$store" "${quick[@]}"
grep -q '"code":"digest-mismatch"' events || fail "no digest-mismatch"
accounted
failed=$(summary items.failed)
((failed > 0)) || fail "nothing failed"
# What the store says is wrong does not stay under its name.
copy 0 "$store" back
equal "blobs left" "$(find back -type f -not -path '*partial*' | wc -l)" $((41 - failed))
rm -rf back
stop_server
serve
sound "${quick[@]}"

echo "- no checksums at all"
serve --fault no-crc
copy 0 src "$store" "${quick[@]}"
equal "unverifiable" "$(summary integrity.unverifiable)" 41
equal "in transit" "$(summary integrity.in_transit)" 0
serve --fault no-crc
copy 0 src "$store" "${quick[@]}" --md5 --restart
equal "in transit by MD5" "$(summary integrity.in_transit)" 41

echo "- checksums refused: MD5 goes instead"
serve --fault refuse-crc
copy 0 src "$store" "${quick[@]}"
equal "in transit by MD5" "$(summary integrity.in_transit)" 41
sound "${quick[@]}"

echo "- credentials that expire"
serve --fault expire:after=25
copy 7 src "$store" "${quick[@]}" --in-flight 2
told store-auth
stored=$(summary items.copied)
kill -USR2 "$server_pid"
copy 0 src "$store" "${quick[@]}" --in-flight 2
(($(summary bytes.sent) < $(summary bytes.total))) || [[ "$stored" -eq 0 ]] || fail "all of it was sent again"
sound "${quick[@]}"

echo "- another writer on the same blob"
serve --fault steal:verb=put-blob:after=10:count=1
copy 3 src "$store" "${quick[@]}" --lanes 1
grep -q '"code":"other-writer"' events || fail "no other-writer"
equal "failed" "$(summary items.failed)" 1
accounted

echo "- downloads that are cut off or damaged"
serve
copy 0 src "$store" "${quick[@]}"
kept=$store
for fault in truncate:every=3:count=20 corrupt:every=4:count=3; do
    rm -rf back
    kill -USR2 "$server_pid"
    stop_server
    serve --fault "$fault"
    copy 0 src "$store" "${quick[@]}" --restart
    code=0
    "$sallyport" copy "$store" back --state "$work/state" --json "${quick[@]}" >events 2>messages || code=$?
    [[ "$code" -eq 0 || "$code" -eq 5 || "$code" -eq 3 ]] || fail "exit $code: $(cat messages)"
    accounted
    # Whatever has its final name is right.
    while IFS= read -r file; do
        cmp "src/$file" "back/$file" || fail "a wrong file: $file"
    done < <(cd back && find . -type f -not -path './.sallyport*')
    copy 0 "$store" back "${quick[@]}"
    diff -r -x '.sallyport*' src back || fail "what was read differs"
done
[[ -n "$kept" ]]

echo "- a container that vanishes, an account that is full"
serve --fault gone:after=20
copy 13 src "$store" "${quick[@]}"
told store-gone
serve --fault full:after=20
copy 13 src "$store" "${quick[@]}"
told store-full
serve
sound "${quick[@]}"
