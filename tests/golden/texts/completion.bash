# bash completion for sallyport
_sallyport() {
    local cur="${COMP_WORDS[COMP_CWORD]}" words="" files=""
    local prev="${COMP_WORDS[COMP_CWORD - 1]}"
    case "${COMP_WORDS[*]:1}" in
    "copy "*)
        files=-f words="--help --include --exclude --block-size --lanes --in-flight --memory --bandwidth --md5 --sha256 --compress --overwrite --verify --links --tier --transport --sku --account --plan --bad-names --manifest --tiers --model --file-shares --verbose-log --receipt --restart --dry-run --no-progress --state --json --quiet --verbose --no-color --yes --config --log-level"
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
        --transport) files="" words="auto wire curl" ;;
        --sku) files="" words="none databox disk heavy" ;;
        --account) files= words="" ;;
        --plan) files=-f words="" ;;
        --bad-names) files="" words="halt rename skip" ;;
        --manifest) files="" words="require build ignore" ;;
        --model) files="" words="classic 120 525" ;;
        --file-shares) files="" words="standard large premium" ;;
        --receipt) files=-f words="" ;;
        --state) files=-d words="" ;;
        --config) files=-f words="" ;;
        --log-level) files= words="" ;;
        esac ;;
    "validate "*)
        files=-f words="--help --sku --tiers --model --file-shares --plan --bad-names --manifest --redacted --write-plan --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --sku) files="" words="databox disk heavy" ;;
        --model) files="" words="classic 120 525" ;;
        --file-shares) files="" words="standard large premium" ;;
        --plan) files=-f words="" ;;
        --bad-names) files="" words="halt rename skip" ;;
        --manifest) files="" words="require build ignore" ;;
        --write-plan) files=-f words="" ;;
        --state) files=-d words="" ;;
        --config) files=-f words="" ;;
        --log-level) files= words="" ;;
        esac ;;
    "verify "*)
        files=-f words="--help --key --account --read-back --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --key) files=-f words="" ;;
        --account) files= words="" ;;
        --state) files=-d words="" ;;
        --config) files=-f words="" ;;
        --log-level) files= words="" ;;
        esac ;;
    "manifest "*)
        files=-f words="--help --output --sku --tiers --state --json --quiet --verbose --no-color --yes --config --log-level"
        case "$prev" in
        --output) files=-d words="" ;;
        --sku) files="" words="databox disk heavy" ;;
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
        files= words="busy store-throttled store-unavailable network timeout stalled store-auth store-gone store-full store-read-only state-full too-many-failures item-gone item-changed item-access item-io item-special name-illegal item-too-large item-alignment kept left-out device-finding device-halted not-data item-refused other-writer blob-archived digest-mismatch manifest-crc-mismatch verify-missing verify-mismatch receipt-invalid nothing-to-do already-running usage config-invalid unsupported state-invalid interrupted format-invalid system ERROR_CONTAINER_OR_SHARE_NAME_LENGTH ERROR_CONTAINER_OR_SHARE_NAME_ALPHA_NUMERIC_DASH ERROR_CONTAINER_OR_SHARE_NAME_IMPROPER_DASH CONTAINER_NAME_UPPER_CASE ERROR_FILE_OR_DIRECTORY_NAME_ILLEGAL ERROR_CONTAINER_OR_SHARE_CAPACITY_EXCEEDED ACCOUNT_CAPACITY_EXCEEDED ERROR_BLOB_OR_FILE_SIZE_LIMIT ERROR_BLOB_OR_FILE_SIZE_ALIGNMENT ERROR_BLOB_OR_FILE_TYPE_UNSUPPORTED ERROR_DIRECTORY_DISALLOWED_FOR_TYPE REPARSE_POINT_ERROR ERROR_GENERAL ERROR_BLOB_OR_FILE_NAME_CHARACTER_CONTROL ERROR_BLOB_OR_FILE_NAME_CHARACTER_ILLEGAL NAME_BACKSLASH ERROR_BLOB_OR_FILE_NAME_ENDING ERROR_BLOB_OR_FILE_NAME_SEGMENT_COUNT ERROR_BLOB_OR_FILE_NAME_AGGREGATE_LENGTH ERROR_BLOB_OR_FILE_NAME_COMPONENT_LENGTH InvalidDiskNameFormat ERROR_CONTAINER_OR_SHARE_NAME_DISALLOWED_FOR_TYPE NonVhdFileNotSupportedForManagedDisk UploadErrorManagedConversionError MANAGED_DISK_NAME_TWICE DiskConversionNotStartedTierInfoMissing NotPartOfFileShare ROOT_FILE ROOT_FOLDER_UNKNOWN SHARE_ROOT_FILE TIER_CASE_VARIANT NAME_CASE_COLLISION CONTAINER_NAME_COLLISION BLOB_NAME_COLLISION PATH_ON_SEVERAL_DISKS CONTAINER_COUNT_EXCEEDED FILE_COUNT_EXCEEDED ACCOUNT_COUNT_EXCEEDED TIMESTAMP_OUT_OF_RANGE PACKED_FILES DeviceFormatted MetadataFilesModifiedOrRemoved MANIFEST_MISSING ScanCompletedWithIssues MANIFEST_DAMAGED MANIFEST_STALE MANIFEST_FILE_ADDED MANIFEST_FILE_MISSING MANIFEST_SIZE_MISMATCH MANIFEST_CRC_MISMATCH MANIFEST_CRC_MISSING ContainerRenamed ShareRenamed BlobRenamed FileRenamed DiskRenamed MovedToDefaultAzureShare InvalidPageBlobUploadAsBlockBlob InvalidAzureFileUploadAsBlockBlob InvalidManagedDiskUploadAsBlockBlob InvalidManagedDiskUploadAsPageBlob LEFT_OUT UploadErrorDataValidationError UploadErrorCloudHttp UploadErrorWin32 UploadErrorUnknownType"
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
    *) words="copy validate verify manifest bench error doctor completion" ;;
    esac
    COMPREPLY=($(compgen $files -W "$words" -- "$cur"))
}
complete -o filenames -F _sallyport sallyport

