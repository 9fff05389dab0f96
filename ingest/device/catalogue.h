/*
 * ingest/device/catalogue.h - every finding that a check of a device can make, as one table: how
 * bad it is, what it halts, who can fix it, and what a machine could do about it.
 *
 * `sallyport error list|explain`, the manual and the API are made from this table and base/err.h's.
 * Class and halt are independent columns: a critical finding without a cause is counted and does
 * not stop the job; a warning may have a cause where a policy turns it into one.
 *
 *   shape    FINDING_NONE is 0: nothing found
 *   thread   constants
 *   source   Data Box troubleshooting pages (error.xml codes), Data Box Disk validation codes; our
 *            own codes in the same style
 */
#ifndef INGEST_DEVICE_CATALOGUE_H
#define INGEST_DEVICE_CATALOGUE_H

#include "base/attr.h"

#include <stdbool.h>

enum finding_class { FINDING_CLASS_NONE, FINDING_WARNING, FINDING_CRITICAL, FINDING_CLASS_COUNT };

// clang-format off
/*    id                  wire name                  needs access to customer data */
#define HALT_CAUSE_MAP(X)                                                                          \
    X(NONE,               "",                         false)                                       \
    X(NOT_PREPARED,       "prepare-to-ship-not-run",  true)                                        \
    X(MANIFEST_MISMATCH,  "manifest-mismatch",        true)                                        \
    X(WRONG_FOLDER,       "wrong-folder",             true)                                        \
    X(WRONG_FORMAT,       "wrong-format",             true)                                        \
    X(QUOTA,              "quota",                    false)                                       \
    X(DEVICE_UNREADABLE,  "device-unreadable",        false)                                       \
    X(TOO_MANY_FAILURES,  "too-many-failures",        false)

/* What a machine can do while copying; names of plan steps. */
#define FIX_KIND_MAP(X)                                                                            \
    X(NONE,     "none")                                                                            \
    X(MAP,      "map-folder")     /* take a folder or file for another place of the tree */        \
    X(TIER,     "treat-as-tier")  /* take a case variant of a tier folder for the tier */          \
    X(AS_BLOCK, "take-as-block-blob")                                                              \
    X(AS_PAGE,  "take-as-page-blob")                                                               \
    X(RENAME,   "rename")         /* by the rule of rename.h */                                    \
    X(BUILD,    "build-manifest")                                                                  \
    X(SKIP,     "skip")

/*    id                    wire name                                          class     halt               who         fix       */
#define FINDING_MAP(X)                                                                                                                                  \
    X(CONTAINER_LENGTH,     "ERROR_CONTAINER_OR_SHARE_NAME_LENGTH",             CRITICAL, WRONG_FORMAT,      "customer", RENAME)    \
    X(CONTAINER_CHARACTERS, "ERROR_CONTAINER_OR_SHARE_NAME_ALPHA_NUMERIC_DASH", CRITICAL, WRONG_FORMAT,      "customer", RENAME)    \
    X(CONTAINER_DASH,       "ERROR_CONTAINER_OR_SHARE_NAME_IMPROPER_DASH",      CRITICAL, WRONG_FORMAT,      "customer", RENAME)    \
    X(CONTAINER_UPPER_CASE, "CONTAINER_NAME_UPPER_CASE",                        WARNING,  NONE,              "customer", RENAME)    \
    X(NAME_ILLEGAL,         "ERROR_FILE_OR_DIRECTORY_NAME_ILLEGAL",             CRITICAL, WRONG_FORMAT,      "customer", RENAME)    \
    X(CAPACITY,             "ERROR_CONTAINER_OR_SHARE_CAPACITY_EXCEEDED",       CRITICAL, QUOTA,             "customer", NONE)      \
    X(SIZE_LIMIT,           "ERROR_BLOB_OR_FILE_SIZE_LIMIT",                    CRITICAL, WRONG_FORMAT,      "customer", SKIP)      \
    X(SIZE_ALIGNMENT,       "ERROR_BLOB_OR_FILE_SIZE_ALIGNMENT",                CRITICAL, WRONG_FORMAT,      "customer", AS_BLOCK)  \
    X(TYPE_UNSUPPORTED,     "ERROR_BLOB_OR_FILE_TYPE_UNSUPPORTED",              CRITICAL, WRONG_FORMAT,      "customer", AS_PAGE)   \
    X(DIRECTORY_DISALLOWED, "ERROR_DIRECTORY_DISALLOWED_FOR_TYPE",              CRITICAL, WRONG_FOLDER,      "customer", AS_PAGE)   \
    X(REPARSE_POINT,        "REPARSE_POINT_ERROR",                              CRITICAL, WRONG_FORMAT,      "customer", SKIP)      \
    X(GENERAL,              "ERROR_GENERAL",                                    CRITICAL, DEVICE_UNREADABLE, "support",  SKIP)      \
    X(NAME_CONTROL,         "ERROR_BLOB_OR_FILE_NAME_CHARACTER_CONTROL",        WARNING,  NONE,              "customer", RENAME)    \
    X(NAME_CHARACTER,       "ERROR_BLOB_OR_FILE_NAME_CHARACTER_ILLEGAL",        WARNING,  NONE,              "customer", RENAME)    \
    X(NAME_BACKSLASH,       "NAME_BACKSLASH",                                   WARNING,  NONE,              "customer", RENAME)    \
    X(NAME_ENDING,          "ERROR_BLOB_OR_FILE_NAME_ENDING",                   WARNING,  NONE,              "customer", RENAME)    \
    X(NAME_SEGMENTS,        "ERROR_BLOB_OR_FILE_NAME_SEGMENT_COUNT",            WARNING,  NONE,              "customer", RENAME)    \
    X(NAME_LENGTH,          "ERROR_BLOB_OR_FILE_NAME_AGGREGATE_LENGTH",         WARNING,  NONE,              "customer", RENAME)    \
    X(NAME_COMPONENT,       "ERROR_BLOB_OR_FILE_NAME_COMPONENT_LENGTH",         WARNING,  NONE,              "customer", RENAME)    \
    X(DISK_NAME,            "InvalidDiskNameFormat",                            WARNING,  NONE,              "customer", RENAME)    \
    X(FOLDER_DISALLOWED,    "ERROR_CONTAINER_OR_SHARE_NAME_DISALLOWED_FOR_TYPE",WARNING,  WRONG_FOLDER,      "customer", AS_PAGE)   \
    X(NOT_A_VHD,            "NonVhdFileNotSupportedForManagedDisk",             CRITICAL, WRONG_FORMAT,      "customer", AS_BLOCK)  \
    X(DISK_CONVERSION,      "UploadErrorManagedConversionError",                CRITICAL, WRONG_FORMAT,      "customer", AS_PAGE)   \
    X(DISK_NAME_TWICE,      "MANAGED_DISK_NAME_TWICE",                          WARNING,  NONE,              "customer", NONE)      \
    X(DISK_TIER_MISSING,    "DiskConversionNotStartedTierInfoMissing",          WARNING,  WRONG_FOLDER,      "customer", AS_PAGE)   \
    X(NOT_IN_FILE_SHARE,    "NotPartOfFileShare",                               WARNING,  NONE,              "customer", NONE)      \
    X(ROOT_FILE,            "ROOT_FILE",                                        CRITICAL, WRONG_FOLDER,      "customer", MAP)       \
    X(ROOT_FOLDER_UNKNOWN,  "ROOT_FOLDER_UNKNOWN",                              CRITICAL, WRONG_FOLDER,      "customer", MAP)       \
    X(SHARE_ROOT_FILE,      "SHARE_ROOT_FILE",                                  CRITICAL, WRONG_FOLDER,      "customer", MAP)       \
    X(TIER_CASE_VARIANT,    "TIER_CASE_VARIANT",                                CRITICAL, WRONG_FOLDER,      "customer", TIER)      \
    X(CASE_COLLISION,       "NAME_CASE_COLLISION",                              WARNING,  NONE,              "customer", NONE)      \
    X(CONTAINER_COLLISION,  "CONTAINER_NAME_COLLISION",                         CRITICAL, WRONG_FOLDER,      "customer", SKIP)      \
    X(PATH_TWICE,           "PATH_ON_SEVERAL_DISKS",                            CRITICAL, WRONG_FOLDER,      "customer", SKIP)      \
    X(CONTAINER_COUNT,      "CONTAINER_COUNT_EXCEEDED",                         CRITICAL, QUOTA,             "customer", NONE)      \
    X(FILE_COUNT,           "FILE_COUNT_EXCEEDED",                              CRITICAL, QUOTA,             "customer", NONE)      \
    X(ACCOUNT_COUNT,        "ACCOUNT_COUNT_EXCEEDED",                           CRITICAL, QUOTA,             "customer", NONE)      \
    X(TIMESTAMP_RANGE,      "TIMESTAMP_OUT_OF_RANGE",                           WARNING,  NONE,              "customer", NONE)      \
    X(PACKED_FILES,         "PACKED_FILES",                                     CRITICAL, WRONG_FORMAT,      "support",  NONE)      \
    X(MANIFEST_MISSING,     "MANIFEST_MISSING",                                 CRITICAL, NOT_PREPARED,      "support",  BUILD)     \
    X(MANIFEST_DAMAGED,     "MANIFEST_DAMAGED",                                 CRITICAL, MANIFEST_MISMATCH, "support",  BUILD)     \
    X(MANIFEST_STALE,       "MANIFEST_STALE",                                   CRITICAL, MANIFEST_MISMATCH, "support",  BUILD)     \
    X(MANIFEST_ADDED,       "MANIFEST_FILE_ADDED",                              CRITICAL, MANIFEST_MISMATCH, "support",  BUILD)     \
    X(MANIFEST_FILE_MISSING,"MANIFEST_FILE_MISSING",                            CRITICAL, MANIFEST_MISMATCH, "support",  BUILD)     \
    X(MANIFEST_SIZE,        "MANIFEST_SIZE_MISMATCH",                           CRITICAL, MANIFEST_MISMATCH, "support",  BUILD)     \
    X(MANIFEST_CRC,         "MANIFEST_CRC_MISMATCH",                            CRITICAL, MANIFEST_MISMATCH, "support",  SKIP)      \
    X(MANIFEST_NO_CRC,      "MANIFEST_CRC_MISSING",                             WARNING,  NONE,              "support",  NONE)
// clang-format on

#define CATALOGUE_AS_HALT(id, wire, access) HALT_##id,
enum halt_cause { HALT_CAUSE_MAP(CATALOGUE_AS_HALT) HALT_COUNT };
#define CATALOGUE_AS_FIX(id, wire) FIX_##id,
enum fix_kind { FIX_KIND_MAP(CATALOGUE_AS_FIX) FIX_COUNT };
#define CATALOGUE_AS_FINDING(id, wire, cls, halt, who, fix) FINDING_##id,
enum finding_code { FINDING_NONE, FINDING_MAP(CATALOGUE_AS_FINDING) FINDING_COUNT };

struct catalogue_row {
    const char *wire;
    enum finding_class cls;
    enum halt_cause halt;
    const char *who; /* "customer", "operator", "support" */
    enum fix_kind fix;
    bool is_retryable; /* the same job may go on once it is fixed */
    const char *sentence;
    const char *hint;
};

const struct catalogue_row *catalogue_row(enum finding_code code);
bool catalogue_find(const char *wire, enum finding_code *ret_code);
const char *halt_name(enum halt_cause cause); /* "" for NONE */
bool halt_needs_access(enum halt_cause cause);
const char *fix_name(enum fix_kind kind);
bool fix_find(const char *wire, enum fix_kind *ret_kind);
const char *finding_class_name(enum finding_class cls); /* "warning", "critical" */

#endif
