#!/usr/bin/env bash
# The server that other tests lean on does what the blob service does, and each fault is what it says.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/e2e/lib.sh
source "$here/lib.sh"

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout tls.key -out tls.crt 2>/dev/null
python3 "$here/bench_server.py" "$(dirname "$sallyport")/bench/bench_server" "$work"
