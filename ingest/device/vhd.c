#include "ingest/device/vhd.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define COOKIE         "conectix"
#define COOKIE_BYTES   8U
#define VHDX_SIGNATURE "vhdxfile"
#define FOOTER_BYTES   512U
#define FOOTER_OLD     511U /* images before Virtual PC 2004 lack the last byte */
#define VERSION_AT     12U
#define VERSION        0x00010000U
#define SIZE_AT        48U
#define TYPE_AT        60U
#define CHECKSUM_AT    64U
#define CHECKSUM_BYTES 4U

enum footer_type { TYPE_FIXED = 2, TYPE_DYNAMIC = 3, TYPE_DIFFERENCING = 4 };

const char *const vhd_kind_names[VHD_KIND_COUNT] = {
    [VHD_NONE] = "no disk",        [VHD_FIXED] = "fixed VHD",
    [VHD_DYNAMIC] = "dynamic VHD", [VHD_DIFFERENCING] = "differencing VHD",
    [VHD_VHDX] = "VHDX",           [VHD_BROKEN] = "damaged VHD",
};

static uint32_t
be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint64_t
be64(const uint8_t *at)
{
    return (uint64_t)be32(at) << 32 | be32(at + 4);
}

static bool
starts_with(const uint8_t *bytes, size_t len, const char *word)
{
    return len >= COOKIE_BYTES && memcmp(bytes, word, COOKIE_BYTES) == 0;
}

/* The byte that an old footer lacks was zero and adds nothing. */
static uint32_t
checksum_of(const uint8_t *footer, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        bool is_own_field = i >= CHECKSUM_AT && i < CHECKSUM_AT + CHECKSUM_BYTES;
        sum += is_own_field ? 0 : footer[i];
    }
    return ~sum;
}

static void
broken(struct vhd *vhd, const char *why)
{
    vhd->kind = VHD_BROKEN;
    vhd->why = why;
}

static void
judge_fixed(uint64_t file_bytes, size_t footer_bytes, struct vhd *vhd)
{
    if (vhd->disk_bytes == 0) {
        broken(vhd, "the footer tells of a disk of 0 bytes");
    } else if (vhd->disk_bytes > file_bytes || file_bytes - vhd->disk_bytes != footer_bytes) {
        broken(vhd, "the footer tells of a disk of another size than the file holds");
    } else {
        vhd->kind = VHD_FIXED;
    }
}

static void
judge_footer(const uint8_t *footer, size_t len, uint64_t file_bytes, struct vhd *vhd)
{
    if (be32(footer + CHECKSUM_AT) != checksum_of(footer, len)) {
        broken(vhd, "the footer's checksum is wrong");
        return;
    }
    if (be32(footer + VERSION_AT) != VERSION) {
        broken(vhd, "the footer's version is not 1.0");
        return;
    }
    vhd->disk_bytes = be64(footer + SIZE_AT);
    switch (be32(footer + TYPE_AT)) {
    case TYPE_FIXED: judge_fixed(file_bytes, len, vhd); break;
    case TYPE_DYNAMIC: vhd->kind = VHD_DYNAMIC; break;
    case TYPE_DIFFERENCING: vhd->kind = VHD_DIFFERENCING; break;
    default: broken(vhd, "the footer's type of disk is none of fixed, dynamic, differencing");
    }
}

/* A footer that begins too late for all of it to be there. Its version must be seen, because the
 * word alone may stand in any text. */
static bool
has_cut_footer(const uint8_t *tail, size_t len)
{
    for (size_t i = 0; i + VERSION_AT + 4 <= len; i++) {
        if (tail[i] == 'c' && memcmp(tail + i, COOKIE, COOKIE_BYTES) == 0 &&
            be32(tail + i + VERSION_AT) == VERSION) {
            return true;
        }
    }
    return false;
}

void
vhd_judge(const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len,
          uint64_t size_bytes, struct vhd *ret_vhd)
{
    *ret_vhd = (struct vhd){.kind = VHD_NONE};
    /* No disk's first sector begins so, whatever stands at the end. */
    if (starts_with(head, head_len, VHDX_SIGNATURE)) {
        ret_vhd->kind = VHD_VHDX;
        return;
    }
    if (tail_len >= FOOTER_BYTES) {
        const uint8_t *footer = tail + (tail_len - FOOTER_BYTES);
        if (starts_with(footer, FOOTER_BYTES, COOKIE)) {
            judge_footer(footer, FOOTER_BYTES, size_bytes, ret_vhd);
            return;
        }
    }
    if (tail_len >= FOOTER_OLD) {
        const uint8_t *footer = tail + (tail_len - FOOTER_OLD);
        if (starts_with(footer, FOOTER_OLD, COOKIE)) {
            judge_footer(footer, FOOTER_OLD, size_bytes, ret_vhd);
            return;
        }
    }
    if (has_cut_footer(tail, tail_len)) {
        broken(ret_vhd, "the footer is cut off");
    } else if (starts_with(head, head_len, COOKIE)) {
        broken(ret_vhd, "there is a header of a disk and no footer");
    }
}

static enum err_code
read_at(int fd, uint8_t *bytes, size_t len, uint64_t offset, struct err *err)
{
    size_t done = 0;
    while (done < len) {
        ssize_t got = pread(fd, bytes + done, len - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return err_set_sys(err, err_from_source_errno(errno), errno,
                               "could not read %zu bytes at %llu", len, (unsigned long long)offset);
        }
        if (got == 0) {
            return err_set(err, ERR_ITEM_CHANGED, "ends before byte %llu; it was longer before",
                           (unsigned long long)(offset + len));
        }
        done += (size_t)got;
    }
    return ERR_OK;
}

enum err_code
vhd_look(int fd, uint64_t size_bytes, struct vhd *ret_vhd, struct err *err)
{
    uint8_t head[VHD_SECTOR];
    uint8_t tail[VHD_SECTOR];
    size_t len = (size_t)MIN_OF(size_bytes, (uint64_t)VHD_SECTOR);
    if (size_bytes > INT64_MAX) {
        return err_set(err, ERR_ITEM_IO, "a file of %llu bytes cannot be",
                       (unsigned long long)size_bytes);
    }
    enum err_code code = read_at(fd, head, len, 0, err);
    code = code == ERR_OK ? read_at(fd, tail, len, size_bytes - len, err) : code;
    if (code == ERR_OK) {
        vhd_judge(head, len, tail, len, size_bytes, ret_vhd);
    }
    return code;
}
