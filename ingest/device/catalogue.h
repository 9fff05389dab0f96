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

/* Findings of a check; behind them what a copy did about an item or met with it, the categories of
 * its logs. retry: the same job may go on once it is fixed. */
/*    id                     wire name                                             class     halt               who         fix       retry  sentence                                                                                                 hint */
#define FINDING_MAP(X) \
    X(CONTAINER_LENGTH,      "ERROR_CONTAINER_OR_SHARE_NAME_LENGTH",               CRITICAL, WRONG_FORMAT,      "customer", RENAME,   true,  "the name of a container or share does not have 3 to 63 characters",                                     "Rename the folder, or approve the plan that renames it; --bad-names rename does so for all.") \
    X(CONTAINER_CHARACTERS,  "ERROR_CONTAINER_OR_SHARE_NAME_ALPHA_NUMERIC_DASH",   CRITICAL, WRONG_FORMAT,      "customer", RENAME,   true,  "the name of a container or share has other characters than a-z, 0-9 and -",                             "Rename the folder, or approve the plan that renames it; --bad-names rename does so for all.") \
    X(CONTAINER_DASH,        "ERROR_CONTAINER_OR_SHARE_NAME_IMPROPER_DASH",        CRITICAL, WRONG_FORMAT,      "customer", RENAME,   true,  "the name of a container or share begins or ends with a dash, or has two in a row",                      "Rename the folder, or approve the plan that renames it; --bad-names rename does so for all.") \
    X(CONTAINER_UPPER_CASE,  "CONTAINER_NAME_UPPER_CASE",                          WARNING,  NONE,              "customer", RENAME,   false, "the name of a container or share has upper-case letters; it is stored in lower case",                   "Nothing to do; programs that read it must use the lower-case name.") \
    X(NAME_ILLEGAL,          "ERROR_FILE_OR_DIRECTORY_NAME_ILLEGAL",               CRITICAL, WRONG_FORMAT,      "customer", RENAME,   true,  "a file or folder of a file share has a reserved name",                                                  "Rename it (CON, AUX, LPT1 and the like), or approve the plan that renames it.") \
    X(CAPACITY,              "ERROR_CONTAINER_OR_SHARE_CAPACITY_EXCEEDED",         CRITICAL, QUOTA,             "customer", NONE,     true,  "a file share holds more than its account allows",                                                       "Enable large file shares on the account, or take data out of the share, then resume.") \
    X(ACCOUNT_CAPACITY,      "ACCOUNT_CAPACITY_EXCEEDED",                          CRITICAL, QUOTA,             "customer", NONE,     true,  "the file shares of a premium account hold more than the account may",                                   "Take data out of the shares, or leave some out by a plan, then resume.") \
    X(SIZE_LIMIT,            "ERROR_BLOB_OR_FILE_SIZE_LIMIT",                      CRITICAL, WRONG_FORMAT,      "customer", SKIP,     true,  "the file is larger than a blob or file of its kind may be",                                             "Store it in pieces or as a block blob, or approve the plan that leaves it out.") \
    X(SIZE_ALIGNMENT,        "ERROR_BLOB_OR_FILE_SIZE_ALIGNMENT",                  CRITICAL, WRONG_FORMAT,      "customer", AS_BLOCK, true,  "the size of a page blob or managed disk is not a multiple of 512 bytes",                                "Approve the plan that stores it as a block blob, or move it to the block blob share.") \
    X(TYPE_UNSUPPORTED,      "ERROR_BLOB_OR_FILE_TYPE_UNSUPPORTED",                CRITICAL, WRONG_FORMAT,      "customer", AS_PAGE,  true,  "a file that should become a managed disk is not a sound fixed VHD",                                     "Convert it to a fixed VHD, or approve the plan that stores it as a plain blob.") \
    X(DIRECTORY_DISALLOWED,  "ERROR_DIRECTORY_DISALLOWED_FOR_TYPE",                CRITICAL, WRONG_FOLDER,      "customer", AS_PAGE,  true,  "there is a folder inside a tier folder of managed disks",                                               "Move its files up one level, or approve the plan that stores them as page blobs.") \
    X(REPARSE_POINT,         "REPARSE_POINT_ERROR",                                CRITICAL, WRONG_FORMAT,      "customer", SKIP,     true,  "a symbolic link, pipe, socket or device file cannot be stored",                                         "Replace it by the file it stands for, or approve the plan that leaves it out.") \
    X(GENERAL,               "ERROR_GENERAL",                                      CRITICAL, DEVICE_UNREADABLE, "support",  SKIP,     true,  "the device does not let the entry be read",                                                             "Check the device and its file system, then resume; or leave the entry out.") \
    X(NAME_CONTROL,          "ERROR_BLOB_OR_FILE_NAME_CHARACTER_CONTROL",          WARNING,  NONE,              "customer", RENAME,   false, "the name has a control character; the item gets another name",                                          "Find the new name in the copy log or the receipt.") \
    X(NAME_CHARACTER,        "ERROR_BLOB_OR_FILE_NAME_CHARACTER_ILLEGAL",          WARNING,  NONE,              "customer", RENAME,   false, "the name has a character that the store does not take, or is not UTF-8; the item gets another name",    "Find the new name in the copy log or the receipt.") \
    X(NAME_BACKSLASH,        "NAME_BACKSLASH",                                     WARNING,  NONE,              "customer", RENAME,   false, "the name has a backslash, which the store takes for a slash; the item gets another name",               "Find the new name in the copy log or the receipt.") \
    X(NAME_ENDING,           "ERROR_BLOB_OR_FILE_NAME_ENDING",                     WARNING,  NONE,              "customer", RENAME,   false, "the name, or a folder of its path, ends with a dot or slash; the item gets another name",               "Find the new name in the copy log or the receipt.") \
    X(NAME_SEGMENTS,         "ERROR_BLOB_OR_FILE_NAME_SEGMENT_COUNT",              WARNING,  NONE,              "customer", RENAME,   false, "the path has too many folders; the item gets another name",                                             "Find the new name in the copy log or the receipt.") \
    X(NAME_LENGTH,           "ERROR_BLOB_OR_FILE_NAME_AGGREGATE_LENGTH",           WARNING,  NONE,              "customer", RENAME,   false, "the path is empty or too long; the item gets another name",                                             "Find the new name in the copy log or the receipt.") \
    X(NAME_COMPONENT,        "ERROR_BLOB_OR_FILE_NAME_COMPONENT_LENGTH",           WARNING,  NONE,              "customer", RENAME,   false, "a file or folder name of a file share is longer than 255 characters; the item gets another name",       "Find the new name in the copy log or the receipt.") \
    X(DISK_NAME,             "InvalidDiskNameFormat",                              WARNING,  NONE,              "customer", RENAME,   false, "a managed disk cannot have this name; it gets another one",                                             "Find the new name in the copy log or the receipt.") \
    X(FOLDER_DISALLOWED,     "ERROR_CONTAINER_OR_SHARE_NAME_DISALLOWED_FOR_TYPE",  WARNING,  WRONG_FOLDER,      "customer", AS_PAGE,  true,  "a folder of a managed disk share is none of its tier folders",                                          "Move its disks into PremiumSSD, StandardSSD or StandardHDD, or approve the plan that stores them as page blobs.") \
    X(NOT_A_VHD,             "NonVhdFileNotSupportedForManagedDisk",               CRITICAL, WRONG_FORMAT,      "customer", AS_BLOCK, true,  "a file among the managed disks is no virtual disk at all",                                              "Move it to a block blob folder, or approve the plan that stores it as a block blob.") \
    X(DISK_CONVERSION,       "UploadErrorManagedConversionError",                  CRITICAL, WRONG_FORMAT,      "customer", AS_PAGE,  true,  "the VHD is smaller than 20 MiB or larger than 8192 GiB: it cannot become a managed disk",               "Resize it, or approve the plan that stores it as a page blob.") \
    X(DISK_NAME_TWICE,       "MANAGED_DISK_NAME_TWICE",                            WARNING,  NONE,              "customer", NONE,     false, "two disks of one resource group have the same name; only one becomes a managed disk",                   "Make a managed disk of the other page blob by hand, under another name.") \
    X(DISK_TIER_MISSING,     "DiskConversionNotStartedTierInfoMissing",            WARNING,  WRONG_FOLDER,      "customer", AS_PAGE,  true,  "a disk lies outside the tier folders, so its tier is not known",                                        "Move it into PremiumSSD, StandardSSD or StandardHDD, or approve the plan that stores it as a page blob.") \
    X(NOT_IN_FILE_SHARE,     "NotPartOfFileShare",                                 WARNING,  NONE,              "customer", NONE,     false, "a file lies beside the folders that become file shares; it goes to a default share",                    "Find it in the share whose name begins with databox-azurefile-.") \
    X(ROOT_FILE,             "ROOT_FILE",                                          CRITICAL, WRONG_FOLDER,      "customer", MAP,      true,  "a file lies at the root of the device, outside every share",                                            "Move it into a container of a share, or approve a plan that maps it.") \
    X(ROOT_FOLDER_UNKNOWN,   "ROOT_FOLDER_UNKNOWN",                                CRITICAL, WRONG_FOLDER,      "customer", MAP,      true,  "a folder at the root of the device is no share",                                                        "Move it into a share, or approve a plan that maps it.") \
    X(SHARE_ROOT_FILE,       "SHARE_ROOT_FILE",                                    CRITICAL, WRONG_FOLDER,      "customer", MAP,      true,  "a file lies directly in a share or tier folder, where only folders belong",                             "Move it into a container folder, or approve a plan that maps it.") \
    X(TIER_CASE_VARIANT,     "TIER_CASE_VARIANT",                                  CRITICAL, WRONG_FOLDER,      "customer", TIER,     true,  "a folder is called like an access tier but for upper and lower case: tier or container?",               "Rename it to Hot, Cool, Cold or Archive, or approve the plan that takes it for the tier.") \
    X(CASE_COLLISION,        "NAME_CASE_COLLISION",                                WARNING,  NONE,              "customer", NONE,     false, "two names of one folder differ only in upper and lower case; a file share holds one of them",            "Rename one of the two if they belong to a file share; blobs keep both.") \
    X(CONTAINER_COLLISION,   "CONTAINER_NAME_COLLISION",                           CRITICAL, WRONG_FOLDER,      "customer", MAP,      true,  "two folders would become the same container",                                                           "Rename one of them, or approve the plan that keeps them apart: they are never merged.") \
    X(BLOB_COLLISION,        "BLOB_NAME_COLLISION",                                CRITICAL, WRONG_FOLDER,      "customer", MAP,      true,  "two files would become the same blob or file",                                                          "Rename or move one of them, or approve the plan that gives it another name.") \
    X(PATH_TWICE,            "PATH_ON_SEVERAL_DISKS",                              CRITICAL, WRONG_FOLDER,      "customer", NONE,     true,  "the same path lies on several disks of the order",                                                      "Decide which disk's file is right, and leave the other out with a plan for that disk.") \
    X(CONTAINER_COUNT,       "CONTAINER_COUNT_EXCEEDED",                           CRITICAL, QUOTA,             "customer", NONE,     true,  "the device holds more containers and shares than it may",                                               "Put the data into fewer containers, then resume.") \
    X(FILE_COUNT,            "FILE_COUNT_EXCEEDED",                                CRITICAL, QUOTA,             "customer", NONE,     true,  "the device holds more files than it may",                                                               "Pack small files together or use a further device, then resume.") \
    X(ACCOUNT_COUNT,         "ACCOUNT_COUNT_EXCEEDED",                             CRITICAL, QUOTA,             "customer", NONE,     true,  "the device names more storage accounts than it may",                                                    "Use fewer accounts or a further device, then resume.") \
    X(TIMESTAMP_RANGE,       "TIMESTAMP_OUT_OF_RANGE",                             WARNING,  NONE,              "customer", NONE,     false, "the time of a file cannot be stored; it becomes 31 December 9999",                                      "Nothing to do; set the time of the stored file if it matters.") \
    X(PACKED_FILES,          "PACKED_FILES",                                       CRITICAL, WRONG_FORMAT,      "support",  AS_BLOCK, true,  "small files were packed together by the copy service of the device; only that service can unpack them", "Copy the packed files to the device again without file optimization, or approve the plan that stores the packs as they are.") \
    X(DEVICE_FORMATTED,      "DeviceFormatted",                                    CRITICAL, DEVICE_UNREADABLE, "support",  NONE,     true,  "the device has no share and no data: it was formatted, or it is not what is mounted here",              "See that the right device is mounted; if it is, ask who formatted it, and order anew.") \
    X(METADATA_REMOVED,      "MetadataFilesModifiedOrRemoved",                     WARNING,  NONE,              "customer", NONE,     false, "the folder that every disk is shipped with, DataBoxDiskImport, was removed from it",                     "Nothing to do; what was copied is compared with the list of files.") \
    X(MANIFEST_MISSING,      "MANIFEST_MISSING",                                   CRITICAL, NOT_PREPARED,      "support",  BUILD,    true,  "a share has no list of files: prepare to ship was not run",                                             "Run prepare to ship, or approve the plan that builds the list from what is there.") \
    X(SCAN_ISSUES,           "ScanCompletedWithIssues",                            CRITICAL, NOT_PREPARED,      "support",  BUILD,    true,  "the device's scan before shipping ended with issues and was not repeated",                              "Mend what its error.xml names and run prepare to ship again, or approve the plan that goes by what is there.") \
    X(MANIFEST_DAMAGED,      "MANIFEST_DAMAGED",                                   CRITICAL, MANIFEST_MISMATCH, "support",  BUILD,    true,  "the list of files of a share cannot be read",                                                           "Run prepare to ship again, or approve the plan that builds the list from what is there.") \
    X(MANIFEST_STALE,        "MANIFEST_STALE",                                     CRITICAL, MANIFEST_MISMATCH, "support",  BUILD,    true,  "files changed after prepare to ship had listed them",                                                   "Run prepare to ship again, or approve the plan that builds the list from what is there.") \
    X(MANIFEST_ADDED,        "MANIFEST_FILE_ADDED",                                CRITICAL, MANIFEST_MISMATCH, "support",  BUILD,    true,  "a file is not in the list of files of its share",                                                       "Run prepare to ship again, or approve the plan that builds the list from what is there.") \
    X(MANIFEST_FILE_MISSING, "MANIFEST_FILE_MISSING",                              CRITICAL, MANIFEST_MISMATCH, "support",  BUILD,    true,  "a file of the list is not on the device",                                                               "Ask who removed it; then run prepare to ship again, or approve the plan that builds the list anew.") \
    X(MANIFEST_SIZE,         "MANIFEST_SIZE_MISMATCH",                             CRITICAL, MANIFEST_MISMATCH, "support",  BUILD,    true,  "the size of a file is not the one of the list",                                                         "Run prepare to ship again, or approve the plan that builds the list from what is there.") \
    X(MANIFEST_CRC,          "MANIFEST_CRC_MISMATCH",                              CRITICAL, MANIFEST_MISMATCH, "support",  SKIP,     true,  "the bytes of a file do not match the checksum of the list",                                             "Copy the file to the device again, or approve the plan that leaves it out; do not trust its bytes.") \
    X(MANIFEST_NO_CRC,       "MANIFEST_CRC_MISSING",                               WARNING,  NONE,              "support",  NONE,     false, "the list has no checksum for a file",                                                                   "Nothing to do; the file is stored and counted as not verified against the list.") \
    X(CONTAINER_RENAMED,     "ContainerRenamed",                                   WARNING,  NONE,              "customer", NONE,     false, "a container was stored under another name",                                                             "Find the new name in the copy log or the receipt.") \
    X(SHARE_RENAMED,         "ShareRenamed",                                       WARNING,  NONE,              "customer", NONE,     false, "a file share was stored under another name",                                                            "Find the new name in the copy log or the receipt.") \
    X(BLOB_RENAMED,          "BlobRenamed",                                        WARNING,  NONE,              "customer", NONE,     false, "a blob was stored under another name",                                                                  "Find the new name in the copy log or the receipt.") \
    X(FILE_RENAMED,          "FileRenamed",                                        WARNING,  NONE,              "customer", NONE,     false, "a file was stored under another name",                                                                  "Find the new name in the copy log or the receipt.") \
    X(DISK_RENAMED,          "DiskRenamed",                                        WARNING,  NONE,              "customer", NONE,     false, "a managed disk was stored under another name",                                                          "Find the new name in the copy log or the receipt.") \
    X(MOVED_TO_SHARE,        "MovedToDefaultAzureShare",                           WARNING,  NONE,              "customer", NONE,     false, "a file that belonged to no file share was stored in a default share",                                   "Find it in the share whose name begins with databox-azurefile-.") \
    X(PAGE_AS_BLOCK,         "InvalidPageBlobUploadAsBlockBlob",                   WARNING,  NONE,              "customer", NONE,     false, "a file that cannot be a page blob was stored as a block blob",                                          "Nothing to do; read it as a block blob.") \
    X(FILE_AS_BLOCK,         "InvalidAzureFileUploadAsBlockBlob",                  WARNING,  NONE,              "customer", NONE,     false, "a file that cannot be in a file share was stored as a block blob",                                      "Nothing to do; read it as a block blob.") \
    X(DISK_AS_BLOCK,         "InvalidManagedDiskUploadAsBlockBlob",                WARNING,  NONE,              "customer", NONE,     false, "a file that cannot become a managed disk was stored as a block blob",                                   "Convert it to a fixed VHD and make a managed disk of that by hand.") \
    X(DISK_AS_PAGE,          "InvalidManagedDiskUploadAsPageBlob",                 WARNING,  NONE,              "customer", NONE,     false, "a file that cannot become a managed disk was stored as a page blob",                                    "Make a managed disk of the page blob by hand once it is a fixed VHD.") \
    X(LEFT_OUT,              "LEFT_OUT",                                           WARNING,  NONE,              "customer", NONE,     false, "a rule, the plan or --overwrite left the item out",                                                     "Nothing to do, if the rule is meant.") \
    X(UPLOAD_CRC,            "UploadErrorDataValidationError",                     CRITICAL, NONE,              "support",  NONE,     false, "the bytes did not match their checksum; the file was not stored",                                       "Copy the file again from its origin, over the network or in a new order.") \
    X(UPLOAD_HTTP,           "UploadErrorCloudHttp",                               CRITICAL, NONE,              "customer", NONE,     false, "the store refused the item",                                                                            "Read the store's words in the copy log, then copy the item again in a new order.") \
    X(UPLOAD_FILE_SYSTEM,    "UploadErrorWin32",                                   CRITICAL, NONE,              "support",  NONE,     false, "the file system refused the item",                                                                      "Read its words in the copy log, then copy the item again in a new order.") \
    X(UPLOAD_UNKNOWN,        "UploadErrorUnknownType",                             CRITICAL, NONE,              "support",  NONE,     false, "the item failed for a reason that has no code of its own",                                              "Read the words in the copy log, and report them if they do not help.")
// clang-format on

#define CATALOGUE_AS_HALT(id, wire, access) HALT_##id,
enum halt_cause { HALT_CAUSE_MAP(CATALOGUE_AS_HALT) HALT_COUNT };
#define CATALOGUE_AS_FIX(id, wire) FIX_##id,
enum fix_kind { FIX_KIND_MAP(CATALOGUE_AS_FIX) FIX_COUNT };
#define CATALOGUE_AS_FINDING(id, wire, cls, halt, who, fix, retry, sentence, hint) FINDING_##id,
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
