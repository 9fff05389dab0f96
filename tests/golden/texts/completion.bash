# bash completion for sallyport
_sallyport() {
    local cur words_="${COMP_WORDS[*]:1}"
    cur="${COMP_WORDS[COMP_CWORD]}"
    case "$words_" in
    "copy "*) COMPREPLY=($(compgen -f -W "--help --include --exclude --block-size --lanes --in-flight --memory --bandwidth --md5 --sha256 --overwrite --verify --links --restart --dry-run --no-progress --state --json --quiet --verbose --no-color --yes --config --log-level" -- "$cur")) ;;
    "bench source "*) COMPREPLY=($(compgen -f -W "--help --lanes --in-flight --block-size --memory --io --cold --runs --state --json --quiet --verbose --no-color --yes --config --log-level" -- "$cur")) ;;
    "bench hash "*) COMPREPLY=($(compgen -f -W "--help --size --time --state --json --quiet --verbose --no-color --yes --config --log-level" -- "$cur")) ;;
    "bench send "*) COMPREPLY=($(compgen -f -W "--help --size --count --in-flight --lanes --sink-threads --runs --state --json --quiet --verbose --no-color --yes --config --log-level" -- "$cur")) ;;
    "bench end-to-end "*) COMPREPLY=($(compgen -f -W "--help --files --size --direction --peer --lanes --in-flight --block-size --memory --verify --server-threads --runs --state --json --quiet --verbose --no-color --yes --config --log-level" -- "$cur")) ;;
    "bench clean "*) COMPREPLY=($(compgen -f -W "--help --state --json --quiet --verbose --no-color --yes --config --log-level" -- "$cur")) ;;
    "error list "*) COMPREPLY=($(compgen -f -W "--help --state --json --quiet --verbose --no-color --yes --config --log-level" -- "$cur")) ;;
    "error explain "*) COMPREPLY=($(compgen -f -W "--help --state --json --quiet --verbose --no-color --yes --config --log-level" -- "$cur")) ;;
    "doctor "*) COMPREPLY=($(compgen -f -W "--help --state --json --quiet --verbose --no-color --yes --config --log-level" -- "$cur")) ;;
    "completion "*) COMPREPLY=($(compgen -f -W "--help --state --json --quiet --verbose --no-color --yes --config --log-level" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -W "copy bench source bench hash bench send bench end-to-end bench clean error list error explain doctor completion" -- "$cur")) ;;
    esac
}
complete -o filenames -F _sallyport sallyport

