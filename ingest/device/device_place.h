/*
 * ingest/device/device_place.h - what the copy engine asks of each entry of a device: where it
 * goes, as what, and which checksum its manifest wants.
 *
 * The same judge that made the checks answers here, so that what validate says is what copy does.
 * Names at the target are ACCOUNT/CONTAINER/BLOB.
 *
 *   owner    the place borrows rules and manifest; device_place_close() frees the rest
 *   thread   the scan's; blocks on two small reads where content decides
 *   errors   in the answer
 */
#ifndef INGEST_DEVICE_DEVICE_PLACE_H
#define INGEST_DEVICE_DEVICE_PLACE_H

#include "ingest/copy/copy.h"
#include "ingest/device/judge.h"
#include "ingest/device/manifest_set.h"

struct device_place {
    const struct judge_rules *rules;
    struct manifest_set *manifest; /* keyed SHARE/PATH; NULL: nothing is compared */
    const char *only_account;      /* of a disk, whose shares name none; NULL otherwise */
    int root;                      /* the device, opened */
    struct judge_scratch scratch;
    struct text target;
    struct text key;
};

MUST_USE enum err_code device_place_open(struct device_place *place, const char *path,
                                         struct err *err);
void device_place_close(struct device_place *place);
/* The judge's answer; its texts live until the next call. The account is only_account's if there is
 * one. */
void device_place_judge(struct device_place *place, const struct entry *entry,
                        struct judgement *ret);
/* A copy_place_fn; user is the struct device_place. */
void device_place_ask(void *place, const struct entry *entry, struct copy_place *ret_place);

#endif
