#!/usr/bin/env bash
# What carries the requests: TLS with a certificate that is trusted, and with others that are not; proxies; which
# transport serves where none, or another one, is asked for.
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "$0")/lib.sh"
# certificate NAME SUBJECT-ALT-NAME: NAME.key and NAME.crt, its own authority
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
        -addext "subjectAltName=$2" -keyout "$1.key" -out "$1.crt" 2>/dev/null
}
certificate here DNS:localhost,IP:127.0.0.1
certificate elsewhere DNS:example.org,IP:192.0.2.1
printf 'no certificate' >broken.crt

cat >quick.conf <<'END'
[retry]
give-up-after = 1s
delay-min = 10ms
delay-max = 40ms
[http]
connect-timeout = 500ms
END
mkdir -p src/folder
for i in $(seq 60); do head -c $((i * 700)) /dev/urandom >"src/folder/$i"; done
head -c 9000000 /dev/urandom >src/large

echo "- by TLS, to a name and to an address, there and back"
serve --cert here.crt --key here.key
export SALLYPORT_CA_FILE=$work/here.crt
for host in localhost 127.0.0.1; do
    copy 0 src "https://$host:$port/acct/at-${host//./-}" --block-size 1MiB
    equal "in transit" "$(summary integrity.in_transit)" 61
    copy 0 "https://$host:$port/acct/at-${host//./-}" back
    diff -r src back || fail "what came back by $host differs"
    rm -rf back
done

echo "- a certificate that nobody vouches for, and one for somebody else"
(
    unset SALLYPORT_CA_FILE
    copy 8 src "https://localhost:$port/acct/cont" --config quick.conf
    grep -q 'certificate is not trusted' messages || fail "not told: $(cat messages)"
    SALLYPORT_CA_FILE=$work/broken.crt copy 8 src "https://localhost:$port/acct/cont" --config quick.conf
    grep -q 'SALLYPORT_CA_FILE' messages || fail "not told: $(cat messages)"
)
serve --cert elsewhere.crt --key elsewhere.key
for host in localhost 127.0.0.1; do
    SALLYPORT_CA_FILE=$work/elsewhere.crt copy 8 src "https://$host:$port/acct/cont" --config quick.conf
    grep -q 'certificate is not trusted' messages || fail "not told: $(cat messages)"
done

echo "- a server that does not speak TLS"
serve
copy 6 src "https://localhost:$port/acct/cont" --config quick.conf

echo "- connections cut in the middle of bodies by TLS"
serve --cert here.crt --key here.key --fault reset:every=5:count=12
copy 0 src "https://localhost:$port/acct/cont" --block-size 1MiB
serve --cert here.crt --key here.key --fault truncate:every=3:count=8
copy 0 src "https://localhost:$port/acct/cont" --block-size 1MiB --restart
copy 0 "https://localhost:$port/acct/cont" back
diff -r src back || fail "what came back differs"
rm -rf back

echo "- which one serves"
serve
store=http://127.0.0.1:$port/acct/cont
(
    unset SALLYPORT_TRANSPORT
    copy 0 src "$store" --transport wire
    copy 0 src "$store" --transport curl
    SALLYPORT_TRANSPORT=pigeon copy 8 src "$store"
    grep -q "'pigeon'" messages || fail "not told: $(cat messages)"
    SALLYPORT_TRANSPORT=pigeon copy 0 src "$store" --transport wire
    printf '[http]\ntransport = pigeon\n' >pigeon.conf
    copy 8 src "$store" --config pigeon.conf
    # Nobody listens at the proxy: whoever asks it fails, and whoever knows none must not go past it.
    export http_proxy=http://127.0.0.1:1
    copy 6 src "$store" --config quick.conf --restart
    copy 6 src "$store" --config quick.conf --restart --transport curl
    copy 8 src "$store" --transport wire
    grep -q 'http_proxy' messages || fail "not told: $(cat messages)"
    NO_PROXY=127.0.0.1 copy 0 src "$store"
    NO_PROXY='*' copy 0 src "$store" --transport wire
)
