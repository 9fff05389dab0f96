#include "tests/sim/world.h"

#include "base/crc64.h"

#include <stdarg.h>
#include <string.h>

#define BASE_NS        (INT64_C(1700000000) * NS_PER_S)
#define CHUNK_BYTES    512U
#define SMALL_MAX      4096U
#define VERSION_OTHERS 1000000U /* content that is not the source's */

static uint64_t
pick(struct world *world, uint64_t limit)
{
    return chance_below(&world->chance, limit);
}

static bool
one_in(struct world *world, uint64_t n)
{
    return pick(world, n) == 0;
}

void
world_fail(struct world *world, const char *fmt, ...)
{
    va_list args;
    world->failures++;
    if (world->failures <= 5) {
        (void)fprintf(world->out, "seed %llu: ", (unsigned long long)world->seed);
        va_start(args, fmt);
        (void)vfprintf(world->out, fmt, args);
        va_end(args);
        (void)fputc('\n', world->out);
    }
}

/* ---- content ---- */

static int64_t
mtime_of(uint64_t version)
{
    return BASE_NS + (int64_t)version * NS_PER_S;
}

static uint64_t
version_of(int64_t mtime_ns)
{
    return (uint64_t)((mtime_ns - BASE_NS) / NS_PER_S);
}

/* Random chunks and holes. */
static uint8_t *
content(const struct world *world, const char *name, uint64_t version, uint64_t len)
{
    struct chance chance;
    uint8_t *bytes = mem_take(len + 1);
    uint64_t key = crc64(world->seed * 31 + version, name, strlen(name));
    chance_init(&chance, key);
    for (uint64_t at = 0; at < len; at += CHUNK_BYTES) {
        uint64_t chunk = MIN_OF(CHUNK_BYTES, len - at);
        if (chance_below(&chance, 6) == 0) {
            continue;
        }
        for (uint64_t i = 0; i < chunk; i++) {
            bytes[at + i] = (uint8_t)chance_below(&chance, 256);
        }
    }
    return bytes;
}

bool
world_is_right(const struct world *world, const struct memory_blob *blob)
{
    uint64_t len = blob->props.original_bytes;
    uint8_t *want = content(world, blob->name, version_of(blob->props.mtime_ns), len);
    uint8_t *got = memory_store_original(blob);
    bool is_right = got != NULL && memcmp(want, got, len) == 0;
    mem_give(got);
    mem_give(want);
    return is_right;
}

/* As a copy that compresses would have left it, in blocks of any size; false: it does not shrink.
 */
static bool
pack(const struct world *world, uint8_t **bytes, uint64_t *len, struct blob_props *props)
{
    uint64_t block = 600 + *len / 3;
    uint64_t made = 0;
    uint8_t *buf = mem_take(packer_room_bytes(block));
    uint8_t *frames = mem_take(packer_room_bytes(*len) + 64);
    for (uint64_t at = 0; at < *len; at += block) {
        void *frame = NULL;
        uint64_t piece = MIN_OF(block, *len - at);
        memcpy(buf, *bytes + at, piece);
        size_t frame_len = packer_frame(world->packer, buf, piece, at > 0, &frame);
        memcpy(frames + made, frame, frame_len);
        made += frame_len;
    }
    mem_give(buf);
    if (made == *len || made == 0) {
        mem_give(frames);
        return false;
    }
    props->original_bytes = *len;
    props->content_encoding = "zstd";
    props->crc64 = crc64(CRC64_EMPTY, *bytes, *len);
    mem_give(*bytes);
    *bytes = frames;
    *len = made;
    return true;
}

/* Where there are types some names are those of disks; what has no whole pages cannot be one. */
enum blob_type
world_type(const struct world *world, const char *name, uint64_t len)
{
    bool is_disk = world->has_pages && crc64(world->seed, name, strlen(name)) % 4 == 0;
    return is_disk && len % BLOB_PAGE_BYTES == 0 ? BLOB_TYPE_PAGE : BLOB_TYPE_BLOCK;
}

static struct memory_blob *
set(struct world *world, struct memory_store *store, const char *name, uint64_t version,
    uint64_t len)
{
    struct blob_props props = {
        .mtime_ns = mtime_of(version), .type = BLOB_TYPE_BLOCK, .has_crc64 = true};
    struct err err = ERR_NONE;
    uint8_t *bytes = content(world, name, version, len);
    enum blob_type type = world_type(world, name, len);
    bool is_packed = store == &world->source && world->packs_source && version % 2 == 0 &&
                     type == BLOB_TYPE_BLOCK && pack(world, &bytes, &len, &props);
    /* Some sources keep nothing but an MD5, which is of use for items of one block. */
    if (!is_packed && store == &world->source && len <= world->options.block_bytes &&
        version % 3 == 2) {
        props.has_crc64 = false;
        props.has_md5 = digest_md5(bytes, len, props.md5, &err) == ERR_OK;
    }
    props.type = type;
    return memory_store_set(store, name, bytes, len, &props);
}

static uint64_t
pick_size(struct world *world)
{
    uint64_t block = world->options.block_bytes;
    switch (pick(world, 10)) {
    case 0: return 0;
    case 1: return block;
    case 2: return block + 1 + pick(world, block);
    case 3: return block * pick(world, 5);
    case 4: return one_in(world, 3) ? pick(world, block * 40) : pick(world, block);
    default: return pick(world, MIN_OF(block, SMALL_MAX));
    }
}

static void
make_source(struct world *world)
{
    static const enum err_code unreadable[] = {ERR_ITEM_ACCESS, ERR_ITEM_IO};
    unsigned most = one_in(world, 12) ? 1500 : one_in(world, 3) ? 300 : 40;
    world->item_count = (unsigned)pick(world, most) + (one_in(world, 50) ? 0 : 1);
    bool is_large_set = most == 1500;
    for (unsigned i = 0; i < world->item_count; i++) {
        char name[64];
        bool is_illegal = one_in(world, 60);
        (void)snprintf(name, sizeof name, "%s%c%u/\xc3\xa9 %u", is_illegal ? "illegal" : "folder",
                       (char)('a' + pick(world, 3)), i % 7, i);
        uint64_t size = is_large_set && !one_in(world, 20) ? pick(world, 64) : pick_size(world);
        struct memory_blob *blob = set(world, &world->source, name, pick(world, 3), size);
        uint64_t kind = pick(world, 120);
        if (kind == 0) {
            blob->kind = ENTRY_FAILED;
            blob->error = ERR_ITEM_SPECIAL;
        } else if (kind == 1) {
            blob->kind = ENTRY_SKIPPED;
            blob->error = ERR_ITEM_SPECIAL;
        } else if (kind == 2) {
            blob->kind = ENTRY_FOLDER;
        } else if (kind == 3) {
            blob->error = unreadable[pick(world, 2)];
            /* A bad sector somewhere. */
            blob->good_bytes = size == 0 ? 0 : pick(world, blob->props.size_bytes);
        } else if (kind == 4) {
            blob->props.is_archived = world->source_caps.keeps_props;
        }
    }
}

/* Some names are taken: by the same, by something older, newer or of another size. */
static void
make_target(struct world *world)
{
    uint64_t share = 2 + pick(world, 6);
    for (unsigned i = 0; i < world->item_count; i++) {
        const struct memory_blob *source = world->source.blobs[i];
        uint64_t version = version_of(source->props.mtime_ns);
        uint64_t len = source->props.original_bytes;
        if (!one_in(world, share)) {
            continue;
        }
        switch (pick(world, 4)) {
        case 0: (void)set(world, &world->target, source->name, version, len); break;
        case 1: { /* the same bytes, another time */
            struct memory_blob *blob = set(world, &world->target, source->name, version, len);
            blob->props.mtime_ns += 500 * NS_PER_S;
            break;
        }
        case 2: (void)set(world, &world->target, source->name, version + 100, len + 1); break;
        default: {
            struct memory_blob *blob =
                set(world, &world->target, source->name, VERSION_OTHERS, len);
            blob->props.mtime_ns = BASE_NS - NS_PER_S;
            break;
        }
        }
    }
}

/* ---- set-up ---- */

static void
choose_sizes(struct world *world)
{
    struct sizes *sizes = &world->sizes;
    uint64_t block = world->options.block_bytes;
    sizes->lanes = 1 + (unsigned)pick(world, 4);
    sizes->window = 1 + (unsigned)pick(world, one_in(world, 3) ? 2 : 16);
    sizes->block_count = sizes->window * 2 + 16;
    sizes->batch_count = 12 + (unsigned)pick(world, 20);
    sizes->pool_bytes = block * (4 + pick(world, 16));
    sizes->in_flight_max = one_in(world, 3) ? 1 + (unsigned)pick(world, 8) : 0;
    sizes->latency_max_ns = one_in(world, 4) ? 0 : (int64_t)pick(world, 50) * NS_PER_MS;
    sizes->give_up_ns = (int64_t)pick(world, 6) * 2 * NS_PER_S; /* 0: nothing is tried again */
    sizes->slow_part = (unsigned)pick(world, 8);
    sizes->is_fresh = one_in(world, 2);
}

static void
choose_options(struct world *world)
{
    static const enum copy_overwrite overwrites[] = {OVERWRITE_ALWAYS, OVERWRITE_NEVER,
                                                     OVERWRITE_IF_NEWER, OVERWRITE_IF_DIFFERENT};
    struct copy_options *options = &world->options;
    options->block_bytes = UINT64_C(1024) << pick(world, 4);
    options->overwrite = overwrites[pick(world, COUNT_OF(overwrites))];
    options->wants_md5 = one_in(world, 4);
    options->wants_sha256 = one_in(world, 8);
    options->bandwidth = one_in(world, 6) ? UINT64_C(5000) << pick(world, 9) : 0;
    options->memory_bytes = UINT64_C(1) << 30;
    options->compress_level = one_in(world, 3) ? 1 : 0;
    options->config = &world->config;
    options->clock = &world->clock.clock;
    config_init(&world->config);
    world->source_caps = (struct end_caps){.keeps_props = !one_in(world, 3)};
    world->target_caps =
        (struct end_caps){.is_local = one_in(world, 3), .keeps_props = true, .needs_zeros = true};
    world->target_caps.needs_zeros = !world->target_caps.is_local;
    world->target_caps.checks_transit = one_in(world, 2);
    world->packs_source = world->source_caps.keeps_props && one_in(world, 3);
    world->has_pages = world->source_caps.keeps_props && one_in(world, 2);
    world->target_caps.page_bytes_max = world->has_pages ? INT64_MAX : 0;
    if (one_in(world, 6)) {
        world->target_caps.item_bytes_max = options->block_bytes * 4;
    }
    if (one_in(world, 6)) {
        world->target_caps.blocks_max = 3; /* so that blocks have to grow */
    }
}

void
world_init(struct world *world, uint64_t seed, FILE *out)
{
    struct err err = ERR_NONE;
    *world = (struct world){.seed = seed, .out = out};
    enum err_code code = packer_new(1, SIZE_MAX, &world->packer, &err);
    ASSERT(code == ERR_OK);
    chance_init(&world->chance, seed);
    memory_store_init(&world->source, seed * 2 + 1);
    memory_store_init(&world->target, seed * 2 + 2);
    fake_clock_init(&world->clock);
    choose_options(world);
    choose_sizes(world);
    make_source(world);
    if (one_in(world, 2)) {
        make_target(world);
    }
    world->runs = (unsigned)pick(world, 5);
    world->is_stable = !one_in(world, 3);
    world->may_corrupt = world->source_caps.keeps_props && one_in(world, 2);
}

void
world_done(struct world *world)
{
    memory_store_done(&world->source);
    memory_store_done(&world->target);
    config_done(&world->config);
    world->packer = packer_free(world->packer);
}

/* ---- trouble ---- */

static unsigned
rate(struct world *world, unsigned most)
{
    return one_in(world, 2) ? 0 : (unsigned)pick(world, most);
}

static void
choose_faults(struct world *world, struct fault_options *faults, unsigned heavy)
{
    *faults = (struct fault_options){
        .seed = pick(world, UINT32_MAX),
        .error_permille = rate(world, 60 * heavy),
        .lost_answer_permille = rate(world, 40 * heavy),
        .delay_permille = rate(world, 300),
        .delay_max_ns = (1 + (int64_t)pick(world, 4000)) * NS_PER_MS,
        .short_read_permille = rate(world, 40 * heavy),
        .torn_write_permille = rate(world, 40 * heavy),
    };
}

void
world_trouble(struct world *world, struct trouble *ret_trouble)
{
    struct trouble *trouble = ret_trouble;
    unsigned heavy = one_in(world, 8) ? 10 : 1;
    uint64_t steps = 20 + (uint64_t)world->item_count * 8;
    *trouble = (struct trouble){.failures_max = one_in(world, 12) ? 0 : INT32_MAX};
    choose_faults(world, &trouble->source, heavy);
    choose_faults(world, &trouble->target, heavy);
    if (!world->is_stable) {
        trouble->source.item_error_permille = rate(world, 30);
        trouble->source.corrupt_permille = world->may_corrupt ? rate(world, 50) : 0;
        trouble->mutate_permille = rate(world, 20);
        trouble->foreign_permille = rate(world, 20);
    }
    switch (pick(world, 6)) {
    case 0:
    case 1: trouble->crash_step = 1 + pick(world, steps); break;
    case 2: trouble->interrupt_step = 1 + pick(world, steps); break;
    case 3: trouble->halt_at = 1 + pick(world, (uint64_t)world->item_count * 2 + 1); break;
    case 4: trouble->barrier_fails_at = 1 + pick(world, 8); break;
    default: break;
    }
    if (one_in(world, 12)) {
        trouble->source_list_fails_at = 1 + pick(world, world->item_count + 1);
    }
    if (one_in(world, 12)) {
        trouble->target_list_fails_at = 1 + pick(world, world->item_count + 1);
    }
}

void
world_mutate(struct world *world)
{
    if (world->source.count == 0) {
        return;
    }
    struct memory_blob *blob = world->source.blobs[pick(world, world->source.count)];
    uint64_t version = version_of(blob->props.mtime_ns) + 1;
    if (blob->kind != ENTRY_ITEM) {
        return;
    }
    if (blob->exists && one_in(world, 4)) {
        blob->exists = false;
        return;
    }
    bool is_archived = blob->props.is_archived;
    uint64_t len = one_in(world, 2) ? blob->props.original_bytes : pick_size(world);
    (void)set(world, &world->source, blob->name, version, len);
    blob->good_bytes = MIN_OF(blob->good_bytes, len == 0 ? 0 : blob->props.size_bytes - 1);
    blob->props.is_archived = is_archived;
}

/* Preferably under a name of which blocks are on their way. */
void
world_write_foreign(struct world *world)
{
    char name[256];
    if (world->source.count == 0) {
        return;
    }
    const char *chosen = world->source.blobs[pick(world, world->source.count)]->name;
    if (!list_is_empty(&world->target.staged) && one_in(world, 2)) {
        chosen = CONTAINER_OF(world->target.staged.next, struct memory_staged, link)->name;
    }
    (void)snprintf(name, sizeof name, "%s", chosen);
    world->has_foreign = true;
    if (!world->target_caps.is_local) { /* there the blocks are staged elsewhere */
        memory_store_drop_staged(&world->target, name, NULL, 0);
    }
    (void)set(world, &world->target, name, VERSION_OTHERS + pick(world, 100), pick_size(world));
}

/* Stores do not keep unfinished items for ever. */
void
world_expire(struct world *world)
{
    struct list *next = NULL;
    uint64_t share = 1 + pick(world, 3);
    world->has_expired = true;
    for (struct list *at = world->target.staged.next; at != &world->target.staged; at = next) {
        struct memory_staged *staged = CONTAINER_OF(at, struct memory_staged, link);
        next = at->next;
        if (one_in(world, share)) {
            memory_store_free_staged(staged);
        }
    }
}

bool
world_may_replace(const struct world *world, const struct blob_props *by, const char *name)
{
    const struct memory_blob *target = memory_store_find(&world->target, name);
    if (target == NULL || strcmp(target->props.job, by->job) == 0) {
        return true;
    }
    switch (world->options.overwrite) {
    case OVERWRITE_ALWAYS: return true;
    case OVERWRITE_NEVER: return false;
    case OVERWRITE_IF_NEWER: return by->mtime_ns > target->props.mtime_ns;
    case OVERWRITE_IF_DIFFERENT: break;
    }
    return target->props.original_bytes != by->original_bytes ||
           target->props.mtime_ns != by->mtime_ns;
}

/* ---- what should come of it ---- */

size_t
world_block_largest(const struct world *world)
{
    size_t largest = world->sizes.pool_bytes;
    while ((largest & (largest - 1)) != 0) {
        largest &= largest - 1; /* the pool's largest piece is a power of two */
    }
    return largest / 2;
}

static bool
has_too_many_blocks(const struct world *world, uint64_t size_bytes)
{
    uint64_t block = world->options.block_bytes;
    uint64_t most = world->target_caps.blocks_max;
    return most != 0 && (size_bytes + block - 1) / block > most;
}

/* Blocks grow in steps of a megabyte, so that every item of a simulation fits into one then. */
static bool
is_too_large(const struct world *world, const struct memory_blob *source)
{
    uint64_t size_bytes = source->props.original_bytes;
    uint64_t most = world->target_caps.item_bytes_max;
    return (most != 0 && size_bytes > most) ||
           (has_too_many_blocks(world, size_bytes) && size_bytes > world_block_largest(world));
}

static bool
tells_crc(const struct world *world, const struct memory_blob *source)
{
    return world->source_caps.keeps_props && source->props.has_crc64;
}

static enum item_state
expect_where_taken(const struct world *world, const struct memory_blob *source,
                   const struct memory_blob *target)
{
    bool is_same_size = target->props.original_bytes == source->props.original_bytes;
    int64_t apart_ns = target->props.mtime_ns - source->props.mtime_ns;
    bool is_one_block = source->props.original_bytes <= world->options.block_bytes ||
                        has_too_many_blocks(world, source->props.original_bytes);
    bool can_compare = tells_crc(world, source) || is_one_block;
    if (world->options.overwrite == OVERWRITE_ALWAYS) {
        return ITEM_COPIED;
    }
    if (is_same_size && apart_ns == 0) {
        return ITEM_UNCHANGED;
    }
    switch (world->options.overwrite) {
    case OVERWRITE_NEVER: return ITEM_SKIPPED;
    case OVERWRITE_IF_NEWER: return apart_ns >= 0 ? ITEM_SKIPPED : ITEM_COPIED;
    case OVERWRITE_IF_DIFFERENT:
        return is_same_size && can_compare && target->props.crc64 == source->props.crc64
                   ? ITEM_UNCHANGED
                   : ITEM_COPIED;
    case OVERWRITE_ALWAYS: break;
    }
    return ITEM_COPIED;
}

enum item_state
world_expect(const struct world *world, const struct memory_blob *source)
{
    const struct memory_blob *target = memory_store_find(&world->target, source->name);
    if (source->kind == ENTRY_FOLDER) {
        return ITEM_NONE;
    }
    if (source->kind == ENTRY_SKIPPED) {
        return ITEM_SKIPPED;
    }
    if (source->kind == ENTRY_FAILED || source->props.is_archived ||
        strncmp(source->name, "illegal", strlen("illegal")) == 0 || is_too_large(world, source)) {
        return ITEM_FAILED;
    }
    enum item_state state =
        target == NULL ? ITEM_COPIED : expect_where_taken(world, source, target);
    /* What cannot be read fails, unless nobody has to read it. */
    bool is_read = state == ITEM_COPIED || (state == ITEM_UNCHANGED && !tells_crc(world, source) &&
                                            target->props.mtime_ns != source->props.mtime_ns);
    return is_read && source->error != ERR_OK ? ITEM_FAILED : state;
}
