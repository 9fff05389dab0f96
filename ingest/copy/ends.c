#include "ingest/copy/ends.h"

#include "storage/many.h"

#include <string.h>

enum err_code
ends_open_parts(const struct copy_part *parts, unsigned count, const struct end_options *end,
                const struct end *source, struct end **ret_end, struct err *err)
{
    struct many_part *many = mem_take((count + 1UL) * sizeof *many);
    struct end_options options = *end;
    enum err_code code = ERR_OK;
    unsigned opened = 0;
    for (; opened < count && code == ERR_OK; opened += code == ERR_OK) {
        options.is_account = parts[opened].is_account;
        many[opened].key = parts[opened].key;
        code = end_open(parts[opened].address, &options, &many[opened].end, err);
        if (code == ERR_OK && source != NULL &&
            end_check_apart(source, many[opened].end, err) != ERR_OK) {
            code = err->code;
            end_close(many[opened].end);
        }
    }
    if (code == ERR_OK) {
        code = many_end_new(many, count, ret_end, err);
    } else {
        (void)err_wrap(err, "'%s'", parts[opened].key);
        while (opened > 0) {
            end_close(many[--opened].end);
        }
    }
    mem_give(many);
    return code;
}

enum err_code
ends_open(const struct copy_options *options, const struct ends_watch *watch,
          struct end **ret_source, struct end **ret_target, struct err *err)
{
    struct end_options end = {
        .role = END_SOURCE,
        .links = options->links,
        .config = options->config,
        .clock = options->clock,
        .local_sync_ns = options->config->local_sync_ns,
        .wants_blocks_checked_by_md5 = options->wants_md5,
        .signal = watch->signal,
        .storm = watch->storm,
    };
    enum err_code code = end_open(options->source, &end, ret_source, err);
    end.role = END_TARGET;
    if (code != ERR_OK) {
        return code;
    }
    code = options->part_count > 0 ? ends_open_parts(options->parts, options->part_count, &end,
                                                     *ret_source, ret_target, err)
                                   : end_open(options->target, &end, ret_target, err);
    if (code == ERR_OK && options->part_count == 0) {
        code = end_check_apart(*ret_source, *ret_target, err);
    }
    if (code == ERR_OK && options->tier != BLOB_TIER_NONE && !(*ret_target)->caps.keeps_props) {
        code = err_set(err, ERR_USAGE, "'%s' is a folder, which has no tiers; leave out --tier",
                       (*ret_target)->display);
    }
    const struct end_caps *caps = code == ERR_OK ? &(*ret_target)->caps : NULL;
    if (code == ERR_OK && options->compress_level != 0 &&
        !(caps->keeps_props && caps->block_order_free)) {
        code = err_set(err, ERR_USAGE,
                       "'%s' is a folder, which cannot keep that its files are compressed; leave "
                       "out --compress, or copy to a store",
                       (*ret_target)->display);
    }
    return code;
}
