/* Both kinds of disk keep the same rules; where io_uring is refused only the thread pool is run. */
#include "storage/disk.h"
#include "tests/support/folder.h"

#include <errno.h>
#include <linux/openat2.h>
#include <poll.h>

static struct folder folder;
static struct disk *disk;
static struct err err;
static unsigned done_count;

static int
make(enum disk_kind kind)
{
    folder_init(&folder);
    done_count = 0;
    disk = NULL;
    return disk_new(kind, 8, &disk, &err) == ERR_OK ? 0 : -1;
}

static int
make_uring(void **state)
{
    (void)state;
    return make(DISK_URING);
}

static int
make_threads(void **state)
{
    (void)state;
    return make(DISK_THREADS);
}

static int
unmake(void **state)
{
    (void)state;
    disk = disk_free(disk);
    folder_done(&folder);
    return 0;
}

static void
on_done(struct disk_op *op)
{
    (void)op;
    done_count++;
}

/* Until all have ended, waiting as a lane does: only on the wake fd. */
static void
wait_for(unsigned count)
{
    while (done_count < count) {
        struct pollfd wake = {.fd = disk_wake_fd(disk), .events = POLLIN};
        disk_flush(disk);
        (void)disk_poll(disk);
        if (done_count < count) {
            CHECK_I64(poll(&wake, 1, 10000), 1);
        }
    }
    CHECK_U64(disk_in_flight(disk), 0);
}

static int
run(struct disk_op op)
{
    static struct disk_op running;
    unsigned before = done_count;
    running = op;
    running.done = on_done;
    disk_submit(disk, &running);
    CHECK_U64(done_count, before); /* never from inside the submission */
    wait_for(before + 1);
    return running.result;
}

static int
open_file(const char *name, int flags)
{
    return run((struct disk_op){.verb = DISK_OPEN,
                                .fd = AT_FDCWD,
                                .path = folder_join(&folder, name),
                                .flags = (uint64_t)flags,
                                .mode = (flags & O_CREAT) != 0 ? 0600 : 0});
}

/* The whole life of a file, with bytes where they were put. */
static void
a_file_is_written_and_read_back(void **state)
{
    char wrote[] = "0123456789";
    char read[16] = "";
    (void)state;
    int fd = open_file("file", O_RDWR | O_CREAT | O_EXCL);
    CHECK(fd >= 0);
    CHECK_U64(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    struct disk_op op = {
        .verb = DISK_WRITE, .fd = fd, .buf = wrote, .len_bytes = 10, .offset_bytes = 5};
    CHECK_I64(run(op), 10);
    CHECK_I64(run((struct disk_op){.verb = DISK_SYNC, .fd = fd}), 0);
    op = (struct disk_op){
        .verb = DISK_READ, .fd = fd, .buf = read, .len_bytes = 16, .offset_bytes = 3};
    CHECK_I64(run(op), 12); /* short at the end of the file */
    CHECK_BYTES(read,
                "\0\0"
                "0123456789",
                12);
    op.offset_bytes = 15;
    CHECK_I64(run(op), 0);
    CHECK_I64(run((struct disk_op){.verb = DISK_CLOSE, .fd = fd}), 0);
    CHECK_I64(run(op), -EBADF);
}

/* What the system refuses is the op's result, and the disk goes on. */
static void
a_refusal_is_the_ops_result(void **state)
{
    char byte = 'x';
    (void)state;
    CHECK_I64(open_file("missing", O_RDONLY), -ENOENT);
    int fd = open_file("file", O_WRONLY | O_CREAT);
    CHECK_I64(open_file("file", O_WRONLY | O_CREAT | O_EXCL), -EEXIST);
    CHECK_I64(run((struct disk_op){.verb = DISK_READ, .fd = fd, .buf = &byte, .len_bytes = 1}),
              -EBADF);
    CHECK_I64(run((struct disk_op){.verb = DISK_WRITE, .fd = fd, .buf = &byte, .len_bytes = 1}), 1);
    CHECK_I64(close(fd), 0);
    CHECK_I64(run((struct disk_op){.verb = DISK_SYNC, .fd = fd}), -EBADF);
}

/* Names are hostile: the kernel is asked to stay beneath the folder, in both kinds. */
static void
opening_stays_beneath_where_asked(void **state)
{
    static const struct {
        const char *path;
        uint64_t resolve;
        int result;
    } rows[] = {
        {"../etc", RESOLVE_BENEATH, -EXDEV},
        {"/etc", RESOLVE_BENEATH, -EXDEV},
        {"link", RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS, -ELOOP},
        {"link", RESOLVE_BENEATH, -EXDEV},
    };
    (void)state;
    CHECK_I64(symlink("/etc", folder_join(&folder, "link")), 0);
    int at = open(folder.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int got = run((struct disk_op){.verb = DISK_OPEN,
                                       .fd = at,
                                       .path = rows[i].path,
                                       .flags = O_RDONLY,
                                       .resolve = rows[i].resolve});
        CHECK_I64(got, rows[i].result);
    }
    CHECK_I64(close(at), 0);
}

/* A lane submits far more than the kernel takes at once; each op ends exactly once. */
static void
more_ops_than_depth_all_end_once(void **state)
{
    enum { OPS = 300, PIECE = 64 };
    static struct disk_op ops[OPS];
    static char bytes[OPS][PIECE];
    (void)state;
    int fd = open_file("file", O_RDWR | O_CREAT);
    for (unsigned round = 0; round < 2; round++) {
        done_count = 0;
        for (unsigned i = 0; i < OPS; i++) {
            if (round == 0) {
                memset(bytes[i], (int)(i % 251), PIECE);
            } else {
                memset(bytes[i], 0xff, PIECE);
            }
            ops[i] = (struct disk_op){.verb = round == 0 ? DISK_WRITE : DISK_READ,
                                      .fd = fd,
                                      .buf = bytes[i],
                                      .len_bytes = PIECE,
                                      .offset_bytes = (uint64_t)i * PIECE,
                                      .result = -1,
                                      .done = on_done};
            disk_submit(disk, &ops[i]);
        }
        CHECK_U64(disk_in_flight(disk) + done_count, OPS);
        wait_for(OPS);
        CHECK_U64(done_count, OPS);
        for (unsigned i = 0; i < OPS; i++) {
            CHECK_I64(ops[i].result, PIECE);
            CHECK_U64((unsigned char)bytes[i][PIECE - 1], i % 251);
        }
    }
    CHECK_I64(close(fd), 0);
}

static unsigned chain_left;

static void
on_link(struct disk_op *op)
{
    if (chain_left-- > 0) {
        disk_submit(disk, op);
        return;
    }
    done_count++;
}

/* A read that was short asks for the rest from within its own completion. */
static void
a_completion_may_submit_again(void **state)
{
    static struct disk_op op;
    char byte = 0;
    (void)state;
    int fd = open(folder_write(&folder, "file", "x", 1), O_RDONLY | O_CLOEXEC);
    chain_left = 100;
    op = (struct disk_op){
        .verb = DISK_READ, .fd = fd, .buf = &byte, .len_bytes = 1, .done = on_link};
    disk_submit(disk, &op);
    wait_for(1);
    CHECK_I64(op.result, 1);
    CHECK_I64(close(fd), 0);
}

/* A lane that has emptied its disk must be able to sleep: a wake fd left readable would spin. */
static void
the_wake_fd_is_quiet_when_nothing_is_left(void **state)
{
    (void)state;
    struct pollfd wake = {.fd = disk_wake_fd(disk), .events = POLLIN};
    int fd = open_file("file", O_WRONLY | O_CREAT);
    CHECK_I64(run((struct disk_op){.verb = DISK_CLOSE, .fd = fd}), 0);
    CHECK_U64(disk_poll(disk), 0);
    CHECK_I64(poll(&wake, 1, 0), 0);
}

#define RACING_ROUNDS 20000U
#define RACING_OPS    8U

/*
 * A completion may come while the disk is being looked at, at any instruction. If its signal were
 * swallowed the lane would sleep until something else happens, which may be never: copies stalled
 * about once in ten thousand waits. Files are opened to be made, because that is done by another
 * thread of the kernel and so ends at any moment.
 */
static void
a_completion_that_comes_while_we_look_wakes_us(void **state)
{
    static struct disk_op ops[RACING_OPS];
    char names[RACING_OPS][128];
    (void)state;
    for (unsigned i = 0; i < RACING_OPS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%u", i);
        (void)snprintf(names[i], sizeof names[i], "%s", folder_join(&folder, name));
    }
    for (unsigned round = 0; round < RACING_ROUNDS; round++) {
        unsigned before = done_count;
        for (unsigned i = 0; i < RACING_OPS; i++) {
            ops[i] = (struct disk_op){.verb = DISK_OPEN,
                                      .fd = AT_FDCWD,
                                      .path = names[i],
                                      .flags = O_WRONLY | O_CREAT,
                                      .mode = 0600,
                                      .done = on_done};
            disk_submit(disk, &ops[i]);
        }
        wait_for(before + RACING_OPS);
        for (unsigned i = 0; i < RACING_OPS; i++) {
            CHECK_I64(close(ops[i].result), 0);
        }
    }
}

/* The variable that forces a kind is the operator's way out; a slip in it is not passed over. */
static void
the_environment_forces_a_kind(void **state)
{
    struct disk *forced = NULL;
    (void)state;
    CHECK_I64(setenv("SALLYPORT_IO", "threads", 1), 0);
    CHECK_OK(disk_new(DISK_AUTO, 2, &forced, &err), &err);
    CHECK_TEXT(disk_kind_name(forced), "threads");
    forced = disk_free(forced);
    CHECK_I64(setenv("SALLYPORT_IO", "magic", 1), 0);
    CHECK_ERR(disk_new(DISK_AUTO, 2, &forced, &err), &err, ERR_CONFIG);
    CHECK_HAS(err.text, "'magic'");
    CHECK_I64(unsetenv("SALLYPORT_IO"), 0);
    CHECK_OK(disk_new(DISK_AUTO, 2, &forced, &err), &err);
    forced = disk_free(forced);
}

#define TESTS(make)                                                                                \
    cmocka_unit_test_setup_teardown(a_file_is_written_and_read_back, make, unmake),                \
        cmocka_unit_test_setup_teardown(a_refusal_is_the_ops_result, make, unmake),                \
        cmocka_unit_test_setup_teardown(opening_stays_beneath_where_asked, make, unmake),          \
        cmocka_unit_test_setup_teardown(more_ops_than_depth_all_end_once, make, unmake),           \
        cmocka_unit_test_setup_teardown(a_completion_may_submit_again, make, unmake),              \
        cmocka_unit_test_setup_teardown(the_wake_fd_is_quiet_when_nothing_is_left, make, unmake),  \
        cmocka_unit_test_setup_teardown(a_completion_that_comes_while_we_look_wakes_us, make,      \
                                        unmake)

int
main(void)
{
    const struct CMUnitTest threads[] = {
        TESTS(make_threads),
        cmocka_unit_test_setup_teardown(the_environment_forces_a_kind, make_threads, unmake),
    };
    const struct CMUnitTest uring[] = {TESTS(make_uring)};
    int failed = cmocka_run_group_tests_name("threads", threads, NULL, NULL);
    if (disk_probe_uring(&err) != ERR_OK) {
        print_message("io_uring is left out: %s\n", err.text);
        return failed;
    }
    return failed + cmocka_run_group_tests_name("io_uring", uring, NULL, NULL);
}
