#!/usr/bin/env bash
# A credential appears nowhere: not in messages, events, logs, state or receipts, and not as the name of a folder,
# however it was given and whatever went wrong. Every credential here has one word in it, which is looked for.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"

canary=SeCr3tCaNaRy
sas="sv=2021-12-02&sp=rwdl&sig=$canary%2Babc%3D"
key=$(printf '%s' "${canary}0123456789012345678901234567890123456789" | base64 -w 0)
token="eyJhbGciOiJub25lIn0.$canary.x"
mkdir room secrets src
printf '%s' "$sas" >secrets/sas
printf '%s' "$key" >secrets/key
printf '%s' "$token" >secrets/token
chmod 600 secrets/*
for i in $(seq 5); do echo "$i" >"src/$i"; done
head -c 300000 /dev/urandom >src/large
cd room
export SALLYPORT_TRACE=base,http,store,copy,plan,cmd XDG_STATE_HOME=$work/room/xdg HOME=$work/room/home

# say ARGUMENT...: whatever becomes of it, what it says stays in the room, for people and as JSON Lines
number=0
say() {
    number=$((number + 1))
    "$sallyport" "$@" --log-level debug >"out.$number" 2>"err.$number" </dev/null || true
    "$sallyport" "$@" --log-level debug --json >"json.$number" 2>"jerr.$number" </dev/null || true
}

# The contents and the names of all that is in the room.
clean() {
    local found
    found=$(grep -rlaE "$canary|${key:0:16}" . || true)
    [[ -z "$found" ]] || fail "$1: the credential is in $found: $(grep -rhaE "$canary|${key:0:16}" . | head -n 3)"
    found=$(find . -name "*$canary*" -o -name "*sig=*" -o -name "[Hh][Tt][Tt][Pp]*")
    [[ -z "$found" ]] || fail "$1: a file is named after it: $found"
}

echo "- in an address that works, that fails, and that meets trouble"
quick=(--state state --block-size 64KiB --receipt receipt.jsonl)
serve
say copy ../src "$store/in?$sas" "${quick[@]}"
grep -q '"status":"Completed"' "json.$number" || fail "it was not copied: $(cat "jerr.$number")"
say copy "$store/in?$sas" back --state state --verify read-back
say copy "HTTP://127.0.0.1:$port/acct/cont/in?$sas" back --state state
grep -q '"status":"Completed"' "json.$number" || fail "the scheme has to be in lower case: $(cat "jerr.$number")"
say verify receipt.jsonl "$store/in?$sas" --key state/keys/site.pub --state state --read-back
say copy ../src "$store/in?$sas" --state state --dry-run
say copy ../src "$store?$sas" --state "state/../state/receipt.jsonl/x"
for fault in expire full gone reset:every=3 wrong-crc error:status=500:every=2 expire:status=400; do
    serve --fault "$fault"
    say copy ../src "$store/in?$sas" "${quick[@]}" --restart --config <(printf '[retry]\ngive-up-after = 1s\n')
done
stop_server
say copy ../src "https://127.0.0.1:1/acct/cont?$sas" --config <(printf '[retry]\ngive-up-after = 1s\n')
clean "in an address"

echo "- where no address belongs"
url="https://acct.blob.example.org/cont?$sas"
for typed in "$url" "${url/https/HTTPS}" "x$url" " $url" "'$url'" "https:/acct/cont?$sas" "$sas" "?$sas" \
    "file:$url" "https://acct.blob.example.org/cont%3F${sas//=/%3D}" "https://acct.blob.example.org/cont%3F$sas" \
    "https://me:$canary@host/acct/cont" "AccountName=acct;AccountKey=$key" "SharedAccessSignature=$sas" "$key" "$token"; do
    say "$typed"
    say copy ../src target "$typed"
    say copy "$typed"
    if [[ "$typed" != http* && "$typed" != HTTP* ]]; then
        say copy ../src "$typed" --dry-run
        say copy "$typed" target --dry-run
    fi
    say error explain "$typed"
    say error "$typed"
    say completion "$typed"
    say doctor "$typed"
    say bench source "$typed"
    say verify "$typed" file:store/a/b --key k.pub
    say verify receipt.jsonl file:store/a/b --key "$typed"
    for option in receipt state config log-level tier overwrite lanes memory bandwidth include transport "$typed" "x=$typed"; do
        say copy ../missing target "--$option" "$typed"
        say copy ../missing target "--$option=${typed}["
    done
done
clean "where no address belongs"

echo "- in the environment and in files"
use() {
    local fault
    for fault in "" expire wrong-crc; do
        serve ${fault:+--fault "$fault"}
        say copy ../src "$store/in" "${quick[@]}" --restart "$@"
        say copy "$store/in" back --state state "$@"
    done
}
AZURE_STORAGE_SAS_TOKEN=$sas use
AZURE_STORAGE_SAS_TOKEN="not one $canary" use
AZURE_STORAGE_KEY=$key use
AZURE_STORAGE_KEY="not one $canary" use
AZURE_STORAGE_TOKEN_FILE=$work/secrets/token use
AZURE_STORAGE_TOKEN_FILE=$token use
AZURE_STORAGE_CONNECTION_STRING="AccountName=acct;AccountKey=$key" use
AZURE_STORAGE_CONNECTION_STRING="AccountName=acct;SharedAccessSignature=$sas" use
AZURE_STORAGE_CONNECTION_STRING="AccountName=acct;AccountKey=$canary!" use
for kind in sas key token; do
    printf '[azure]\n%s-file = %s\n' "$kind" "$work/secrets/$kind" >"$kind.conf"
    use --config "$kind.conf"
    say doctor --config "$kind.conf"
done
clean "in the environment and in files"
((number > 300)) || fail "only $number calls were made"
