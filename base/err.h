/*
 * base/err.h - errors by value, with the recovery policy as a column.
 *
 * The hardest thing: an error is born deep in a lane and read by a person in another thread, so it
 * travels as a plain value inside the operation that failed. Nothing is thread-local, nothing is
 * allocated.
 *
 *   shape    struct err has a fixed size; a text of more than ERR_TEXT_BYTES_MAX - 1 bytes has its
 *            middle left out, so that the reason at its end stays
 *   owner    the caller, or the operation it is embedded in
 *   thread   any; a value has no identity
 *   errors   a failed call leaves every ret_ parameter untouched
 *   source   texts: docs/STYLE.md, "Errors"; the table below is printed by `sallyport error list`
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attr.h"

#include <stdarg.h>
#include <stdbool.h>

/* What the engine does about it. The whole recovery policy is this column of ERR_MAP. */
enum err_class {
    ERR_CLASS_NONE,  /* not an error */
    ERR_CLASS_WAIT,  /* no room now; ask again when something completes */
    ERR_CLASS_RETRY, /* transient; the retry backend tries again, then the job stops, resumable */
    ERR_CLASS_ITEM,  /* this item fails and is recorded; the job goes on */
    ERR_CLASS_HALT,  /* someone must act; the job drains and stops, resumable */
    ERR_CLASS_FAIL,  /* the command is over */
    ERR_CLASS_COUNT
};

/* Exit codes of the program; frozen, documented in the manual page. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_ITEMS_FAILED = 3,
    EXIT_WARNINGS = 4,
    EXIT_MISMATCH = 5,
    EXIT_TEMPORARY = 6,
    EXIT_NOT_AUTHORISED = 7,
    EXIT_CONFIG = 8,
    EXIT_NOTHING = 9,
    EXIT_SUSPENDED = 10,
    EXIT_DENIED = 11,
    EXIT_EXPIRED = 12,
    EXIT_HALTED = 13,
    EXIT_SIGINT = 130,
    EXIT_SIGTERM = 143,
};

// clang-format off
#define ERR_MAP(X)                                                                                 \
/*    id                wire name               class  exit            who         sentence                                              hint */ \
    X(OK,               "ok",                   NONE,  DONE,           "-",        "success",                                            "Nothing to do.") \
    X(BUSY,             "busy",                 WAIT,  TEMPORARY,      "-",        "no free slot",                                       "Nothing to do: the work waits its turn.") \
    X(THROTTLED,        "store-throttled",      RETRY, TEMPORARY,      "operator", "the store asked us to slow down",                    "Run the same command again later, or lower --in-flight or --bandwidth.") \
    X(STORE_BUSY,       "store-unavailable",    RETRY, TEMPORARY,      "operator", "the store answered with a server error",             "Run the same command again later; it continues where it stopped.") \
    X(NETWORK,          "network",              RETRY, TEMPORARY,      "operator", "the connection to the store was lost",               "Check the network and the address, then run the same command again.") \
    X(TIMEOUT,          "timeout",              RETRY, TEMPORARY,      "operator", "the store did not answer in time",                   "Check the store, then run the same command again; it continues where it stopped.") \
    X(STALLED,          "stalled",              HALT,  TEMPORARY,      "operator", "nothing has moved for too long",                     "Look at the bottleneck shown, then run the same command again.") \
    X(STORE_AUTH,       "store-auth",           HALT,  NOT_AUTHORISED, "operator", "the store refused the credentials",                  "Renew the credentials, then run the same command again; it continues where it stopped.") \
    X(STORE_GONE,       "store-gone",           HALT,  HALTED,         "customer", "the account or container does not exist",            "Create or recover it, then run the same command again.") \
    X(STORE_FULL,       "store-full",           HALT,  HALTED,         "operator", "the target has no space left",                       "Free space at the target, then run the same command again; it continues where it stopped.") \
    X(STORE_READ_ONLY,  "store-read-only",      HALT,  HALTED,         "operator", "the target cannot be written",                       "Make the target writable, then run the same command again.") \
    X(STATE_FULL,       "state-full",           HALT,  HALTED,         "operator", "the state folder has no space left",                 "Free space there, or name another folder with --state.") \
    X(TOO_MANY_FAILURES,"too-many-failures",    HALT,  HALTED,         "operator", "too many items failed",                              "Look at the failed items, then run the same command again.") \
    X(ITEM_GONE,        "item-gone",            ITEM,  ITEMS_FAILED,   "operator", "the item vanished before it was read",               "Run the same command again if it should have been there.") \
    X(ITEM_CHANGED,     "item-changed",         ITEM,  ITEMS_FAILED,   "operator", "the item changed while it was read",                 "Stop what writes to it, then run the same command again.") \
    X(ITEM_ACCESS,      "item-access",          ITEM,  ITEMS_FAILED,   "operator", "the item cannot be read",                            "Grant read permission, then run the same command again.") \
    X(ITEM_IO,          "item-io",              ITEM,  ITEMS_FAILED,   "operator", "the item could not be read from its disk",           "Check the disk (dmesg), then run the same command again.") \
    X(ITEM_SPECIAL,     "item-special",         ITEM,  ITEMS_FAILED,   "customer", "not a regular file: it cannot be stored as a blob",  "Remove it, or leave it out with --exclude; symbolic links: --links skip or follow.") \
    X(NAME_ILLEGAL,     "name-illegal",         ITEM,  ITEMS_FAILED,   "customer", "the target cannot hold an item of this name",        "Rename it, or leave it out with --exclude.") \
    X(ITEM_TOO_LARGE,   "item-too-large",       ITEM,  ITEMS_FAILED,   "customer", "the item is larger than the target or --memory allows", "Store it in pieces, or raise --memory to the value named.") \
    X(ITEM_ALIGNMENT,   "item-alignment",       ITEM,  ITEMS_FAILED,   "customer", "a page blob needs a multiple of 512 bytes",          "Pad the item to the next multiple of 512 bytes, or store it as a block blob.") \
    X(KEPT,             "kept",                 ITEM,  DONE,           "-",        "the target has something else of this name, which --overwrite keeps", "Copy again with another --overwrite if it should be replaced.") \
    X(LEFT_OUT,         "left-out",             ITEM,  DONE,           "-",        "a rule or the fix plan leaves the item out",         "Nothing to do, if the rule is meant.") \
    X(FINDING,          "device-finding",       ITEM,  ITEMS_FAILED,   "customer", "the checks of the device do not let the item be copied", "See 'sallyport error explain' with the code named, and 'sallyport validate'.") \
    X(DEVICE,           "device-halted",        HALT,  HALTED,         "support",  "what is on the device must be fixed first",          "See the findings; 'sallyport validate' shows them with a plan that would fix what a machine can.") \
    X(NOT_DATA,         "not-data",             ITEM,  DONE,           "-",        "the folder holds the program's own files",           "Nothing to do: what it holds belongs to a store or to a copy that is not finished.") \
    X(ITEM_REFUSED,     "item-refused",         ITEM,  ITEMS_FAILED,   "operator", "the store refused this item",                        "Read the store's own words beside this code.") \
    X(OTHER_WRITER,     "other-writer",         ITEM,  ITEMS_FAILED,   "operator", "another writer changed this blob meanwhile",         "Stop the other writer, then run the same command again.") \
    X(BLOB_ARCHIVED,    "blob-archived",        ITEM,  ITEMS_FAILED,   "customer", "the blob is in the archive tier",                    "Rehydrate it first, then run the same command again.") \
    X(DIGEST,           "digest-mismatch",      ITEM,  MISMATCH,       "support",  "the bytes do not match their checksum",              "Run the same command again; if it stays, the source or the store is damaged.") \
    X(MANIFEST,         "manifest-crc-mismatch",ITEM,  MISMATCH,       "support",  "the bytes do not match the checksum in the device's manifest", "The file was damaged or changed after prepare to ship; it was not stored. Ask the customer for it again.") \
    X(VERIFY_MISSING,   "verify-missing",       ITEM,  MISMATCH,       "support",  "the store does not have an item that was stored",    "Run the same command again, and find out who removed it.") \
    X(VERIFY_MISMATCH,  "verify-mismatch",      ITEM,  MISMATCH,       "support",  "what the store has differs from what was stored",    "Find out who changed it, then copy again with --overwrite always.") \
    X(RECEIPT,          "receipt-invalid",      FAIL,  MISMATCH,       "support",  "the receipt is not valid",                           "Ask for the receipt again; do not trust this one.") \
    X(NOTHING,          "nothing-to-do",        FAIL,  NOTHING,        "operator", "no item was found in the source",                    "Check the source path and the --include and --exclude patterns.") \
    X(RUNNING,          "already-running",      FAIL,  TEMPORARY,      "operator", "the same copy is already running",                   "Wait for it to end, or stop it.") \
    X(USAGE,            "usage",                FAIL,  USAGE,          "operator", "the command line is not valid",                      "See 'sallyport COMMAND --help'.") \
    X(CONFIG,           "config-invalid",       FAIL,  CONFIG,         "operator", "the configuration or environment is not usable",     "Correct the setting named.") \
    X(UNSUPPORTED,      "unsupported",          FAIL,  CONFIG,         "operator", "this machine or build cannot do it",                 "See 'sallyport doctor'.") \
    X(STATE_INVALID,    "state-invalid",        FAIL,  CONFIG,         "operator", "the state of an earlier run cannot be used",         "Run again with --restart to forget it; nothing stored is lost.") \
    X(INTERRUPTED,      "interrupted",          FAIL,  SIGINT,         "operator", "interrupted",                                        "Run the same command again; it continues where it stopped.") \
    X(FORMAT,           "format-invalid",       FAIL,  FAILED,         "support",  "the data does not have the expected form",           "Keep the data and report it.") \
    X(SYSTEM,           "system",               FAIL,  FAILED,         "operator", "a system call failed",                               "Read the words beside this code.")
// clang-format on

#define ERR_AS_ENUM(id, wire, cls, exit, who, text, hint) ERR_##id,
enum err_code { ERR_MAP(ERR_AS_ENUM) ERR_CODE_COUNT };

#define ERR_TEXT_BYTES_MAX 400

struct err {
    enum err_code code;
    int sys;         /* errno value, 0 if none */
    int http_status; /* 0 if none */
    int retries;     /* how often it was tried again before it was reported */
    char text[ERR_TEXT_BYTES_MAX];
};

#define ERR_NONE ((struct err){.code = ERR_OK})

/* Fill *err and return code, so that a failing function can end with one line. Never logs.
 * The _sys form appends ": " and the system's words for sys. Control bytes in the text are shown
 * as \xNN, so that hostile names cannot forge log lines. */
enum err_code err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
enum err_code err_set_sys(struct err *err, enum err_code code, int sys, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Prepend "words: " to the text, keep the code, return it. */
enum err_code err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The code for an errno met while reading a source item, or while writing to a target
 * (ENOSPC, EDQUOT -> STORE_FULL, EROFS -> STORE_READ_ONLY, ...). */
enum err_code err_from_source_errno(int sys);
enum err_code err_from_target_errno(int sys);

const char *err_name(enum err_code code); /* wire name */
const char *err_who(enum err_code code);
const char *err_sentence(enum err_code code);
const char *err_hint(enum err_code code);
enum err_class err_class(enum err_code code);
enum exit_code err_exit(enum err_code code);
/* The same where a signal may be why: what SIGTERM interrupted ends with EXIT_SIGTERM. */
enum exit_code err_exit_after(enum err_code code, int signal);
const char *err_class_name(enum err_class cls);
bool err_find(const char *wire_name, enum err_code *ret_code);

#endif
