# bash completion for sallyport
_sallyport() {
    local cur="${COMP_WORDS[COMP_CWORD]}" words="" files=""
    local prev="${COMP_WORDS[COMP_CWORD - 1]}"
    case "${COMP_WORDS[*]:1}" in
    "copy "*)
        files=-f words="--help --include --exclude --block-size --lanes --in-flight --memory --bandwidth --md5 --sha256 --compress --overwrite --verify --links --tier --transport --receipt --restart --dry-run --no-progress --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --include) files= words="" ;;
        --exclude) files= words="" ;;
        --block-size) files= words="" ;;
        --lanes) files= words="" ;;
        --in-flight) files= words="" ;;
        --memory) files= words="" ;;
        --bandwidth) files= words="" ;;
        --compress) files= words="" ;;
        --overwrite) files="" words="always never if-newer if-different" ;;
        --verify) files="" words="none listing read-back" ;;
        --links) files="" words="skip follow fail" ;;
        --tier) files="" words="default Hot Cool Cold Archive" ;;
        --transport) files="" words="curl wire" ;;
        --receipt) files=-f words="" ;;
        --state) files=-d words="" ;;
        --config) files=-f words="" ;;
        --log-level) files= words="" ;;
        esac ;;
    "verify "*)
        files=-f words="--help --key --read-back --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --key) files=-f words="" ;;
        --state) files=-d words="" ;;
        --config) files=-f words="" ;;
        --log-level) files= words="" ;;
        esac ;;
    "bench source "*)
        files=-f words="--help --lanes --in-flight --block-size --memory --io --cold --runs --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --lanes) files= words="" ;;
        --in-flight) files= words="" ;;
        --block-size) files= words="" ;;
        --memory) files= words="" ;;
        --io) files="" words="auto uring threads" ;;
        --runs) files= words="" ;;
        --state) files=-d words="" ;;
        --config) files=-f words="" ;;
        --log-level) files= words="" ;;
        esac ;;
    "bench hash "*)
        files= words="--help --size --time --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --size) files= words="" ;;
        --time) files= words="" ;;
        --state) files=-d words="" ;;
        --config) files=-f words="" ;;
        --log-level) files= words="" ;;
        esac ;;
    "bench send "*)
        files= words="--help --size --count --in-flight --lanes --sink-threads --runs --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --size) files= words="" ;;
        --count) files= words="" ;;
        --in-flight) files= words="" ;;
        --lanes) files= words="" ;;
        --sink-threads) files= words="" ;;
        --runs) files= words="" ;;
        --state) files=-d words="" ;;
        --config) files=-f words="" ;;
        --log-level) files= words="" ;;
        esac ;;
    "bench end-to-end "*)
        files= words="--help --files --size --direction --peer --lanes --in-flight --block-size --memory --verify --server-threads --runs --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --files) files= words="" ;;
        --size) files= words="" ;;
        --direction) files="" words="up down" ;;
        --peer) files="" words="sink store" ;;
        --lanes) files= words="" ;;
        --in-flight) files= words="" ;;
        --block-size) files= words="" ;;
        --memory) files= words="" ;;
        --verify) files="" words="none listing read-back" ;;
        --server-threads) files= words="" ;;
        --runs) files= words="" ;;
        --state) files=-d words="" ;;
        --config) files=-f words="" ;;
        --log-level) files= words="" ;;
        esac ;;
    "bench clean "*)
        files= words="--help --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --state) files=-d words="" ;;
        --config) files=-f words="" ;;
        --log-level) files= words="" ;;
        esac ;;
    "error list "*)
        files= words="--help --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --state) files=-d words="" ;;
        --config) files=-f words="" ;;
        --log-level) files= words="" ;;
        esac ;;
    "error explain "*)
        files= words="busy store-throttled store-unavailable network timeout stalled store-auth store-gone store-full store-read-only state-full too-many-failures item-gone item-changed item-access item-io item-special name-illegal item-too-large kept item-refused other-writer blob-archived digest-mismatch verify-missing verify-mismatch receipt-invalid nothing-to-do already-running usage config-invalid unsupported state-invalid interrupted format-invalid system"
        [[ "$cur" != -* ]] || words="--help --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --state) files=-d words="" ;;
        --config) files=-f words="" ;;
        --log-level) files= words="" ;;
        esac ;;
    "doctor "*)
        files= words="--help --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --state) files=-d words="" ;;
        --config) files=-f words="" ;;
        --log-level) files= words="" ;;
        esac ;;
    "completion "*)
        files= words="bash zsh fish"
        [[ "$cur" != -* ]] || words="--help --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --state) files=-d words="" ;;
        --config) files=-f words="" ;;
        --log-level) files= words="" ;;
        esac ;;
    "bench "*) words="source hash send end-to-end clean" ;;
    "error "*) words="list explain" ;;
    *) words="copy verify bench error doctor completion" ;;
    esac
    COMPREPLY=($(compgen $files -W "$words" -- "$cur"))
}
complete -o filenames -F _sallyport sallyport

