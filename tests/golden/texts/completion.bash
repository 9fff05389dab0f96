# bash completion for sallyport
_sallyport() {
    local cur words_="${COMP_WORDS[*]:1}"
    cur="${COMP_WORDS[COMP_CWORD]}"
    case "$words_" in
    "copy "*) COMPREPLY=($(compgen -f -W "--help --include --exclude --block-size --lanes --in-flight --memory --bandwidth --md5 --sha256 --overwrite --verify --links --restart --dry-run --no-progress --state --json --quiet --verbose --no-color --yes --config --log-level" -- "$cur")) ;;
    "error list "*) COMPREPLY=($(compgen -f -W "--help --state --json --quiet --verbose --no-color --yes --config --log-level" -- "$cur")) ;;
    "error explain "*) COMPREPLY=($(compgen -f -W "--help --state --json --quiet --verbose --no-color --yes --config --log-level" -- "$cur")) ;;
    "doctor "*) COMPREPLY=($(compgen -f -W "--help --state --json --quiet --verbose --no-color --yes --config --log-level" -- "$cur")) ;;
    "completion "*) COMPREPLY=($(compgen -f -W "--help --state --json --quiet --verbose --no-color --yes --config --log-level" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -W "copy error list error explain doctor completion" -- "$cur")) ;;
    esac
}
complete -o filenames -F _sallyport sallyport

