/*
 * tests/unit/device/judge_support.h - judge one path and compare with what a row of a table says.
 *
 *   owner    the judgement is judge_support's until the next call
 *   thread   that of the test
 */
#ifndef TESTS_UNIT_DEVICE_JUDGE_SUPPORT_H
#define TESTS_UNIT_DEVICE_JUDGE_SUPPORT_H

#include "ingest/device/judge.h"
#include "tests/support/check.h"

#define GIB ((uint64_t)1 << 30)
#define TIB ((uint64_t)1 << 40)

struct judge_case {
    const char *path;
    enum verdict_of_entry verdict;
    enum finding_code worst;
    const char *container; /* NULL: not compared, with what follows */
    const char *name;
    enum blob_type type;
    enum blob_tier tier;
};

struct judge_rules judge_rules_of(enum device_sku sku, bool has_tiers);
/* A file of size_bytes; of this kind by content, VHD_KIND_COUNT: not looked at. */
const struct judgement *judge_file_at(const struct judge_rules *rules, const char *path,
                                      uint64_t size_bytes, enum vhd_kind kind);
const struct judgement *judge_what_at(const struct judge_rules *rules, const char *path,
                                      enum entry_what what);
/* Files of 32 MiB, which every kind may have, not looked at. */
void judge_check(const struct judge_rules *rules, const struct judge_case *cases, size_t count);
bool judge_has(const struct judgement *judgement, enum finding_code code);
bool judge_has_settled(const struct judgement *judgement, enum finding_code code);
int judge_forget(void **state);

#endif
