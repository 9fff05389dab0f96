#include "ingest/device/manifest_set.h"

#include "base/arena.h"
#include "base/digest.h"
#include "base/fd.h"

#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BITS_MIN     12U
#define BITS_MAX     40U
#define SECRET_BYTES XXH3_SECRET_SIZE_MIN

/* The low bits of the second half of a hash are ours. */
#define SLOT_USED  UINT64_C(1)
#define SLOT_CRC   UINT64_C(2)
#define SLOT_SEEN  UINT64_C(4)
#define SLOT_MARKS UINT64_C(7)

struct slot {
    uint64_t high; /* of the hash; its top bits are the place */
    _Atomic uint64_t low;
    uint64_t size_bytes;
    uint64_t crc64;
};
_Static_assert(sizeof(struct slot) == 32, "a slot is 32 bytes in a file that is never read again");

struct manifest_set {
    char *folder;
    struct slot *slots;
    unsigned bits;
    uint64_t count;
    _Atomic uint64_t seen;
    /* Not only a seed: who writes the manifest must not know which paths have one hash. */
    uint8_t secret[SECRET_BYTES];
};

static size_t
bytes_of(unsigned bits)
{
    return sizeof(struct slot) << bits;
}

static enum err_code
room_failed(const struct manifest_set *set, int sys, struct err *err)
{
    bool is_full = sys == ENOSPC || sys == EDQUOT || sys == ENOMEM || sys == EFBIG;
    return err_set_sys(err, is_full ? ERR_STATE_FULL : ERR_CONFIG, sys,
                       "could not make a temporary table in '%s'", set->folder);
}

static int
open_unlinked(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) {
        return fd;
    }
    AUTO_TEXT path = TEXT_INIT;
    text_addf(&path, "%s/manifest.XXXXXX", folder);
    fd = mkostemp(path.bytes, O_CLOEXEC);
    if (fd >= 0) {
        (void)unlink(path.bytes);
    }
    return fd;
}

/* An empty table. All its room is taken at once: a disk that is full later would kill us. */
static enum err_code
map_table(const struct manifest_set *set, unsigned bits, struct slot **ret_slots, struct err *err)
{
    if (bits > BITS_MAX) {
        return room_failed(set, EFBIG, err);
    }
    AUTO_FD fd = open_unlinked(set->folder);
    if (fd < 0) {
        return room_failed(set, errno, err);
    }
    int sys = posix_fallocate(fd, 0, (off_t)bytes_of(bits));
    if (sys != 0) {
        return room_failed(set, sys, err);
    }
    void *slots = mmap(NULL, bytes_of(bits), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (slots == MAP_FAILED) {
        return room_failed(set, errno, err);
    }
    *ret_slots = slots;
    return ERR_OK;
}

enum err_code
manifest_set_new(const char *folder, struct manifest_set **ret_set, struct err *err)
{
    struct manifest_set *set = mem_take(sizeof *set);
    set->folder = mem_text(folder);
    set->bits = BITS_MIN;
    random_bytes(set->secret, sizeof set->secret);
    enum err_code code = map_table(set, set->bits, &set->slots, err);
    if (code != ERR_OK) {
        manifest_set_free(set);
        return code;
    }
    *ret_set = set;
    return ERR_OK;
}

struct manifest_set *
manifest_set_free(struct manifest_set *set)
{
    if (set != NULL && set->slots != NULL) {
        (void)munmap(set->slots, bytes_of(set->bits));
    }
    if (set != NULL) {
        mem_give(set->folder);
    }
    return mem_give(set);
}

static XXH128_hash_t
hash_of(const struct manifest_set *set, const char *path, size_t len)
{
    XXH128_hash_t hash = XXH3_128bits_withSecret(path, len, set->secret, sizeof set->secret);
    hash.low64 &= ~SLOT_MARKS;
    return hash;
}

/* The slot of this hash, or the free one where it belongs. */
static struct slot *
probe(struct slot *slots, unsigned bits, XXH128_hash_t hash)
{
    uint64_t mask = (UINT64_C(1) << bits) - 1;
    for (uint64_t i = hash.high64 >> (64 - bits);; i = (i + 1) & mask) {
        struct slot *slot = &slots[i];
        uint64_t low = atomic_load_explicit(&slot->low, memory_order_relaxed);
        bool is_it = slot->high == hash.high64 && (low & ~SLOT_MARKS) == hash.low64;
        if ((low & SLOT_USED) == 0 || is_it) {
            return slot;
        }
    }
}

/* Places are the top bits of the hash, so that old and new table are gone through in order, which
 * also a table that memory does not hold bears. */
static enum err_code
grow(struct manifest_set *set, struct err *err)
{
    struct slot *slots = NULL;
    enum err_code code = map_table(set, set->bits + 1, &slots, err);
    if (code != ERR_OK) {
        return code;
    }
    for (uint64_t i = 0; i < UINT64_C(1) << set->bits; i++) {
        const struct slot *old = &set->slots[i];
        uint64_t low = atomic_load_explicit(&old->low, memory_order_relaxed);
        if ((low & SLOT_USED) != 0) {
            XXH128_hash_t hash = {.high64 = old->high, .low64 = low & ~SLOT_MARKS};
            struct slot *slot = probe(slots, set->bits + 1, hash);
            slot->high = old->high;
            slot->size_bytes = old->size_bytes;
            slot->crc64 = old->crc64;
            atomic_store_explicit(&slot->low, low, memory_order_relaxed);
        }
    }
    (void)munmap(set->slots, bytes_of(set->bits));
    set->slots = slots;
    set->bits++;
    return ERR_OK;
}

enum err_code
manifest_set_add(struct manifest_set *set, const struct manifest_entry *entry, bool *ret_is_new,
                 struct err *err)
{
    uint64_t room = UINT64_C(1) << set->bits;
    if (set->count >= room - room / 4) {
        enum err_code code = grow(set, err);
        if (code != ERR_OK) {
            return code;
        }
    }
    XXH128_hash_t hash = hash_of(set, entry->path, entry->path_len);
    struct slot *slot = probe(set->slots, set->bits, hash);
    uint64_t low = atomic_load_explicit(&slot->low, memory_order_relaxed);
    *ret_is_new = (low & SLOT_USED) == 0;
    if (*ret_is_new) {
        slot->high = hash.high64;
        slot->size_bytes = entry->size_bytes;
        slot->crc64 = entry->crc64;
        low = hash.low64 | SLOT_USED | (entry->has_crc64 ? SLOT_CRC : 0);
        atomic_store_explicit(&slot->low, low, memory_order_relaxed);
        set->count++;
    }
    return ERR_OK;
}

bool
manifest_set_find(struct manifest_set *set, const char *path, size_t path_len,
                  struct manifest_fact *ret_fact)
{
    struct slot *slot = probe(set->slots, set->bits, hash_of(set, path, path_len));
    uint64_t low = atomic_load_explicit(&slot->low, memory_order_relaxed);
    if ((low & SLOT_USED) == 0) {
        return false;
    }
    if ((low & SLOT_SEEN) == 0) {
        low = atomic_fetch_or_explicit(&slot->low, SLOT_SEEN, memory_order_relaxed);
        /* Of two that see it first at a time, one counts. */
        if ((low & SLOT_SEEN) == 0) {
            atomic_fetch_add_explicit(&set->seen, 1, memory_order_relaxed);
        }
    }
    *ret_fact = (struct manifest_fact){
        .size_bytes = slot->size_bytes, .crc64 = slot->crc64, .has_crc64 = (low & SLOT_CRC) != 0};
    return true;
}

bool
manifest_set_was_seen(const struct manifest_set *set, const char *path, size_t path_len)
{
    const struct slot *slot = probe(set->slots, set->bits, hash_of(set, path, path_len));
    uint64_t low = atomic_load_explicit(&slot->low, memory_order_relaxed);
    return (low & SLOT_SEEN) != 0;
}

uint64_t
manifest_set_count(const struct manifest_set *set)
{
    return set->count;
}

uint64_t
manifest_set_seen_count(const struct manifest_set *set)
{
    return atomic_load_explicit(&set->seen, memory_order_relaxed);
}
