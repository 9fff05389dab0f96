/*
 * ingest/device/vhd.h - what a virtual disk file is, by its content: header and footer, checksum
 * included. A name proves nothing.
 *
 *   shape    reads the first 512 bytes and the last 512; the footer is the last 512, or 511 in old
 *            images. "vhdxfile" at the front outweighs any footer
 *   units    bytes
 *   thread   any; vhd_look() blocks on two small reads
 *   errors   ERR_ITEM_* by err_from_source_errno(), ERR_ITEM_CHANGED where the file is shorter than
 *            told; a file that is no disk is not an error
 *   source   Virtual Hard Disk image format: footer, big-endian, one's complement checksum
 */
#ifndef INGEST_DEVICE_VHD_H
#define INGEST_DEVICE_VHD_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum vhd_kind {
    VHD_NONE,  /* neither footer nor header of a disk */
    VHD_FIXED, /* a footer with right checksum, type fixed, and the size it tells */
    VHD_DYNAMIC,
    VHD_DIFFERENCING,
    VHD_VHDX,   /* "vhdxfile" at the front */
    VHD_BROKEN, /* a footer's cookie, but checksum, version, type or size are wrong, or a part is
                   missing */
    VHD_KIND_COUNT
};
extern const char *const vhd_kind_names[VHD_KIND_COUNT];

#define VHD_SECTOR 512U

struct vhd {
    enum vhd_kind kind;
    uint64_t disk_bytes; /* current size as the footer tells; 0 unknown */
    const char *why;     /* BROKEN: static words, what is wrong */
};

/* Judge the first and last up to 512 bytes of a file of size_bytes. Pure. */
void vhd_judge(const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len,
               uint64_t size_bytes, struct vhd *ret_vhd);
MUST_USE enum err_code vhd_look(int fd, uint64_t size_bytes, struct vhd *ret_vhd, struct err *err);

#endif
