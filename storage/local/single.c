#include "storage/local/single.h"

#include <errno.h>
#include <fcntl.h>

struct single {
    struct lister lister;
    const struct local_end *end;
    bool is_done;
};

static enum err_code
single_next(struct lister *lister, struct entry *entry, bool *ret_more, struct err *err)
{
    struct single *single = CONTAINER_OF(lister, struct single, lister);
    struct stat st;
    *ret_more = !single->is_done;
    if (single->is_done) {
        return ERR_OK;
    }
    single->is_done = true;
    if (fstatat(single->end->root, single->end->single_name, &st, 0) != 0) {
        return err_set_sys(err, err_from_source_errno(errno), errno, "could not look at '%s'",
                           single->end->single_name);
    }
    int64_t mtime_ns = clock_from_timespec(&st.st_mtim);
    *entry = (struct entry){.kind = ENTRY_ITEM, .name = single->end->single_name};
    entry->props = (struct blob_props){.size_bytes = (uint64_t)st.st_size,
                                       .original_bytes = (uint64_t)st.st_size,
                                       .mtime_ns = mtime_ns,
                                       .modified_ns = mtime_ns,
                                       .type = BLOB_TYPE_BLOCK};
    return ERR_OK;
}

static struct lister *
single_close(struct lister *lister)
{
    return mem_give(CONTAINER_OF(lister, struct single, lister));
}

static const struct lister_ops single_ops = {.next = single_next, .close = single_close};

enum err_code
single_new(const struct local_end *end, struct lister **ret_lister, struct err *err)
{
    (void)err;
    struct single *single = mem_take(sizeof *single);
    *single = (struct single){.lister = {.ops = &single_ops}, .end = end};
    *ret_lister = &single->lister;
    return ERR_OK;
}
