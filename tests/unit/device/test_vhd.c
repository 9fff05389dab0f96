#include "ingest/device/vhd.h"
#include "tests/support/folder.h"

#define MIB ((uint64_t)1 << 20)

static uint8_t footer[VHD_SECTOR];
static uint8_t zeros[VHD_SECTOR];
static struct vhd vhd;

static void
put(unsigned at, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++) {
        footer[at + i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    }
}

static void
seal(void)
{
    uint32_t sum = 0;
    put(64, 4, 0);
    for (unsigned i = 0; i < VHD_SECTOR; i++) {
        sum += footer[i];
    }
    put(64, 4, ~sum);
}

/* A footer as the format's description has it. */
static void
make_footer(uint32_t type, uint64_t disk_bytes)
{
    memset(footer, 0, sizeof footer);
    put(0, 8, UINT64_C(0x636f6e6563746978)); /* "conectix" */
    put(8, 4, 2);
    put(12, 4, 0x00010000);
    put(16, 8, type == 2 ? UINT64_MAX : 512);
    put(28, 4, 0x77696e20);
    put(40, 8, disk_bytes);
    put(48, 8, disk_bytes);
    put(60, 4, type);
    for (unsigned i = 68; i < 84; i++) {
        footer[i] = (uint8_t)(i * 7);
    }
    seal();
}

static enum vhd_kind
judge(uint64_t size_bytes)
{
    vhd_judge(zeros, VHD_SECTOR, footer, VHD_SECTOR, size_bytes, &vhd);
    CHECK((vhd.kind == VHD_BROKEN) == (vhd.why != NULL));
    return vhd.kind;
}

/* The one kind that becomes a managed disk. */
static void
a_fixed_disk_is_data_and_a_footer(void **state)
{
    (void)state;
    make_footer(2, 20 * MIB);
    CHECK_U64(judge(20 * MIB + 512), VHD_FIXED);
    CHECK_U64(vhd.disk_bytes, 20 * MIB);
    CHECK_TEXT(vhd_kind_names[vhd.kind], "fixed VHD");
}

/* Very old images lack the footer's last byte. */
static void
a_footer_of_511_bytes_is_accepted(void **state)
{
    (void)state;
    uint8_t tail[VHD_SECTOR] = {0};
    make_footer(2, MIB);
    memcpy(tail + 1, footer, VHD_SECTOR - 1);
    vhd_judge(zeros, VHD_SECTOR, tail, VHD_SECTOR, MIB + 511, &vhd);
    CHECK_U64(vhd.kind, VHD_FIXED);
    vhd_judge(zeros, VHD_SECTOR, tail, VHD_SECTOR, MIB + 512, &vhd);
    CHECK_U64(vhd.kind, VHD_BROKEN);
}

static void
other_kinds_are_told_apart(void **state)
{
    (void)state;
    make_footer(3, MIB);
    CHECK_U64(judge(4096), VHD_DYNAMIC);
    make_footer(4, MIB);
    CHECK_U64(judge(4096), VHD_DIFFERENCING);
    CHECK_U64(vhd.disk_bytes, MIB);
    make_footer(5, MIB);
    CHECK_U64(judge(4096), VHD_BROKEN);
    CHECK_HAS(vhd.why, "type");
}

/* Whatever the file is called, and whatever stands at its end. */
static void
vhdx_is_known_by_its_first_bytes(void **state)
{
    (void)state;
    uint8_t head[VHD_SECTOR] = "vhdxfile";
    make_footer(2, MIB);
    vhd_judge(head, sizeof head, footer, sizeof footer, MIB + 512, &vhd);
    CHECK_U64(vhd.kind, VHD_VHDX);
    vhd_judge(head, 8, head, 8, 8, &vhd);
    CHECK_U64(vhd.kind, VHD_VHDX);
    vhd_judge(head, 7, head, 7, 7, &vhd);
    CHECK_U64(vhd.kind, VHD_NONE);
}

/* Each byte of a footer counts. */
static void
any_changed_byte_of_a_footer_is_found(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VHD_SECTOR; i++) {
        make_footer(2, MIB);
        footer[i] ^= 1;
        CHECK(judge(MIB + 512) != VHD_FIXED);
        if (i >= 8) {
            CHECK_U64(vhd.kind, VHD_BROKEN);
            CHECK_HAS(vhd.why, "checksum");
            CHECK_U64(vhd.disk_bytes, 0);
        }
    }
}

/* A size that lies is no disk, and its arithmetic does not wrap. */
static void
a_footer_that_lies_about_sizes_is_broken(void **state)
{
    (void)state;
    const uint64_t lies[] = {0,         1,          MIB - 1,           MIB + 1,         MIB + 512,
                             INT64_MAX, UINT64_MAX, UINT64_C(1) << 63, UINT64_MAX - 511};
    for (unsigned i = 0; i < COUNT_OF(lies); i++) {
        make_footer(2, lies[i]);
        CHECK_U64(judge(MIB + 512), VHD_BROKEN);
        CHECK_U64(vhd.disk_bytes, lies[i]);
    }
    make_footer(2, 0);
    CHECK_U64(judge(512), VHD_BROKEN);
    make_footer(2, UINT64_MAX - 511);
    CHECK_U64(judge(0), VHD_BROKEN);
}

static void
another_version_is_broken(void **state)
{
    (void)state;
    make_footer(2, MIB);
    put(12, 4, 0x00020000);
    seal();
    CHECK_U64(judge(MIB + 512), VHD_BROKEN);
    CHECK_HAS(vhd.why, "version");
}

/* A copy that stopped too early leaves a header, or the beginning of the footer. */
static void
a_missing_or_cut_footer_is_told(void **state)
{
    (void)state;
    uint8_t tail[VHD_SECTOR] = {0};
    make_footer(3, MIB);
    vhd_judge(footer, VHD_SECTOR, zeros, VHD_SECTOR, MIB, &vhd);
    CHECK_U64(vhd.kind, VHD_BROKEN);
    CHECK_HAS(vhd.why, "no footer");
    memcpy(tail + 100, footer, VHD_SECTOR - 100);
    vhd_judge(zeros, VHD_SECTOR, tail, VHD_SECTOR, MIB + 412, &vhd);
    CHECK_U64(vhd.kind, VHD_BROKEN);
    CHECK_HAS(vhd.why, "cut off");
    vhd_judge(footer, 40, footer, 40, 40, &vhd);
    CHECK_U64(vhd.kind, VHD_BROKEN);
}

/* A text that speaks of disks is none. */
static void
anything_else_is_no_disk(void **state)
{
    (void)state;
    static const uint8_t words[] = "the cookie is conectix, they say, and then some more text";
    vhd_judge(words, sizeof words, words, sizeof words, sizeof words, &vhd);
    CHECK_U64(vhd.kind, VHD_NONE);
    vhd_judge(NULL, 0, NULL, 0, 0, &vhd);
    CHECK_U64(vhd.kind, VHD_NONE);
    CHECK_U64(vhd.disk_bytes, 0);
}

static void
looking_reads_both_ends_of_a_file(void **state)
{
    (void)state;
    struct folder folder;
    struct err err = ERR_NONE;
    folder_init(&folder);
    int fd = open(folder_write(&folder, "disk", "", 0), O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    make_footer(2, MIB);
    CHECK_U64(pwrite(fd, footer, sizeof footer, (off_t)MIB), sizeof footer);
    CHECK_OK(vhd_look(fd, MIB + 512, &vhd, &err), &err);
    CHECK_U64(vhd.kind, VHD_FIXED);
    CHECK_OK(vhd_look(fd, 0, &vhd, &err), &err);
    CHECK_U64(vhd.kind, VHD_NONE);
    CHECK_ERR(vhd_look(fd, MIB + 513, &vhd, &err), &err, ERR_ITEM_CHANGED);
    CHECK_ERR(vhd_look(fd, UINT64_MAX, &vhd, &err), &err, ERR_ITEM_IO);
    CHECK_ERR(vhd_look(-1, 512, &vhd, &err), &err, ERR_ITEM_IO);
    CHECK_I64(close(fd), 0);
    folder_done(&folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fixed_disk_is_data_and_a_footer),
        cmocka_unit_test(a_footer_of_511_bytes_is_accepted),
        cmocka_unit_test(other_kinds_are_told_apart),
        cmocka_unit_test(vhdx_is_known_by_its_first_bytes),
        cmocka_unit_test(any_changed_byte_of_a_footer_is_found),
        cmocka_unit_test(a_footer_that_lies_about_sizes_is_broken),
        cmocka_unit_test(another_version_is_broken),
        cmocka_unit_test(a_missing_or_cut_footer_is_told),
        cmocka_unit_test(anything_else_is_no_disk),
        cmocka_unit_test(looking_reads_both_ends_of_a_file),
    };
    return cmocka_run_group_tests_name("vhd", tests, NULL, NULL);
}
