/*
 * bench/server/fault.h - misbehaviour on demand, so that clients can be tested against it.
 *
 * A rule counts the requests its kind can happen to and fires on some of them:
 *
 *     KIND[:every=N][:after=N][:count=N][:status=S][:seconds=S][:verb=V]
 *
 * The first `after` requests are spared; of those that follow every `every`th is hit (default: all
 * of them), at most `count` times. `verb` narrows a rule to one verb.
 *
 *   thread   any; the counters are atomic, so with several threads the order is as requests come
 */
#ifndef BENCH_SERVER_FAULT_H
#define BENCH_SERVER_FAULT_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

// clang-format off
#define VERB_MAP(X)                          \
    X(PUT_BLOB,         "put-blob")          \
    X(PUT_BLOCK,        "put-block")         \
    X(PUT_BLOCK_LIST,   "put-block-list")    \
    X(GET_BLOCK_LIST,   "get-block-list")    \
    X(PUT_PAGE,         "put-page")          \
    X(GET_PAGE_RANGES,  "get-page-ranges")   \
    X(GET_BLOB,         "get-blob")          \
    X(HEAD_BLOB,        "head-blob")         \
    X(SET_BLOB,         "set-blob")          \
    X(DELETE_BLOB,      "delete-blob")       \
    X(LIST_BLOBS,       "list-blobs")        \
    X(PUT_CONTAINER,    "put-container")     \
    X(HEAD_CONTAINER,   "head-container")    \
    X(DELETE_CONTAINER, "delete-container")  \
    X(LIST_CONTAINERS,  "list-containers")   \
    X(ACCOUNT,          "account")           \
    X(OTHER,            "other")
#define VERBS_ALL  ((1U << VERB_COUNT) - 1)
#define VERBS_PUTS (1U << VERB_PUT_BLOB | 1U << VERB_PUT_BLOCK | 1U << VERB_PUT_PAGE)
#define VERBS_ENDS (1U << VERB_PUT_BLOB | 1U << VERB_PUT_BLOCK_LIST | 1U << VERB_PUT_PAGE)
#define VERBS_GETS (1U << VERB_GET_BLOB)
#define VERBS_WRITES (VERBS_PUTS | VERBS_ENDS)
/*    id           word           happens to     status seconds */
#define FAULT_MAP(X)                                     \
    X(BUSY,        "busy",        VERBS_ALL,     503,   1) \
    X(ERROR,       "error",       VERBS_ALL,     500,   0) \
    X(THROTTLE,    "throttle",    VERBS_ALL,     429,   1) \
    X(RESET,       "reset",       VERBS_ALL,     0,     0) \
    X(HANG,        "hang",        VERBS_ALL,     0,     0) \
    X(SLOW_CLOSE,  "slow-close",  VERBS_ALL,     0,     5) \
    X(WRONG_CRC,   "wrong-crc",   VERBS_PUTS,    0,     0) \
    X(NO_CRC,      "no-crc",      VERBS_PUTS,    0,     0) \
    X(REFUSE_CRC,  "refuse-crc",  VERBS_PUTS,    400,   0) \
    X(EXPIRE,      "expire",      VERBS_ALL,     403,   0) \
    X(STEAL,       "steal",       VERBS_ENDS,    0,     0) \
    X(TRUNCATE,    "truncate",    VERBS_GETS,    0,     0) \
    X(CORRUPT,     "corrupt",     VERBS_GETS,    0,     0) \
    X(LOST_ANSWER, "lost-answer", VERBS_ALL,     0,     0) \
    X(GONE,        "gone",        VERBS_ALL,     404,   0) \
    X(FULL,        "full",        VERBS_WRITES,  507,   0)
// clang-format on
#define VERB_AS_ENUM(id, word)                         VERB_##id,
#define FAULT_AS_ENUM(id, word, verbs, status, second) FAULT_##id,
enum verb { VERB_MAP(VERB_AS_ENUM) VERB_COUNT };
enum fault_kind { FAULT_MAP(FAULT_AS_ENUM) FAULT_COUNT };
extern const char *const verb_words[VERB_COUNT];
extern const char *const fault_words[FAULT_COUNT];

#define FAULT_RULES_MAX 32

struct fault_rule {
    enum fault_kind kind;
    uint64_t every;
    uint64_t after;
    uint64_t count;
    unsigned status;
    unsigned seconds;
    unsigned verbs; /* bits */
    atomic_uint_least64_t seen;
    atomic_uint_least64_t hits;
    atomic_bool is_over;
};

struct faults {
    struct fault_rule rules[FAULT_RULES_MAX];
    unsigned count;
};

/* What happens to one request: a bit per kind, and the rule that says how. */
struct fault_hits {
    unsigned kinds;
    const struct fault_rule *rules[FAULT_COUNT];
};

MUST_USE enum err_code faults_add(struct faults *faults, const char *text, struct err *err);
void faults_pick(struct faults *faults, enum verb verb, struct fault_hits *ret_hits);
/* Credentials are good again: no `expire` from now on. */
void faults_renew(struct faults *faults);
uint64_t faults_count(const struct faults *faults, enum fault_kind kind);

static inline bool
fault_has(const struct fault_hits *hits, enum fault_kind kind)
{
    return (hits->kinds & 1U << kind) != 0;
}

#endif
