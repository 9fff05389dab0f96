# bash completion for sallyport
_sallyport() {
    local cur="${COMP_WORDS[COMP_CWORD]}" words="" files=""
    local prev="${COMP_WORDS[COMP_CWORD - 1]}"
    case "${COMP_WORDS[*]:1}" in
    "copy "*)
        files=-f words="--help --include --exclude --block-size --lanes --in-flight --memory --bandwidth --md5 --sha256 --overwrite --verify --links --tier --transport --receipt --restart --dry-run --no-progress --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --overwrite) files="" words="always never if-newer if-different" ;;
        --verify) files="" words="none listing read-back" ;;
        --links) files="" words="skip follow fail" ;;
        --tier) files="" words="default Hot Cool Cold Archive" ;;
        --transport) files="" words="curl wire" ;;
        esac ;;
    "verify "*)
        files=-f words="--help --key --read-back --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        esac ;;
    "manifest "*)
        files=-f words="--help --output --sku --tiers --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --sku) files="" words="databox disk heavy" ;;
        esac ;;
    "bench source "*)
        files=-f words="--help --lanes --in-flight --block-size --memory --io --cold --runs --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --io) files="" words="auto uring threads" ;;
        esac ;;
    "bench hash "*)
        files=-f words="--help --size --time --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        esac ;;
    "bench send "*)
        files=-f words="--help --size --count --in-flight --lanes --sink-threads --runs --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        esac ;;
    "bench end-to-end "*)
        files=-f words="--help --files --size --direction --peer --lanes --in-flight --block-size --memory --verify --server-threads --runs --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --direction) files="" words="up down" ;;
        --peer) files="" words="sink store" ;;
        --verify) files="" words="none listing read-back" ;;
        esac ;;
    "bench clean "*)
        files=-f words="--help --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        esac ;;
    "error list "*)
        files=-f words="--help --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        esac ;;
    "error explain "*)
        files=-f words="--help --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        esac ;;
    "doctor "*)
        files=-f words="--help --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        esac ;;
    "completion "*)
        files=-f words="--help --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        esac ;;
    "bench "*) words="source hash send end-to-end clean" ;;
    "error "*) words="list explain" ;;
    *) words="copy verify manifest bench error doctor completion" ;;
    esac
    COMPREPLY=($(compgen $files -W "$words" -- "$cur"))
}
complete -o filenames -F _sallyport sallyport

