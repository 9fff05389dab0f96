/*
 * storage/azure/azure_text.h - what an Azure store says, taken apart: XML bodies, header fields,
 * and the list of blocks we send.
 *
 * The bytes are a stranger's. Parsers keep nothing unbounded: depth, lengths of names and values,
 * and the number of entries are limited, and a document type declaration ends the parse, so that no
 * entity is ever expanded.
 *
 *   shape    names at most AZURE_NAME_BYTES_MAX bytes; values longer than their field are cut off
 *   owner    parsers own what they hold until _free(); entries live in the arena given
 *   thread   one at a time
 *   errors   ERR_FORMAT names what was wrong
 *   source   List Blobs, Get Block List, Get Page Ranges, Put Block List, "Status and error codes",
 *            2021-12-02
 */
#ifndef STORAGE_AZURE_AZURE_TEXT_H
#define STORAGE_AZURE_AZURE_TEXT_H

#include "base/arena.h"
#include "base/text.h"
#include "storage/backend.h"

#define AZURE_NAME_BYTES_MAX   4096U
#define AZURE_MARKER_BYTES_MAX 4096U
#define AZURE_PAGE_BLOBS_MAX   5000U

/* ---- header fields and properties: one table serves both headers and listings ---- */

/* Put one property into props if it is one we know; texts go to arena. in_header: the name is a
 * header's ("x-ms-meta-..." included), else an element's. Cannot fail: nonsense is ignored. */
void azure_props_take(struct blob_props *props, struct arena *arena, bool in_header,
                      const char *name, size_t name_len, const char *value, size_t value_len);
/* One pair of metadata. */
void azure_props_take_metadata(struct blob_props *props, struct arena *arena, const char *name,
                               size_t name_len, const char *value, size_t value_len);
/* Derive what depends on several fields; call after the last take. */
void azure_props_finish(struct blob_props *props);
/* "0x8D..." and "\"0x8D...\"" are the same tag: with quotes, as headers have it. */
void azure_etag_copy(char out[static BLOB_ETAG_BYTES], const char *value, size_t value_len);
bool azure_etag_equal(const char *a, const char *b);

/* ---- List Blobs ---- */

struct azure_blob {
    char *name; /* decoded, in the arena */
    struct blob_props props;
    bool is_folder_mark; /* an empty blob that stands for a folder */
};

struct azure_page;
struct azure_page *azure_page_new(void);
struct azure_page *azure_page_free(struct azure_page *page);
/* Start a new answer; entries of the last one are gone. */
void azure_page_begin(struct azure_page *page);
MUST_USE enum err_code azure_page_add(struct azure_page *page, const void *bytes, size_t len,
                                      struct err *err);
MUST_USE enum err_code azure_page_end(struct azure_page *page, struct err *err);
unsigned azure_page_count(const struct azure_page *page);
const struct azure_blob *azure_page_blob(const struct azure_page *page, unsigned index);
const char *azure_page_marker(const struct azure_page *page); /* "": that was the last page */

/* ---- Get Block List ---- */

typedef void(azure_block_fn)(void *user, const char *id, uint64_t size_bytes);
MUST_USE enum err_code azure_parse_blocks(const void *bytes, size_t len, azure_block_fn *fn,
                                          void *user, struct err *err);

/* ---- Get Page Ranges ---- */

typedef void(azure_range_fn)(void *user, uint64_t first, uint64_t last);
MUST_USE enum err_code azure_parse_ranges(const void *bytes, size_t len, azure_range_fn *fn,
                                          void *user, struct err *err);

/* ---- errors ---- */

#define AZURE_CODE_BYTES  64
#define AZURE_WORDS_BYTES 160
/* Code and first line of the message of an error body, "" where it has none. Never fails. */
void azure_parse_error(const void *bytes, size_t len, char code[static AZURE_CODE_BYTES],
                       char words[static AZURE_WORDS_BYTES]);
/* What a status and code mean for an operation of this kind. */
enum err_code azure_classify(enum blob_verb verb, int status, const char *code);

/* ---- unfinished page blobs ---- */

#define AZURE_PARTIAL     "partial" /* x-ms-meta-sallyport_state */
#define AZURE_STAGE_BYTES 33
/* x-ms-meta-sallyport_stage: stage and session, 16 hex digits each. */
void azure_stage_text(uint64_t stage_id, uint64_t session, char out[static AZURE_STAGE_BYTES]);
/* What no other writer's page blob has but by a chance of one in 2^53, and any store can hold as a
 * number. */
uint64_t azure_sequence(const char *nonce, uint64_t stage_id);

/* ---- blocks ---- */

#define AZURE_BLOCK_ID_BYTES 41
/* Base64 of nonce, stage and index: all of the same length, recognisable as this job's. */
void azure_block_id(const char *nonce, uint64_t stage_id, uint32_t index,
                    char out[static AZURE_BLOCK_ID_BYTES]);
/* True and the index if id is one of this stage's. */
bool azure_block_index(const char *id, const char *nonce, uint64_t stage_id, uint32_t *ret_index);
/* The body of Put Block List. */
void azure_block_list(struct text *out, const char *nonce, uint64_t stage_id, uint32_t count);

#endif
