/*
 * ingest/device/manifest.h - the list of files that prepare-to-ship leaves (BOM): its lines, read
 * and written.
 *
 * One line a file: <file size="11" crc64="0x659632cb7e4be261">\reports\hello.txt</file>. There is
 * no root element. Foreign files hold several roots, comments, line breaks anywhere, decimal
 * checksums, <File>, and lies; declarations (DOCTYPE, ENTITY) are refused and never followed.
 *
 * The hardest thing is the backslash, which separates and which names of Linux may hold. A path
 * that begins with '/' has '/' between and backslashes in names; any other has both between. We
 * write Base64 (name_encoding="Base64") with a leading '/' for paths that hold backslashes, control
 * characters, or what XML cannot hold, and leading and separating '\' for all others.
 *
 *   shape    a reader holds one entry; a path has 1 to MANIFEST_NAME_BYTES_MAX bytes, none of them
 *            NUL; a file of any size is read in constant memory
 *   units    bytes; sizes are 0 to 2^63 - 1; crc64 is CRC-64/NVME
 *   owner    an entry's path lives until the next read
 *   thread   one
 *   errors   ERR_FORMAT with the line's number, once for each damage; reading may go on with the
 *            next entry. ERR_ITEM_* where the file cannot be read, again and again
 *   source   Data Box logs page, "Bill of materials"
 */
#ifndef INGEST_DEVICE_MANIFEST_H
#define INGEST_DEVICE_MANIFEST_H

#include "base/err.h"
#include "base/text.h"
#include "ingest/device/device.h"

#include <stdint.h>

#define MANIFEST_NAME_BYTES_MAX 8192

struct manifest_entry {
    const char *path; /* below the share, '/' between, no leading slash: "reports/hello.txt".
                         Hostile: may hold "..", never open it */
    size_t path_len;
    uint64_t size_bytes;
    uint64_t crc64;
    bool has_crc64; /* false: empty, missing, or zero although the file is not empty */
};

struct manifest_reader;
/* fd stays the caller's and is read from its present position. name is for messages. */
MUST_USE enum err_code manifest_reader_new(int fd, const char *name,
                                           struct manifest_reader **ret_reader, struct err *err);
struct manifest_reader *manifest_reader_free(struct manifest_reader *reader);
/* The next entry; false in *ret_more at the end. After ERR_FORMAT the next call goes on behind the
 * damage; any other error is final. */
MUST_USE enum err_code manifest_read(struct manifest_reader *reader, struct manifest_entry *entry,
                                     bool *ret_more, struct err *err);

/* Append one line for a file. path as in struct manifest_entry; any bytes but NUL. */
void manifest_write_line(struct text *out, const char *path, size_t path_len, uint64_t size_bytes,
                         uint64_t crc64);
/* "acct_BlockBlob.txt", "acct_AzFile-BOM.txt", "rg_MDisk-BOM.txt"; on a disk: "BlockBlob.txt". out
 * is cleared first. */
void manifest_file_name(const char *share_name, enum share_kind kind, struct text *out);

#endif
