#include "bench/hash.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/crc64.h"
#include "base/digest.h"

#include <string.h>

struct subject {
    crc64_impl_fn *crc; /* or */
    enum digest_kind digest;
    bool is_xxh3;
};

/* Results go here, so that no compiler can find the work unneeded. */
static volatile uint64_t kept;

static enum err_code
run_once(const struct subject *subject, const void *bytes, size_t len, struct err *err)
{
    uint8_t sum[DIGEST_BYTES_MAX] = {0};
    enum err_code code = ERR_OK;
    if (subject->crc != NULL) {
        kept = subject->crc(CRC64_EMPTY, bytes, len);
        return ERR_OK;
    }
    if (subject->is_xxh3) {
        digest_xxh3(bytes, len, sum);
    } else if (subject->digest == DIGEST_MD5) {
        code = digest_md5(bytes, len, sum, err);
    } else {
        code = digest_sha256(bytes, len, sum, err);
    }
    kept = sum[0];
    return code;
}

/* What each of them is measured with. */
struct sample {
    const void *bytes;
    size_t len;
    int64_t each_ns;
    const atomic_int *signal;
};

static enum err_code
measure(const struct subject *subject, const struct sample *sample, double *ret_bytes_per_second,
        struct err *err)
{
    uint64_t rounds = 0;
    int64_t passed_ns = 0;
    /* Once for caches, tables and the processor's clock. */
    enum err_code code = run_once(subject, sample->bytes, sample->len, err);
    int64_t began_ns = clock_mono_ns(&clock_system);
    while (code == ERR_OK && passed_ns < sample->each_ns) {
        code = run_once(subject, sample->bytes, sample->len, err);
        rounds++;
        passed_ns = clock_mono_ns(&clock_system) - began_ns;
        if (code == ERR_OK && atomic_load(sample->signal) != 0) {
            code = err_set(err, ERR_INTERRUPTED, "interrupted while measuring");
        }
    }
    *ret_bytes_per_second =
        passed_ns > 0 ? (double)rounds * (double)sample->len * 1e9 / (double)passed_ns : 0;
    return code;
}

enum err_code
hash_bench(size_t buffer_bytes, int64_t each_ns, const atomic_int *signal,
           struct hash_result *ret_results, unsigned *ret_count, struct err *err)
{
    static const char *const crc_names[][2] = {
        {"table", "crc64-table"}, {"clmul", "crc64-clmul"}, {"vpclmul", "crc64-vpclmul"}};
    struct subject subjects[HASH_RESULTS_MAX];
    unsigned count = 0;
    size_t impl_count = 0;
    const struct crc64_impl *impls = crc64_impls(&impl_count);
    for (size_t i = 0; i < impl_count && count < HASH_RESULTS_MAX - 3; i++, count++) {
        const char *name = impls[i].name;
        for (size_t j = 0; j < COUNT_OF(crc_names); j++) {
            name = strcmp(name, crc_names[j][0]) == 0 ? crc_names[j][1] : name;
        }
        subjects[count] = (struct subject){.crc = impls[i].fn};
        ret_results[count] =
            (struct hash_result){.name = name,
                                 .is_usable = impls[i].fn != NULL,
                                 .is_used = strcmp(impls[i].name, crc64_impl_name()) == 0};
    }
    ret_results[count] = (struct hash_result){.name = "xxh3-128", .is_usable = true};
    subjects[count++] = (struct subject){.is_xxh3 = true};
    ret_results[count] = (struct hash_result){.name = "md5", .is_usable = true};
    subjects[count++] = (struct subject){.digest = DIGEST_MD5};
    ret_results[count] = (struct hash_result){.name = "sha256", .is_usable = true};
    subjects[count++] = (struct subject){.digest = DIGEST_SHA256};
    char *bytes = mem_take(buffer_bytes);
    const struct sample sample = {
        .bytes = bytes, .len = buffer_bytes, .each_ns = each_ns, .signal = signal};
    (void)memset(bytes, 0x5a, buffer_bytes);
    enum err_code code = ERR_OK;
    for (unsigned i = 0; i < count && code == ERR_OK; i++) {
        if (ret_results[i].is_usable) {
            code = measure(&subjects[i], &sample, &ret_results[i].bytes_per_second, err);
        }
    }
    mem_give(bytes);
    *ret_count = count;
    return code;
}
