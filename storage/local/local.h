/*
 * storage/local/local.h - an end made of files: what a plain folder and the local store have in
 * common.
 *
 * The store is a folder too; what it adds (an index of properties, names that no file can have) is
 * reached through `index`, which is NULL for a plain folder.
 *
 *   owner    the end owns root, the index path and the publisher; backends own their connections
 *   thread   the end's fields are constant after prepare; the publisher has a thread of its own
 */
#ifndef STORAGE_LOCAL_LOCAL_H
#define STORAGE_LOCAL_LOCAL_H

#include "base/arena.h"
#include "base/text.h"
#include "storage/backend.h"
#include "storage/disk.h"
#include "storage/local/index.h"
#include "storage/local/places.h"

#include <sys/stat.h>

#define LOCAL_PARTIAL ".sallyport-partial"

struct publisher;

struct local_end {
    struct end end;
    struct end_options options;
    char *path;                  /* the folder all names are relative to */
    char *single_name;           /* the end is one file of this name; NULL otherwise */
    int root;                    /* opened path; -1 until prepare or the first use */
    char *store_dir;             /* store: DIR; NULL: a plain folder */
    char *key_prefix;            /* store: "ACCOUNT/CONTAINER/PREFIX/" */
    bool is_by_id;               /* store: no file can have these names; root stays -1 */
    char *index_path;            /* store; a plain folder as a target: from local_end_begin on */
    char *stage_path;            /* folder of staged files; made by prepare */
    int stage;                   /* opened stage_path */
    struct publisher *publisher; /* targets */
};

/* path is resolved. */
MUST_USE enum err_code local_end_new(const char *path, const struct end_ops *ops,
                                     const struct end_options *options, struct local_end **ret_end,
                                     struct err *err);
/* What both kinds put into their struct end_ops. */
enum err_code local_end_backend(struct end *end, const struct lane_io *io,
                                struct backend **ret_backend, struct err *err);
enum err_code local_end_prepare(struct end *end, bool dry_run, uint64_t *ret_free_bytes,
                                bool *ret_is_fresh, struct err *err);
enum err_code local_end_begin(struct end *end, const char *job_path, struct err *err);
enum err_code local_end_barrier(struct end *end, struct err *err);
enum err_code local_end_make_folder(struct end *end, const char *name, bool *ret_is_made,
                                    struct err *err);
enum err_code local_end_tidy(struct end *end, const char *nonce, struct err *err);
struct end *local_end_close(struct end *end);
/* Open root if it is not; a folder that is missing is ERR_STORE_GONE. */
MUST_USE enum err_code local_open_root(struct local_end *end, struct err *err);
MUST_USE enum err_code local_backend_new(struct local_end *end, const struct lane_io *io,
                                         struct backend **ret_backend, struct err *err);

/* ---- find.c ---- */
/* The key of a name in the index. */
void local_key(const struct local_end *end, const char *name, struct text *out);
/* Where the bytes of a key lie below DIR that no file can have for a name. */
void local_by_id(const char *key, struct text *out);
/* May a file below the root have this name? Else the store keeps it under by-id. */
bool local_may_be_file(const struct local_end *end, const char *name);
/* 0, or negative errno if there is no regular file; *ret_by_id: "" or its path below DIR. */
MUST_USE int local_find(const struct local_end *end, struct places *places, const char *name,
                        struct stat *st, struct text *ret_by_id);
/* A descriptor, or negative errno; also where the path is too long for one call. */
MUST_USE int local_open(const struct local_end *end, struct places *places, const char *name);
/* The same where opening below the root gave fd: a folder, or an error, sends a store to by-id. */
MUST_USE int local_open_by_id(const struct local_end *end, const char *name, int fd, int flags);
/* Has the file of this etag bytes of this checksum? Reads it; blocks. */
bool local_has_crc64(const struct local_end *end, struct places *places, const char *name,
                     const char *etag, uint64_t crc64);

/* ---- local_write.c ---- */
/* Where staged item `stage_id` of job `nonce` lies below the stage folder. */
#define LOCAL_STAGE_NAME_BYTES 64
void local_stage_name(const char *nonce, uint64_t stage_id,
                      char out[static LOCAL_STAGE_NAME_BYTES]);
/* And where its frames are joined, if it has such. */
void local_join_name(const char *nonce, uint64_t stage_id, char out[static LOCAL_STAGE_NAME_BYTES]);

/* ---- publisher.c ---- */
enum publish_step {
    PUBLISH_WAITS,  /* nothing is done yet */
    PUBLISH_PLACED, /* its row is written, and its folder is there */
    PUBLISH_ENDED,  /* it has its name */
};
struct publish {
    struct mail mail;
    struct blob_op *op;     /* COMMIT, or ADOPT: a file that is there gets its row */
    struct mailbox *answer; /* where it is posted when done */
    struct mailbox *wake;   /* whom to wake then; may be NULL */
    char stage_name[LOCAL_STAGE_NAME_BYTES];
    struct stat st;                 /* of the staged file, which it stays when it is published */
    char old_etag[BLOB_ETAG_BYTES]; /* of the file that it takes the place of; "": none */
    enum publish_step step;
    bool is_by_id; /* no file can have its name */
    struct list link;
};
enum publish_mail { PUBLISH_ITEM, PUBLISH_STOP };
MUST_USE enum err_code publisher_new(struct local_end *end, struct publisher **ret_publisher,
                                     struct err *err);
/* What is published from now on has a row in this index first. */
MUST_USE enum err_code publisher_use_index(struct publisher *publisher, const char *path,
                                           struct err *err);
struct publisher *publisher_free(struct publisher *publisher);
/* After this the publisher uses no mailbox of a backend that waits for nothing. Takes NULL. */
void publisher_settle(struct publisher *publisher);
void publisher_post(struct publisher *publisher, struct publish *publish);

#endif
