#include "base/arena.h"
#include "base/crc64.h"
#include "ingest/device/manifest_build.h"
#include "tests/support/folder.h"

#include <pthread.h>

static struct folder folder;
static struct text told;
static struct text file; /* the last one read */
static struct manifest_build_result result;
static struct err err;
static atomic_int signal_seen;
static void (*on_written)(void);

static int
make(void **state)
{
    (void)state;
    told = file = TEXT_INIT;
    on_written = NULL;
    atomic_store(&signal_seen, 0);
    folder_init(&folder);
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    text_done(&told);
    text_done(&file);
    folder_done(&folder);
    return 0;
}

static void
tell(void *user, const char *path, const struct err *why)
{
    (void)user;
    text_addf(&told, "%s %s\n", err_name(why->code), path);
}

static void
tell_written(void *user, const struct manifest_written *written)
{
    (void)user;
    (void)written;
    if (on_written != NULL) {
        on_written();
    }
}

static enum err_code
build(enum device_sku sku, unsigned threads)
{
    const struct manifest_build_options options = {.root = folder.path,
                                                   .device = {.sku = sku},
                                                   .threads = threads,
                                                   .clock = &clock_system,
                                                   .signal = &signal_seen,
                                                   .tell = tell,
                                                   .tell_written = tell_written};
    text_clear(&told);
    return manifest_build(&options, &result, &err);
}

static const char *
manifest(const char *name)
{
    char buf[4096];
    ssize_t got = 0;
    text_clear(&file);
    int fd = open(folder_join(&folder, name), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return "none";
    }
    while ((got = read(fd, buf, sizeof buf)) > 0) {
        text_add(&file, buf, (size_t)got);
    }
    CHECK_I64(close(fd), 0);
    return text_str(&file);
}

/* The published checksums, one line each, in order. */
static void
each_share_with_data_has_its_list(void **state)
{
    (void)state;
    static char zeros[1024];
    (void)folder_make(&folder, "acct_BlockBlob");
    (void)folder_make(&folder, "acct_BlockBlob/c1");
    (void)folder_make(&folder, "acct_PageBlob");
    (void)folder_make(&folder, "acct_AzFile");
    (void)folder_make(&folder, "acct_AzFile/s");
    (void)folder_make(&folder, "lost+found");
    (void)folder_make(&folder, "Backup");
    (void)folder_write(&folder, "lost+found/x", "x", 1);
    (void)folder_write(&folder, "acct_BlockBlob/c1/hello.txt", "Hello World", 11);
    (void)folder_write(&folder, "acct_BlockBlob/c1/test1", zeros, sizeof zeros);
    (void)folder_write(&folder, "acct_BlockBlob/c1/empty", "", 0);
    (void)folder_write(&folder, "acct_AzFile/s/check", "123456789", 9);
    CHECK_OK(build(SKU_DATABOX, 0), &err);
    CHECK_TEXT(manifest("BOM/acct_BlockBlob.txt"),
               "<file size=\"0\" crc64=\"0x0000000000000000\">\\c1\\empty</file>\n"
               "<file size=\"11\" crc64=\"0x659632cb7e4be261\">\\c1\\hello.txt</file>\n"
               "<file size=\"1024\" crc64=\"0x691bb2b09be5498a\">\\c1\\test1</file>\n");
    CHECK_TEXT(manifest("BOM/acct_AzFile-BOM.txt"),
               "<file size=\"9\" crc64=\"0xae8b14860a799888\">\\s\\check</file>\n");
    CHECK_TEXT(manifest("BOM/acct_PageBlob.txt"), "none");
    CHECK_TEXT(text_str(&told), "ok Backup\n");
    CHECK_U64(result.items, 4);
    CHECK_U64(result.bytes, 11 + 1024 + 9);
    CHECK_U64(result.files_written, 2);
    CHECK_U64(result.outside, 1);
}

/* The same table says what a share is for the checks and for the copy. */
static void
what_is_a_share_is_the_layout_s_word(void **state)
{
    (void)state;
    (void)folder_make(&folder, "BlockBlob_Archive");
    (void)folder_make(&folder, "BlockBlob_Archive/c1");
    (void)folder_write(&folder, "BlockBlob_Archive/c1/a", "a", 1);
    (void)folder_make(&folder, "blockblob");
    (void)folder_write(&folder, "PageBlob", "no folder", 9);
    (void)folder_write(&folder, "DriveManifest.xml", "x", 1);
    (void)folder_make(&folder, "DataBoxDiskImport");
    CHECK_I64(symlink("/", folder_join(&folder, "lost+found")), 0);
    CHECK_OK(build(SKU_DISK, 0), &err);
    CHECK_TEXT(manifest("BOM/BlockBlob_Archive.txt"),
               "<file size=\"1\" crc64=\"0x8c2f8445b4cbfc3c\">\\c1\\a</file>\n");
    CHECK_U64(result.files_written, 1);
    CHECK_U64(result.outside, 2);
    CHECK_U64(result.special, 1);
    CHECK_TEXT(text_str(&told), "ok PageBlob\nok blockblob\nitem-special lost+found\n");
}

/* Links and pipes cannot be uploaded; what else the share holds can. */
static void
special_files_are_left_out(void **state)
{
    (void)state;
    (void)folder_make(&folder, "BlockBlob");
    (void)folder_write(&folder, "BlockBlob/a", "a", 1);
    CHECK_I64(symlink("/etc/passwd", folder_join(&folder, "BlockBlob/link")), 0);
    CHECK_I64(mkfifo(folder_join(&folder, "BlockBlob/pipe"), 0600), 0);
    CHECK_I64(symlink("BlockBlob", folder_join(&folder, "PageBlob")), 0);
    CHECK_OK(build(SKU_DISK, 2), &err);
    CHECK_TEXT(text_str(&told), "item-special BlockBlob/link\nitem-special BlockBlob/pipe\n"
                                "item-special PageBlob\n");
    CHECK_TEXT(manifest("BOM/BlockBlob.txt"),
               "<file size=\"1\" crc64=\"0x8c2f8445b4cbfc3c\">\\a</file>\n");
    CHECK_U64(result.special, 3);
    CHECK_U64(result.failed, 0);
}

/* A list that lacks a file says that the file is not there. */
static void
a_share_with_an_unreadable_file_has_no_list(void **state)
{
    (void)state;
    (void)folder_make(&folder, "a_BlockBlob");
    (void)folder_make(&folder, "a_PageBlob");
    (void)folder_write(&folder, "a_BlockBlob/a", "a", 1);
    (void)folder_write(&folder, "a_BlockBlob/b", "b", 1);
    (void)folder_write(&folder, "a_PageBlob/a", "a", 1);
    CHECK_I64(chmod(folder_join(&folder, "a_BlockBlob/a"), 0), 0);
    CHECK_I64(chmod(folder.path, 0777), 0);
    /* Root reads everything, so nobody does it. */
    uid_t me = geteuid();
    CHECK(me != 0 || seteuid(65534) == 0);
    enum err_code code = build(SKU_DATABOX, 2);
    CHECK_I64(seteuid(me), 0);
    CHECK_OK(code, &err);
    CHECK_TEXT(text_str(&told), "item-access a_BlockBlob/a\n");
    CHECK_TEXT(manifest("BOM/a_BlockBlob.txt"), "none");
    CHECK_TEXT(manifest("BOM/a_BlockBlob.txt.partial"), "none");
    CHECK_HAS(manifest("BOM/a_PageBlob.txt"), "\\a</file>");
    CHECK_U64(result.files_withheld, 1);
}

static atomic_bool is_over;

static void *
keep_writing(void *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    while (!atomic_load(&is_over)) {
        (void)!pwrite(fd, "x", 1, 0);
    }
    (void)close(fd);
    return NULL;
}

/* A sum of bytes that were never there at one time is no sum. */
static void
a_share_with_a_file_that_changes_has_no_list(void **state)
{
    (void)state;
    (void)folder_make(&folder, "a_BlockBlob");
    const char *path = folder_write(&folder, "a_BlockBlob/a", "a", 1);
    CHECK_I64(truncate(path, (off_t)8 << 20), 0);
    /* Not sparse, so that it is read. */
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    for (unsigned i = 0; i < (8U << 20) / sizeof file; i++) {
        CHECK(write(fd, &file, sizeof file) == (ssize_t)sizeof file);
    }
    CHECK_I64(close(fd), 0);
    AUTO_TEXT own_path = TEXT_INIT;
    text_add_str(&own_path, path);
    pthread_t thread;
    atomic_store(&is_over, false);
    CHECK_I64(pthread_create(&thread, NULL, keep_writing, own_path.bytes), 0);
    bool is_told = false;
    int64_t deadline_ns = clock_mono_ns(&clock_system) + 20 * NS_PER_S;
    while (!is_told && clock_mono_ns(&clock_system) < deadline_ns) {
        /* The clock of the file system may stand still over one reading. */
        CHECK_OK(build(SKU_DATABOX, 2), &err);
        is_told = strcmp(text_str(&told), "item-changed a_BlockBlob/a\n") == 0;
        CHECK_U64(result.files_withheld, is_told ? 1 : 0);
    }
    atomic_store(&is_over, true);
    CHECK_I64(pthread_join(thread, NULL), 0);
    CHECK(is_told);
    CHECK(!folder_has(&folder, "BOM/a_BlockBlob.txt.partial"));
}

/* The folder of the lists inside a share would be in its own list. */
static void
lists_do_not_go_into_a_share(void **state)
{
    (void)state;
    AUTO_TEXT output = TEXT_INIT;
    (void)folder_make(&folder, "a_BlockBlob");
    (void)folder_make(&folder, "a_BlockBlob/lists");
    (void)folder_write(&folder, "a_BlockBlob/a", "a", 1);
    text_addf(&output, "%s/a_BlockBlob/lists", folder.path);
    const struct manifest_build_options options = {.root = folder.path,
                                                   .output = text_str(&output),
                                                   .clock = &clock_system,
                                                   .tell = tell,
                                                   .tell_written = tell_written};
    CHECK_OK(manifest_build(&options, &result, &err), &err);
    CHECK_HAS(text_str(&told), "usage a_BlockBlob/lists\n");
    CHECK_U64(result.files_written, 0);
    CHECK(!folder_has(&folder, "a_BlockBlob/lists/a_BlockBlob.txt"));
}

/* A device may hold traps where the lists go. */
static void
lists_are_not_written_through_links(void **state)
{
    (void)state;
    (void)folder_make(&folder, "a_BlockBlob");
    (void)folder_write(&folder, "a_BlockBlob/a", "a", 1);
    (void)folder_write(&folder, "victim", "precious", 8);
    (void)folder_make(&folder, "BOM");
    CHECK_I64(symlink("../victim", folder_join(&folder, "BOM/a_BlockBlob.txt")), 0);
    CHECK_I64(symlink("../victim", folder_join(&folder, "BOM/a_BlockBlob.txt.partial")), 0);
    CHECK_OK(build(SKU_DATABOX, 2), &err);
    CHECK_TEXT(manifest("victim"), "precious");
    CHECK_HAS(manifest("BOM/a_BlockBlob.txt"), "\\a</file>");
    CHECK_I64(unlink(folder_join(&folder, "BOM/a_BlockBlob.txt")), 0);
    CHECK_I64(rename(folder_join(&folder, "BOM"), folder_join(&folder, "lost+found")), 0);
    CHECK_I64(symlink("lost+found", folder_join(&folder, "BOM")), 0);
    CHECK(build(SKU_DATABOX, 2) != ERR_OK);
    CHECK(!folder_has(&folder, "lost+found/a_BlockBlob.txt"));
}

static void
raise_signal(void)
{
    atomic_store(&signal_seen, 2);
}

/* Interrupted: whole lists stay, and no half of one. */
static void
an_interrupt_leaves_no_half_list(void **state)
{
    (void)state;
    (void)folder_make(&folder, "a_BlockBlob");
    (void)folder_make(&folder, "b_BlockBlob");
    (void)folder_write(&folder, "a_BlockBlob/a", "a", 1);
    (void)folder_write(&folder, "b_BlockBlob/a", "a", 1);
    on_written = raise_signal;
    CHECK_ERR(build(SKU_DATABOX, 2), &err, ERR_INTERRUPTED);
    CHECK_HAS(manifest("BOM/a_BlockBlob.txt"), "\\a</file>");
    CHECK_TEXT(manifest("BOM/b_BlockBlob.txt"), "none");
    CHECK_TEXT(manifest("BOM/b_BlockBlob.txt.partial"), "none");
    CHECK_ERR(build(SKU_DATABOX, 2), &err, ERR_INTERRUPTED);
}

static void
a_tree_without_files_is_nothing_to_do(void **state)
{
    (void)state;
    (void)folder_make(&folder, "a_BlockBlob");
    CHECK_ERR(build(SKU_DATABOX, 2), &err, ERR_NOTHING);
    CHECK(!folder_has(&folder, "BOM"));
    folder.path[strlen(folder.path) - 1] ^= 1;
    CHECK_ERR(build(SKU_DATABOX, 2), &err, ERR_STORE_GONE);
    folder.path[strlen(folder.path) - 1] ^= 1;
}

/* Data, hole, data, hole: in pieces of any order, the sum is that of all bytes in a row. */
static void
large_and_sparse_files_have_the_sum_of_all_their_bytes(void **state)
{
    (void)state;
    const size_t data = ((size_t)3 << 20) + 777;
    const size_t size = ((size_t)64 << 20) + 13;
    const size_t second = (size_t)30 << 20;
    char *bytes = mem_take(size);
    (void)folder_make(&folder, "a_BlockBlob");
    for (size_t i = 0; i < data; i++) {
        bytes[i] = (char)(i * 2654435761U >> 13);
    }
    memcpy(bytes + second, bytes, data);
    const char *path = folder_write(&folder, "a_BlockBlob/sparse", bytes, data);
    CHECK_I64(truncate(path, (off_t)size), 0);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    CHECK_U64(pwrite(fd, bytes, data, (off_t)second), data);
    CHECK_I64(close(fd), 0);
    (void)folder_write(&folder, "a_BlockBlob/whole", bytes, size);
    AUTO_TEXT want = TEXT_INIT;
    uint64_t crc = crc64(CRC64_EMPTY, bytes, size);
    manifest_write_line(&want, "sparse", 6, size, crc);
    manifest_write_line(&want, "whole", 5, size, crc);
    for (unsigned threads = 1; threads <= 8; threads *= 2) {
        CHECK_OK(build(SKU_DATABOX, threads), &err);
        CHECK_TEXT(manifest("BOM/a_BlockBlob.txt"), text_str(&want));
    }
    mem_give(bytes);
}

/* A file of holes alone is done at once, however large it says it is. */
static void
nothing_is_read_of_a_hole(void **state)
{
    (void)state;
    (void)folder_make(&folder, "a_BlockBlob");
    const char *path = folder_write(&folder, "a_BlockBlob/hole", "", 0);
    const off_t sizes[] = {(off_t)1 << 43, (off_t)1 << 40, (off_t)1 << 33};
    /* As large as this file system can. */
    off_t size = 0;
    for (unsigned i = 0; i < COUNT_OF(sizes) && size == 0; i++) {
        size = truncate(path, sizes[i]) == 0 ? sizes[i] : 0;
    }
    CHECK(size != 0);
    AUTO_TEXT want = TEXT_INIT;
    manifest_write_line(&want, "hole", 4, (uint64_t)size, crc64_zeros((uint64_t)size));
    CHECK_OK(build(SKU_DATABOX, 2), &err);
    CHECK_TEXT(manifest("BOM/a_BlockBlob.txt"), text_str(&want));
}

/* Many folders and files, more than are in flight at a time: each once, in order, every time. */
static void
two_runs_give_the_same_bytes(void **state)
{
    (void)state;
    (void)folder_make(&folder, "a_BlockBlob");
    for (unsigned i = 0; i < 600; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "a_BlockBlob/d%u", i);
        (void)folder_make(&folder, name);
        for (unsigned k = 0; k < 10; k++) {
            (void)snprintf(name, sizeof name, "a_BlockBlob/d%u/f%u", i, k);
            (void)folder_write(&folder, name, name, strlen(name));
        }
    }
    AUTO_TEXT first = TEXT_INIT;
    CHECK_OK(build(SKU_DATABOX, 8), &err);
    CHECK_U64(result.items, 6000);
    text_add_str(&first, manifest("BOM/a_BlockBlob.txt"));
    CHECK_OK(build(SKU_DATABOX, 1), &err);
    CHECK_TEXT(manifest("BOM/a_BlockBlob.txt"), text_str(&first));
    CHECK_HAS(text_str(&first), "\\d0\\f0</file>\n");
    CHECK_HAS(text_str(&first), "\\d599\\f9</file>\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_share_with_data_has_its_list),
        TEST(what_is_a_share_is_the_layout_s_word),
        TEST(special_files_are_left_out),
        TEST(a_share_with_an_unreadable_file_has_no_list),
        TEST(a_share_with_a_file_that_changes_has_no_list),
        TEST(lists_do_not_go_into_a_share),
        TEST(lists_are_not_written_through_links),
        TEST(an_interrupt_leaves_no_half_list),
        TEST(a_tree_without_files_is_nothing_to_do),
        TEST(large_and_sparse_files_have_the_sum_of_all_their_bytes),
        TEST(nothing_is_read_of_a_hole),
        TEST(two_runs_give_the_same_bytes),
    };
    return cmocka_run_group_tests_name("manifest_build", tests, NULL, NULL);
}
