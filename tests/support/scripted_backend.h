/*
 * tests/support/scripted_backend.h - an inner backend for the tests of wrappers: it answers what it
 * was told to, one answer per op, in its next poll.
 *
 *   shape    up to SCRIPTED_MAX ops at a time and answers; without an answer left, ops succeed
 *   owner    the test; freeing the backend only counts
 */
#ifndef TESTS_SUPPORT_SCRIPTED_BACKEND_H
#define TESTS_SUPPORT_SCRIPTED_BACKEND_H

#include "storage/backend.h"

#define SCRIPTED_MAX  64U
#define SCRIPTED_BYTE 0x5a /* what a READ finds */

struct scripted_answer {
    enum err_code code;
    const char *text;
    int64_t retry_after_ns;
};

struct scripted_backend {
    struct backend backend;
    struct scripted_answer answers[SCRIPTED_MAX];
    unsigned answer_count;
    unsigned answered;
    struct blob_op *held[SCRIPTED_MAX];
    unsigned held_count;
    unsigned submits;  /* accepted */
    unsigned refusals; /* so many submits from now on are answered BUSY */
    unsigned cancels;
    unsigned frees;
    bool is_holding;   /* poll answers nothing */
    uint32_t last_len; /* of the op accepted last */
    bool was_dirty;    /* an op came with results of an earlier try */
};

void scripted_backend_init(struct scripted_backend *scripted);
void scripted_backend_answer(struct scripted_backend *scripted, enum err_code code,
                             const char *text);

#endif
