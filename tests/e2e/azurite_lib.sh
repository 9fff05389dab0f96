#!/usr/bin/env bash
# Azurite on loopback for one test: its own port, its own folder, gone with the test.
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=tests/e2e/lib.sh
source "$tests/e2e/lib.sh"
azurite_pid=
# The account that every Azurite has; its key is public.
account=devstoreaccount1
key='Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
export AZURE_STORAGE_KEY=$key

stop_azurite() {
    if [[ -n "$azurite_pid" ]]; then
        kill "$azurite_pid" 2>/dev/null || true
        wait "$azurite_pid" 2>/dev/null || true
        azurite_pid=
    fi
}
trap 'stop_azurite; cleanup' EXIT

# azurite ARGUMENT...: starts one; $store is its address, $port its port, $connection for the SDK
azurite() {
    local deadline=$((SECONDS + 60))
    stop_azurite
    rm -rf azurite-data
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    node "$tests/node_modules/azurite/dist/src/blob/main.js" --blobHost 127.0.0.1 --blobPort "$port" \
        --location azurite-data --silent --disableProductStyleUrl --skipApiVersionCheck "$@" >azurite.log 2>&1 &
    azurite_pid=$!
    until (: </dev/tcp/127.0.0.1/"$port") 2>/dev/null; do
        ((SECONDS < deadline)) || fail "Azurite does not listen: $(cat azurite.log)"
        kill -0 "$azurite_pid" 2>/dev/null || fail "Azurite ended: $(cat azurite.log)"
    done
    store="http://127.0.0.1:$port/$account"
    connection="DefaultEndpointsProtocol=http;AccountName=$account;AccountKey=$key;BlobEndpoint=$store;"
    export RCLONE_CONFIG_PEER_TYPE=azureblob RCLONE_CONFIG_PEER_USE_EMULATOR=true
    export RCLONE_CONFIG_PEER_ENDPOINT=$store RCLONE_CONFIG=/dev/null
}

# sdk COMMAND CONTAINER [ARGUMENT...]: the Azure SDK for JavaScript
sdk() {
    AZURE_STORAGE_CONNECTION_STRING=$connection node "$tests/e2e/sdk.mjs" "$@"
}
