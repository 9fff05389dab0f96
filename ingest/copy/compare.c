/* Whether what the target has makes copying an item unnecessary: --overwrite as one function. */
#include "ingest/copy/compare.h"

#include <string.h>

const char *const item_verdict_names[VERDICT_COUNT] = {"none", "unverifiable", "in-transit",
                                                       "read-back"};

enum target_says
item_compare(const struct copy_options *options, const char *nonce, const struct item *item,
             const struct blob_props *target)
{
    if (target->is_partial) {
        return TARGET_COPY; /* it only stands where an item will be */
    }
    bool is_other_type = item->type == BLOB_TYPE_PAGE && target->type != BLOB_TYPE_PAGE;
    bool has_same_size = target->original_bytes == item->size_bytes && !is_other_type;
    /* Stores keep times in different precision; a microsecond apart is the same moment. */
    int64_t apart_ns = 0;
    bool has_same_time = target->mtime_ns != BLOB_TIME_NONE && item->mtime_ns != BLOB_TIME_NONE &&
                         !__builtin_sub_overflow(target->mtime_ns, item->mtime_ns, &apart_ns) &&
                         apart_ns > -1000 && apart_ns < 1000;
    /* A file that another tool put into the store may have any bytes, whatever its time says. */
    has_same_time = has_same_time && !target->is_bare;
    bool is_ours = target->job[0] != '\0' && strcmp(target->job, nonce) == 0;
    /* Stored by this copy just before it was killed: its digests were lost with it. */
    bool lacks_digest =
        is_ours && (options->wants_sha256 || (options->wants_md5 && !target->has_md5));
    if (lacks_digest) {
        return TARGET_COPY;
    }
    if (has_same_size && has_same_time && (is_ours || options->overwrite != OVERWRITE_ALWAYS)) {
        return TARGET_SAME;
    }
    switch (options->overwrite) {
    case OVERWRITE_ALWAYS: return TARGET_COPY;
    case OVERWRITE_NEVER: return TARGET_KEEP;
    case OVERWRITE_IF_NEWER: {
        int64_t target_ns =
            target->mtime_ns != BLOB_TIME_NONE ? target->mtime_ns : target->modified_ns;
        return target_ns != BLOB_TIME_NONE && item->mtime_ns <= target_ns ? TARGET_KEEP
                                                                          : TARGET_COPY;
    }
    case OVERWRITE_IF_DIFFERENT: break;
    }
    if (!has_same_size) {
        return TARGET_COPY;
    }
    if (target->is_bare) {
        return item->block_count <= 1 ? TARGET_ADOPT : TARGET_COPY;
    }
    const struct blob_props *source = item->source;
    if (source != NULL && source->has_crc64 && target->has_crc64) {
        return source->crc64 == target->crc64 ? TARGET_SAME : TARGET_COPY;
    }
    /* Small enough to be read whole anyway: its CRC decides before it is sent. */
    return target->has_crc64 && item->block_count <= 1 ? TARGET_COMPARE : TARGET_COPY;
}

/* Was what this job stored in an earlier run compared with the checksum that the source's store
 * keeps? Then that is what its own checksum, which was computed on the way, is equal to. */
static enum item_verdict
verdict_of(const struct item *item, const struct blob_props *target)
{
    const struct blob_props *source = item->source;
    if (source == NULL || source->content_encoding != NULL) {
        return VERDICT_UNVERIFIABLE;
    }
    bool has_crc64 = source->has_crc64 && target->has_crc64;
    bool has_md5 = !source->has_crc64 && source->has_md5 && target->has_md5;
    bool is_same = (has_crc64 && source->crc64 == target->crc64) ||
                   (has_md5 && memcmp(source->md5, target->md5, MD5_BYTES) == 0);
    return is_same ? VERDICT_IN_TRANSIT : VERDICT_UNVERIFIABLE;
}

void
item_settle(struct batch *batch, struct item *item, enum target_says says,
            const struct blob_props *target, const char *etag, const char *nonce)
{
    if (says == TARGET_KEEP) {
        struct err err = ERR_NONE;
        (void)err_set(&err, ERR_KEPT, "'%s' was kept as it is at the target", item->name);
        item_fail(batch, item, ITEM_SKIPPED, &err);
        return;
    }
    bool is_ours = target->job[0] != '\0' && strcmp(target->job, nonce) == 0;
    item->state = is_ours ? ITEM_RESUMED : ITEM_UNCHANGED;
    item->verdict = is_ours ? (uint8_t)verdict_of(item, target) : VERDICT_NONE;
    item->crc64 = target->crc64;
    item->has_crc64 = target->has_crc64;
    item->etag = arena_text(&batch->arena, etag);
    if (target->has_md5 && target->content_encoding == NULL) {
        item->md5 = (const uint8_t *)arena_bytes(&batch->arena, target->md5, MD5_BYTES);
    }
}

bool
item_fits_manifest(struct item *item, uint64_t crc64, struct err *err)
{
    if (item->has_manifest_crc64 && item->manifest_crc64 != crc64) {
        (void)err_set(err, ERR_MANIFEST,
                      "'%s' does not match its manifest: read %016llx, listed %016llx", item->name,
                      (unsigned long long)crc64, (unsigned long long)item->manifest_crc64);
        return false;
    }
    item->matches_manifest = item->has_manifest_crc64;
    return true;
}
