/*
 * ingest/copy/receipt.h - the signed list of what was stored: written after a copy, read by anyone.
 *
 * JSON Lines. The first line is a header, then one line per stored item in the order of storing,
 * the last line counts them and carries the SHA-256 of all bytes before it and an Ed25519 signature
 * over those 32 bytes. A receipt that is read is a stranger's until its last line was checked.
 *
 *   shape    a line has at most RECEIPT_LINE_BYTES_MAX bytes; any number of lines
 *   owner    texts of a struct receipt_item live until the next line is read
 *   thread   one
 *   durable  written beside its final name, synced, then renamed
 *   errors   ERR_RECEIPT: not a receipt, damaged, cut off, signed by another key;
 *            ERR_CONFIG, ERR_STATE_FULL: the file cannot be read or written
 */
#ifndef INGEST_COPY_RECEIPT_H
#define INGEST_COPY_RECEIPT_H

#include "base/digest.h"
#include "base/sign.h"
#include "base/text.h"
#include "ingest/copy/plan.h"
#include "ingest/copy/verify.h"

#define RECEIPT_LINE_BYTES_MAX ((size_t)64 * 1024)
#define RECEIPT_SCHEMA         "sallyport.receipt/1"

struct receipt_job {
    const char *job;    /* nonce */
    const char *device; /* what it is called; NULL: the source is none */
    const char *source;
    const char *target;
    const char *prefix; /* of the blobs' names at the target; NULL: none */
    const char *plan_path;
    const struct clock *clock;
    const struct verify_result *verified;
    const atomic_int *signal; /* not 0: it is not written to its end; may be NULL */
};

/* Write the receipt of everything the plan has as stored. */
MUST_USE enum err_code receipt_write(const char *path, const struct receipt_job *job,
                                     const struct sign_key *key, struct err *err);
/* Could a receipt be written under this name? Makes nothing. */
MUST_USE enum err_code receipt_check_place(const char *path, struct err *err);
/* The same bytes under another name. */
MUST_USE enum err_code receipt_copy(const char *from, const char *to, struct err *err);

struct receipt_item {
    const char *path;
    const char
        *blob; /* in its container, or ACCOUNT/CONTAINER/BLOB of a device's; NULL: not said */
    const char *name; /* at the target that it is compared with: path, of a device blob */
    bool is_of_device;
    uint64_t size_bytes;
    uint64_t crc64;
    bool has_crc64;
    bool has_md5;
    uint8_t md5[MD5_BYTES];
};

enum receipt_kind { RECEIPT_HEADER, RECEIPT_ITEM, RECEIPT_END };
struct receipt_line {
    enum receipt_kind kind;
    struct receipt_item item;    /* ITEM */
    struct text path;            /* what item.path points to; kept between lines */
    struct text blob;            /* likewise */
    bool is_of_device;           /* HEADER; kept for the items after it */
    uint8_t der[SIGN_DER_BYTES]; /* HEADER */
    uint64_t count;              /* END */
    uint8_t sha256[SHA256_BYTES];
    uint8_t signature[SIGN_BYTES];
};
void receipt_line_done(struct receipt_line *line);
/* One line without its newline; what comes after the header is read as that says. Pure. */
MUST_USE enum err_code receipt_parse(const char *bytes, size_t len, struct receipt_line *line,
                                     struct err *err);

/* Read all of it; items are told before the signature is known to be right. */
typedef enum err_code(receipt_item_fn)(void *user, const struct receipt_item *item,
                                       struct err *err);
MUST_USE enum err_code receipt_read(const char *path, const struct sign_key *key,
                                    receipt_item_fn *fn, void *user, struct err *err);

#endif
