/* What is published is there under its name, durable and whole, or the op says why not. */
#include "base/crc64.h"
#include "base/mailbox.h"
#include "storage/local/local.h"
#include "tests/support/folder.h"

#include <signal.h>
#include <sys/wait.h>

static struct folder folder;
static struct err err;
static struct mailbox answers;
static struct end *end;

static int
make(void **state)
{
    (void)state;
    folder_init(&folder);
    end = NULL;
    return mailbox_init(&answers, &err) == ERR_OK ? 0 : -1;
}

static int
unmake(void **state)
{
    (void)state;
    end = end == NULL ? NULL : end_close(end);
    mailbox_done(&answers);
    folder_done(&folder);
    return 0;
}

static struct local_end *
prepare(const char *address)
{
    AUTO_TEXT full = TEXT_INIT;
    const struct end_options options = {.role = END_TARGET, .clock = &clock_system};
    uint64_t free_bytes = 0;
    bool is_fresh = false;
    bool is_store = strncmp(address, "file:", 5) == 0;
    text_addf(&full, "%s%s/%s", is_store ? "file:" : "", folder.path, address + (is_store ? 5 : 0));
    CHECK_OK(end_open(text_str(&full), &options, &end, &err), &err);
    CHECK_OK(end_prepare(end, false, &free_bytes, &is_fresh, &err), &err);
    return CONTAINER_OF(end, struct local_end, end);
}

struct item {
    struct publish publish;
    struct blob_op op;
    struct blob_props props;
};

/* A staged file of these bytes, ready to be published under name. */
static void
stage(struct local_end *local, struct item *item, const char *name, const char *bytes,
      unsigned number)
{
    size_t len = strlen(bytes);
    *item = (struct item){.props = {.size_bytes = len,
                                    .original_bytes = len,
                                    .mtime_ns = 1000,
                                    .crc64 = number,
                                    .job = "0123456789abcdef0123456789abcdef",
                                    .has_crc64 = true,
                                    .type = BLOB_TYPE_BLOCK}};
    item->op = (struct blob_op){.verb = BLOB_COMMIT, .name = name, .props = &item->props};
    item->publish = (struct publish){.op = &item->op, .answer = &answers};
    (void)snprintf(item->publish.stage_name, sizeof item->publish.stage_name, "staged-%u", number);
    int fd = openat(local->stage, item->publish.stage_name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    CHECK(fd >= 0);
    CHECK_I64(write(fd, bytes, len), (int64_t)len);
    CHECK_I64(close(fd), 0);
}

static void
wait_for(unsigned count)
{
    while (count > 0) {
        mailbox_wait(&answers, 10000);
        struct mail *mail = mailbox_take(&answers);
        CHECK(mail != NULL);
        for (; mail != NULL; mail = mail->next) {
            count--;
        }
    }
}

static enum err_code
publish(struct local_end *local, struct item *item)
{
    publisher_post(local->publisher, &item->publish);
    wait_for(1);
    err = item->op.err;
    return err.code;
}

static void
check_file(const char *name, const char *want)
{
    char bytes[64] = "";
    int fd = open(folder_join(&folder, name), O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK(read(fd, bytes, sizeof bytes - 1) >= 0);
    CHECK_TEXT(bytes, want);
    CHECK_I64(close(fd), 0);
}

static void
a_published_item_has_its_name_and_no_other(void **state)
{
    struct item item;
    (void)state;
    struct local_end *local = prepare("tree");
    stage(local, &item, "a/b/name", "bytes", 1);
    CHECK(!folder_has(&folder, "tree/a"));
    CHECK_OK(publish(local, &item), &err);
    check_file("tree/a/b/name", "bytes");
    CHECK(faccessat(local->stage, item.publish.stage_name, F_OK, 0) != 0);
    CHECK(item.op.etag[0] != '\0');
    /* The one that comes later replaces it as a whole. */
    stage(local, &item, "a/b/name", "newer", 2);
    CHECK_OK(publish(local, &item), &err);
    check_file("tree/a/b/name", "newer");
}

/* Conditions protect what another writer has put there meanwhile. */
static void
conditions_hold_when_the_name_is_taken(void **state)
{
    struct item item;
    char etag[BLOB_ETAG_BYTES];
    (void)state;
    struct local_end *local = prepare("tree");
    stage(local, &item, "name", "first", 1);
    item.op.cond = BLOB_COND_ABSENT;
    CHECK_OK(publish(local, &item), &err);
    memcpy(etag, item.op.etag, sizeof etag);
    stage(local, &item, "name", "second", 2);
    item.op.cond = BLOB_COND_ABSENT;
    CHECK_ERR(publish(local, &item), &err, ERR_OTHER_WRITER);
    check_file("tree/name", "first");
    stage(local, &item, "name", "third", 3);
    item.op.cond = BLOB_COND_ETAG;
    (void)snprintf(item.op.cond_etag, sizeof item.op.cond_etag, "another");
    CHECK_ERR(publish(local, &item), &err, ERR_OTHER_WRITER);
    check_file("tree/name", "first");
    memcpy(item.op.cond_etag, etag, sizeof etag);
    item.op.err = ERR_NONE;
    CHECK_OK(publish(local, &item), &err);
    check_file("tree/name", "third");
}

/* One item that cannot be published takes nothing of its neighbours with it. */
static void
a_failure_is_its_items_alone(void **state)
{
    enum { ITEMS = 50 };
    static struct item items[ITEMS];
    static char names[ITEMS][32];
    (void)state;
    struct local_end *local = prepare("tree");
    for (unsigned i = 0; i < ITEMS; i++) {
        (void)snprintf(names[i], sizeof names[i], i % 7 == 3 ? "../out-%u" : "in/%u", i);
        stage(local, &items[i], names[i], "x", i);
        if (i == 10) {
            CHECK_I64(unlinkat(local->stage, items[i].publish.stage_name, 0), 0);
        }
    }
    for (unsigned i = 0; i < ITEMS; i++) {
        publisher_post(local->publisher, &items[i].publish);
    }
    wait_for(ITEMS);
    for (unsigned i = 0; i < ITEMS; i++) {
        bool is_bad = i % 7 == 3 || i == 10;
        CHECK((items[i].op.err.code == ERR_OK) == !is_bad);
        CHECK(i % 7 != 3 || !folder_has(&folder, names[i] + 3));
    }
    CHECK(folder_has(&folder, "tree/in/49"));
}

/* A blob may be called what no file can be: the store keeps it aside and finds it by its key. */
static void
the_store_keeps_names_that_no_file_can_have(void **state)
{
    static const char *const names[] = {"taken/below", "a//b",         "../x",
                                        "trailing/",   "a/../taken",   "a/./b",
                                        "./taken",     ".sallyport/x", "a/.sallyport/b"};
    struct item item;
    struct index index;
    (void)state;
    struct local_end *local = prepare("file:store/acct/cont");
    stage(local, &item, "taken", "file", 1);
    CHECK_OK(publish(local, &item), &err);
    stage(local, &item, "a/b", "file too", 2);
    CHECK_OK(publish(local, &item), &err);
    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        stage(local, &item, names[i], "by id", 10 + i);
        CHECK_OK(publish(local, &item), &err);
    }
    check_file("store/acct/cont/taken", "file");
    check_file("store/acct/cont/a/b", "file too");
    CHECK(folder_has(&folder, "store/.sallyport/by-id"));
    CHECK(!folder_has(&folder, "store/acct/x"));
    CHECK(!folder_has(&folder, "store/acct/cont/.sallyport"));
    CHECK(!folder_has(&folder, "store/acct/cont/a/.sallyport"));
    CHECK_OK(index_open(&index, local->index_path, &err), &err);
    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        AUTO_TEXT key = TEXT_INIT;
        struct index_row row = {0};
        bool is_found = false;
        local_key(local, names[i], &key);
        CHECK_OK(index_find(&index, text_str(&key), NULL, &row, &is_found, &err), &err);
        CHECK(is_found);
        CHECK_U64(row.props.crc64, 10 + i);
        CHECK(strncmp(text_str(&row.file), ".sallyport/by-id/", 17) == 0);
        index_row_done(&row);
    }
    index_close(&index);
}

/* A plain folder has no index to find such a name by. */
static void
a_folder_refuses_names_that_no_file_can_have(void **state)
{
    struct item item;
    (void)state;
    struct local_end *local = prepare("tree");
    stage(local, &item, "taken", "file", 1);
    CHECK_OK(publish(local, &item), &err);
    stage(local, &item, "taken/below", "x", 2);
    CHECK(publish(local, &item) != ERR_OK);
    CHECK_HAS(err.text, "taken/below");
    check_file("tree/taken", "file");
}

enum { KILLED = 600 };

/* In a process of its own: publishes many items at once, until it is killed. */
static void
publish_until_killed(const char *address)
{
    static struct item items[KILLED];
    static char names[KILLED][16];
    struct local_end *local = prepare(address);
    CHECK_OK(end_begin(end, folder.path, &err), &err);
    for (unsigned i = 0; i < KILLED; i++) {
        (void)snprintf(names[i], sizeof names[i], "in/%u", i);
        stage(local, &items[i], names[i], "bytes", i + 1);
    }
    for (unsigned i = 0; i < KILLED; i++) {
        publisher_post(local->publisher, &items[i].publish);
    }
    wait_for(KILLED);
    (void)pause();
}

/* Kills the process as soon as the first of its items has its name. */
static void
kill_at_first_name(const char *address, const char *first)
{
    struct clock clock = clock_system;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        publish_until_killed(address);
        _exit(0);
    }
    int64_t deadline_ns = clock_mono_ns(&clock) + 30 * NS_PER_S;
    while (!folder_has(&folder, first) && clock_mono_ns(&clock) < deadline_ns) {
    }
    CHECK_I64(kill(child, SIGKILL), 0);
    CHECK_I64(waitpid(child, NULL, 0), child);
    CHECK(folder_has(&folder, first));
}

/* Every item that has its name has its properties; so that a later run knows whose work it is. */
static void
check_rows(const char *index_path, const char *key_prefix, const char *where)
{
    struct index index;
    unsigned there = 0;
    CHECK_OK(index_open(&index, index_path, &err), &err);
    for (unsigned i = 0; i < KILLED; i++) {
        AUTO_TEXT key = TEXT_INIT;
        AUTO_TEXT file = TEXT_INIT;
        struct index_row row = {0};
        struct stat st;
        char etag[BLOB_ETAG_BYTES];
        bool is_found = false;
        text_addf(&key, "%sin/%u", key_prefix, i);
        text_addf(&file, "%s/in/%u", where, i);
        if (lstat(folder_join(&folder, text_str(&file)), &st) != 0) {
            continue;
        }
        there++;
        local_etag(&st, etag);
        CHECK_OK(index_find(&index, text_str(&key), etag, &row, &is_found, &err), &err);
        CHECK(is_found);
        CHECK_U64(row.props.crc64, i + 1);
        CHECK_TEXT(row.props.job, "0123456789abcdef0123456789abcdef");
        index_row_done(&row);
    }
    CHECK(there > 0);
    index_close(&index);
}

static void
a_killed_store_has_no_name_without_its_row(void **state)
{
    (void)state;
    kill_at_first_name("file:store/acct/cont", "store/acct/cont/in/0");
    check_rows(folder_join(&folder, "store/.sallyport/blobs.db"), "acct/cont/", "store/acct/cont");
}

static void
a_killed_folder_has_no_name_that_its_job_does_not_know(void **state)
{
    (void)state;
    kill_at_first_name("tree", "tree/in/0");
    check_rows(folder_join(&folder, "stored.db"), "", "tree");
}

/* What is replaced keeps its row until the new file is there, and has none afterwards. */
static void
a_key_has_one_row_in_the_end(void **state)
{
    struct item item;
    struct sql sql;
    struct sql_stmt stmt;
    bool has_row = false;
    (void)state;
    struct local_end *local = prepare("file:store/acct/cont");
    for (unsigned i = 0; i < 3; i++) {
        stage(local, &item, "name", "bytes", i);
        CHECK_OK(publish(local, &item), &err);
    }
    /* A failed one leaves the row of what is there, and none of its own. */
    stage(local, &item, "name", "more bytes", 9);
    item.op.cond = BLOB_COND_ABSENT;
    CHECK_ERR(publish(local, &item), &err, ERR_OTHER_WRITER);
    end = end_close(end);
    CHECK_OK(sql_open(&sql, folder_join(&folder, "store/.sallyport/blobs.db"), SQL_SYNC_OFF, 65536,
                      &err),
             &err);
    CHECK_OK(sql_prepare(&sql, &stmt, "SELECT count(*), max(crc64) FROM blob", &err), &err);
    CHECK_OK(sql_step(&stmt, &has_row, &err), &err);
    CHECK_I64(sql_col_i64(&stmt, 0), 1);
    CHECK_I64(sql_col_i64(&stmt, 1), 2);
    sql_stmt_done(&stmt);
    sql_close(&sql);
}

/* Items of one round can be in each other's way: 'a' and 'a/b', whichever comes first. */
static void
two_of_one_round_that_cannot_both_be_files_are_both_kept(void **state)
{
    static struct item items[4];
    static const char *const names[] = {"a", "a/b", "c/d", "c"};
    (void)state;
    struct local_end *local = prepare("file:store/acct/cont");
    for (unsigned i = 0; i < COUNT_OF(items); i++) {
        stage(local, &items[i], names[i], names[i], i);
        items[i].op.cond = BLOB_COND_ABSENT;
    }
    for (unsigned i = 0; i < COUNT_OF(items); i++) {
        publisher_post(local->publisher, &items[i].publish);
    }
    wait_for(COUNT_OF(items));
    for (unsigned i = 0; i < COUNT_OF(items); i++) {
        AUTO_TEXT by_id = TEXT_INIT;
        struct stat st;
        CHECK_OK(items[i].op.err.code, &items[i].op.err);
        struct places places;
        places_init(&places, local->root, false);
        CHECK_I64(local_find(local, &places, names[i], &st, &by_id), 0);
        CHECK_U64(st.st_size, strlen(names[i]));
        places_done(&places);
    }
}

/* Of another tool's file the bytes are compared; only then does it get a row. */
static void
a_bare_file_is_adopted_if_it_has_the_bytes(void **state)
{
    struct item item = {.props = {.size_bytes = 5, .has_crc64 = true, .mtime_ns = 1}};
    struct stat st;
    (void)state;
    struct local_end *local = prepare("file:store/acct/cont");
    CHECK_I64(stat(folder_write(&folder, "store/acct/cont/bare", "bytes", 5), &st), 0);
    item.op = (struct blob_op){.verb = BLOB_ADOPT, .name = "bare", .props = &item.props};
    item.publish = (struct publish){.op = &item.op, .answer = &answers};
    local_etag(&st, item.op.cond_etag);
    item.props.crc64 = crc64(CRC64_EMPTY, "bites", 5);
    CHECK_OK(publish(local, &item), &err);
    CHECK(!item.op.is_same);
    item.props.crc64 = crc64(CRC64_EMPTY, "bytes", 5);
    item.publish = (struct publish){.op = &item.op, .answer = &answers};
    CHECK_OK(publish(local, &item), &err);
    CHECK(item.op.is_same);
    struct index index;
    struct index_row row = {0};
    bool is_found = false;
    CHECK_OK(index_open(&index, local->index_path, &err), &err);
    CHECK_OK(index_find(&index, "acct/cont/bare", item.op.cond_etag, &row, &is_found, &err), &err);
    CHECK(is_found);
    CHECK_U64(row.props.crc64, item.props.crc64);
    index_row_done(&row);
    index_close(&index);
}

/* A file does not take the place of a folder, and the message does not blame another writer. */
static void
a_folder_in_the_way_is_said_to_be_one(void **state)
{
    struct item item;
    (void)state;
    struct local_end *local = prepare("tree");
    (void)folder_make(&folder, "tree/name");
    stage(local, &item, "name", "bytes", 1);
    item.op.cond = BLOB_COND_ABSENT;
    CHECK_ERR(publish(local, &item), &err, ERR_NAME_ILLEGAL);
    CHECK_HAS(err.text, "folder");
    (void)folder_write(&folder, "tree/file", "x", 1);
    stage(local, &item, "file/below", "bytes", 2);
    CHECK_ERR(publish(local, &item), &err, ERR_NAME_ILLEGAL);
}

/* Ending waits for what was handed over: a copy that ends well has lost nothing. */
static void
what_was_posted_is_published_before_the_end(void **state)
{
    static struct item items[3];
    static const char *const names[] = {"a", "b", "c"};
    (void)state;
    struct local_end *local = prepare("tree");
    for (unsigned i = 0; i < COUNT_OF(items); i++) {
        stage(local, &items[i], names[i], "x", i);
        publisher_post(local->publisher, &items[i].publish);
    }
    end = end_close(end);
    wait_for(3);
    CHECK(folder_has(&folder, "tree/a"));
    CHECK(folder_has(&folder, "tree/c"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_published_item_has_its_name_and_no_other),
        TEST(conditions_hold_when_the_name_is_taken),
        TEST(a_failure_is_its_items_alone),
        TEST(the_store_keeps_names_that_no_file_can_have),
        TEST(a_folder_refuses_names_that_no_file_can_have),
        TEST(what_was_posted_is_published_before_the_end),
        TEST(a_killed_store_has_no_name_without_its_row),
        TEST(a_killed_folder_has_no_name_that_its_job_does_not_know),
        TEST(a_key_has_one_row_in_the_end),
        TEST(two_of_one_round_that_cannot_both_be_files_are_both_kept),
        TEST(a_bare_file_is_adopted_if_it_has_the_bytes),
        TEST(a_folder_in_the_way_is_said_to_be_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
