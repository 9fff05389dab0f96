#include "base/digest.h"
#include "ingest/device/fix_plan.h"
#include "tests/support/folder.h"

#define HEAD "{\"schema\":\"sallyport.plan/1\",\"steps\":["
#define TAIL "]}"

static struct fix_plan plan;
static struct text text;
static struct err err;

static int
make(void **state)
{
    (void)state;
    fix_plan_init(&plan);
    err = ERR_NONE;
    return 0;
}

static int
unmake(void **state)
{
    (void)state;
    fix_plan_done(&plan);
    text_done(&text);
    return 0;
}

static enum err_code
read_plan(const char *json)
{
    struct fix_plan fresh;
    enum err_code code = fix_plan_read(json, strlen(json), &fresh, &err);
    if (code == ERR_OK) {
        fix_plan_done(&plan);
        plan = fresh;
    }
    return code;
}

static void
add(enum fix_kind kind, const char *from, const char *to)
{
    const struct fix_step step = {.kind = kind, .from = from, .to = to};
    CHECK_OK(fix_plan_add(&plan, &step, &err), &err);
}

static const char *
rewrite(const char *path)
{
    return fix_plan_rewrite(&plan, path, &text) ? text_str(&text) : "(as it is)";
}

/* A plan is signed by its SHA-256, so what was read is written as it was, to the byte. */
static void
a_plan_that_was_read_is_written_as_it_was(void **state)
{
    static const char canonical[] = HEAD
        "{\"step\":\"map-folder\",\"from\":\"Backup\",\"to\":\"acct_BlockBlob/backup\",\"count\":12},"
        "{\"step\":\"treat-as-tier\",\"from\":\"acct_BlockBlob/hot\",\"to\":\"acct_BlockBlob/Hot\"},"
        "{\"step\":\"take-as-block-blob\",\"code\":\"ERROR_BLOB_OR_FILE_SIZE_ALIGNMENT\",\"count\":3},"
        "{\"step\":\"take-as-page-blob\",\"path\":\"acct_MDisk/x.vhd\"},"
        "{\"step\":\"rename\",\"code\":\"ERROR_CONTAINER_OR_SHARE_NAME_LENGTH\"},"
        "{\"step\":\"build-manifest\",\"from\":\"acct_BlockBlob\"},"
        "{\"step\":\"skip\",\"path\":{\"b64\":\"YS//\"}},"
        "{\"step\":\"skip\",\"path\":\"a\\u0001\\\"\\\\\\u007f/\"},"
        "{\"step\":\"skip\",\"code\":\"REPARSE_POINT_ERROR\"}" TAIL;
    (void)state;
    CHECK_OK(read_plan(canonical), &err);
    CHECK_U64(plan.count, 9);
    CHECK_TEXT(plan.steps[6].from, "a/\xff");
    CHECK_TEXT(plan.steps[7].from, "a\001\"\\\177/");
    fix_plan_write(&plan, &text);
    CHECK_TEXT(text_str(&text), canonical);
}

/* Two ways of writing one plan have one SHA-256. */
static void
order_of_keys_and_white_space_do_not_count(void **state)
{
    (void)state;
    CHECK_OK(
        read_plan(" {\"steps\" : [ {\"count\":0, \"path\":{\"b64\":\"YQ==\"},\n\"step\":\"skip\"}],"
                  "\"schema\":\"sallyport.plan/1\"}\n"),
        &err);
    fix_plan_write(&plan, &text);
    CHECK_TEXT(text_str(&text), HEAD "{\"step\":\"skip\",\"path\":\"a\"}" TAIL);
}

/* Whoever approves must be able to rely on it that nothing in a plan was passed over. */
static void
what_a_plan_may_not_say_is_refused_by_step_and_key(void **state)
{
    static const struct {
        const char *steps;
        const char *words;
    } rows[] = {
        {"5", "step 1: is not an object"},
        {"{}", "step 1: 'step' is missing, or not a text"},
        {"{\"step\":\"none\"}", "step 1: 'step' has the unknown value 'none'"},
        {"{\"step\":\"sk\\u001bip\"}", "step 1: 'step' has the unknown value 'sk\\x1bip'"},
        {"{\"step\":\"skip\",\"path\":\"a\"},{\"step\":\"skip\",\"path\":\"b\",\"all\":true}",
         "step 2: unknown key 'all' of 'skip'"},
        {"{\"step\":\"skip\",\"from\":\"a\"}", "step 1: unknown key 'from' of 'skip'"},
        {"{\"step\":\"rename\",\"path\":\"a\"}", "step 1: unknown key 'path' of 'rename'"},
        {"{\"step\":\"skip\"}", "step 1: 'path' is missing"},
        {"{\"step\":\"rename\"}", "step 1: 'code' is missing"},
        {"{\"step\":\"map-folder\",\"to\":\"a\"}", "step 1: 'from' is missing"},
        {"{\"step\":\"map-folder\",\"from\":\"a\"}", "step 1: 'to' is missing"},
        {"{\"step\":\"map-folder\",\"from\":\"a\",\"to\":\"a\"}",
         "step 1: 'to' is the same as 'from'"},
        {"{\"step\":\"skip\",\"path\":\"\"}", "step 1: 'path' is empty"},
        {"{\"step\":\"skip\",\"path\":\"/a\"}",
         "step 1: 'path' begins with '/'; it must be relative to the device's root"},
        {"{\"step\":\"skip\",\"path\":\"a/../b\"}", "step 1: 'path' has a component '.' or '..'"},
        {"{\"step\":\"skip\",\"path\":\"./b\"}", "step 1: 'path' has a component '.' or '..'"},
        {"{\"step\":\"skip\",\"path\":\"..\"}", "step 1: 'path' has a component '.' or '..'"},
        {"{\"step\":\"skip\",\"path\":\"a//b\"}", "step 1: 'path' has an empty component"},
        {"{\"step\":\"skip\",\"path\":\"a//\"}", "step 1: 'path' has an empty component"},
        {"{\"step\":\"skip\",\"path\":\"a\\u0000b\"}", "step 1: 'path' has a NUL in it"},
        {"{\"step\":\"skip\",\"path\":{\"b64\":\"YQBi\"}}", "step 1: 'path' has a NUL in it"},
        {"{\"step\":\"skip\",\"path\":{\"b64\":\"Li4vYQ==\"}}",
         "step 1: 'path' has a component '.' or '..'"},
        {"{\"step\":\"skip\",\"path\":{\"b64\":\"?\"}}",
         "step 1: 'path' is not Base64, or longer than 8192 bytes"},
        {"{\"step\":\"skip\",\"path\":{\"b64\":\"YQ==\",\"x\":1}}",
         "step 1: 'path' must be a text, or {\"b64\":\"...\"}"},
        {"{\"step\":\"skip\",\"path\":7}", "step 1: 'path' must be a text, or {\"b64\":\"...\"}"},
        {"{\"step\":\"map-folder\",\"from\":\"a/\",\"to\":\"b\"}", "step 1: 'from' ends with '/'"},
        {"{\"step\":\"map-folder\",\"from\":\"a\",\"to\":\"b/\"}", "step 1: 'to' ends with '/'"},
        {"{\"step\":\"map-folder\",\"from\":\"a\",\"to\":\"../b\"}",
         "step 1: 'to' has a component '.' or '..'"},
        {"{\"step\":\"treat-as-tier\",\"from\":\"s/hot\",\"to\":\"s/Cool\"}",
         "step 1: 'to' must be 'from' with its last component written 'Hot', 'Cool', 'Cold' or "
         "'Archive'"},
        {"{\"step\":\"treat-as-tier\",\"from\":\"s/hot\",\"to\":\"t/Hot\"}",
         "step 1: 'to' must be 'from' with its last component written 'Hot', 'Cool', 'Cold' or "
         "'Archive'"},
        {"{\"step\":\"build-manifest\",\"from\":\"a/b\"}",
         "step 1: 'from' must be a share, a folder of the device's root"},
        {"{\"step\":\"skip\",\"code\":\"NO_SUCH\"}", "step 1: 'code' is no code of a finding"},
        {"{\"step\":\"skip\",\"path\":\"a\",\"code\":\"ROOT_FILE\"}",
         "step 1: 'code' cannot stand beside a path"},
        {"{\"step\":\"skip\",\"path\":\"a\",\"count\":-1}",
         "step 1: 'count' must be a whole number from 0"},
        {"{\"step\":\"skip\",\"path\":\"a\",\"count\":1.0}",
         "step 1: 'count' must be a whole number from 0"},
        {"{\"step\":\"take-as-block-blob\",\"path\":\"a\"},"
         "{\"step\":\"take-as-page-blob\",\"path\":\"a\"}",
         "step 2: 'a' has a step already, number 1"},
        {"{\"step\":\"take-as-block-blob\",\"code\":\"ROOT_FILE\"},"
         "{\"step\":\"take-as-page-blob\",\"code\":\"ROOT_FILE\"}",
         "step 2: 'code' has a step already"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        text_clear(&text);
        text_addf(&text, "%s%s%s", HEAD, rows[i].steps, TAIL);
        CHECK_ERR(read_plan(text_str(&text)), &err, ERR_FORMAT);
        CHECK_TEXT(err.text, rows[i].words);
    }
}

static void
what_is_no_plan_is_refused(void **state)
{
    static const struct {
        const char *json;
        const char *words;
    } rows[] = {
        {"", "the plan is not JSON: line 1: '[' or '{' expected near end of file"},
        {"[]", "the plan is not an object"},
        {"{\"steps\":[]}", "the plan's 'schema' is '', not 'sallyport.plan/1'"},
        {"{\"schema\":\"sallyport.plan/2\",\"steps\":[]}",
         "the plan's 'schema' is 'sallyport.plan/2', not 'sallyport.plan/1'"},
        {"{\"schema\":\"sallyport.plan/1\"}", "the plan's 'steps' is missing, or not an array"},
        {"{\"schema\":\"sallyport.plan/1\",\"steps\":[],\"more\":1}",
         "the plan has the unknown key 'more'"},
        {"{\"schema\":\"sallyport.plan/1\",\"steps\":[[[[1]]]]}", "the plan is nested too deeply"},
        {HEAD "{\"step\":\"skip\",\"path\":\"a\",\"path\":\"b\"}" TAIL,
         "the plan is not JSON: line 1: duplicate object key near '\"path\"'"},
        {HEAD TAIL "x", "the plan is not JSON: line 1: end of file expected near 'x'"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK_ERR(read_plan(rows[i].json), &err, ERR_FORMAT);
        CHECK_TEXT(err.text, rows[i].words);
    }
}

/* A tree of what comes costs forty times its bytes. */
static void
a_plan_is_bounded_before_it_is_parsed(void **state)
{
    (void)state;
    text_add_str(&text, HEAD "0");
    for (unsigned i = 0; i < FIX_STEPS_MAX * 16 + 1; i++) {
        text_add_str(&text, ",0");
    }
    text_add_str(&text, TAIL);
    CHECK_ERR(read_plan(text_str(&text)), &err, ERR_FORMAT);
    CHECK_TEXT(err.text, "the plan has too many steps");

    text_clear(&text);
    text_add_str(&text, HEAD);
    while (text.len <= FIX_PLAN_BYTES_MAX) {
        text_add_str(&text, "                                                                ");
    }
    CHECK_ERR(read_plan(text_str(&text)), &err, ERR_FORMAT);
    CHECK_TEXT(err.text, "the plan is longer than 16777216 bytes");
}

/* Whatever can be added can be written and read again, also where every byte takes six. */
static void
the_largest_plan_can_be_read_again(void **state)
{
    char path[FIX_PATH_BYTES_MAX + 2];
    struct fix_step step = {.kind = FIX_SKIP, .from = path};
    enum err_code code = ERR_OK;
    (void)state;
    memset(path, 1, sizeof path);
    path[FIX_PATH_BYTES_MAX + 1] = '\0';
    CHECK_ERR(fix_plan_add(&plan, &step, &err), &err, ERR_FORMAT);
    CHECK_TEXT(err.text, "step 1: 'path' is longer than 8192 bytes");
    path[FIX_PATH_BYTES_MAX] = '\0';
    for (unsigned i = 0; code == ERR_OK; i++) {
        (void)snprintf(path, 8, "%07u", i);
        path[7] = 1;
        code = fix_plan_add(&plan, &step, &err);
    }
    CHECK_TEXT(err.text, "step 257: the plan's paths are longer than 2097152 bytes");
    fix_plan_write(&plan, &text);
    CHECK(!text.is_broken);
    CHECK_OK(read_plan(text_str(&text)), &err);
    CHECK_U64(plan.count, 256);
}

static void
a_plan_of_too_many_steps_is_refused(void **state)
{
    char path[16];
    const struct fix_step step = {.kind = FIX_SKIP, .from = path};
    (void)state;
    for (unsigned i = 0; i < FIX_STEPS_MAX; i++) {
        (void)snprintf(path, sizeof path, "f%u", (i * 7919) % FIX_STEPS_MAX);
        CHECK_OK(fix_plan_add(&plan, &step, &err), &err);
    }
    CHECK(fix_plan_has(&plan, FIX_SKIP, "f9999", FINDING_NONE));
    CHECK(!fix_plan_has(&plan, FIX_SKIP, "f10000", FINDING_NONE));
    (void)snprintf(path, sizeof path, "more");
    CHECK_ERR(fix_plan_add(&plan, &step, &err), &err, ERR_FORMAT);
    CHECK_TEXT(err.text, "the plan has more than 10000 steps");
}

/* "Backup" is a folder of its own; "Backup2" and "Backup.old", which sort around "Backup/", are not
 * touched. */
static void
paths_are_rewritten_by_whole_components(void **state)
{
    (void)state;
    add(FIX_MAP, "Backup", "acct_BlockBlob/backup");
    add(FIX_MAP, "Backup.old", "acct_BlockBlob/old");
    CHECK_TEXT(rewrite("Backup"), "acct_BlockBlob/backup");
    CHECK_TEXT(rewrite("Backup/a/b"), "acct_BlockBlob/backup/a/b");
    CHECK_TEXT(rewrite("Backup.old/a"), "acct_BlockBlob/old/a");
    CHECK_TEXT(rewrite("Backup2"), "(as it is)");
    CHECK_TEXT(rewrite("Backup2/a"), "(as it is)");
    CHECK_TEXT(rewrite("Back"), "(as it is)");
    CHECK_TEXT(rewrite("x/Backup/a"), "(as it is)");
    CHECK_TEXT(rewrite("backup/a"), "(as it is)");
}

static void
the_longest_from_wins_whatever_the_order(void **state)
{
    (void)state;
    add(FIX_MAP, "a/b/c", "three");
    add(FIX_MAP, "a", "one");
    add(FIX_TIER, "a/b/hot", "a/b/Hot");
    add(FIX_MAP, "a/b", "two");
    CHECK_TEXT(rewrite("a/x"), "one/x");
    CHECK_TEXT(rewrite("a/b"), "two");
    CHECK_TEXT(rewrite("a/b/x"), "two/x");
    CHECK_TEXT(rewrite("a/b/c/x"), "three/x");
    CHECK_TEXT(rewrite("a/b/cc/x"), "two/cc/x");
    CHECK_TEXT(rewrite("a/b/hot/x"), "a/b/Hot/x");
}

static void
without_a_step_a_path_is_left_alone(void **state)
{
    (void)state;
    text_add_str(&text, "before");
    CHECK(!fix_plan_rewrite(&plan, "a/b", &text));
    CHECK(!fix_plan_rewrite(NULL, "a/b", &text));
    add(FIX_SKIP, "a/b", NULL);
    CHECK(!fix_plan_rewrite(&plan, "a/b", &text));
    CHECK_TEXT(text_str(&text), "before");
    CHECK(!fix_plan_has(NULL, FIX_SKIP, "a/b", FINDING_ROOT_FILE));
}

/* A file is named as it is, a folder with a '/' and then with all below it. */
static void
a_step_for_a_file_says_nothing_of_what_lies_below(void **state)
{
    (void)state;
    add(FIX_SKIP, "a/b", NULL);
    add(FIX_SKIP, "c/d/", NULL);
    CHECK(fix_plan_has(&plan, FIX_SKIP, "a/b", FINDING_NONE));
    CHECK(!fix_plan_has(&plan, FIX_SKIP, "a/b/x", FINDING_NONE));
    CHECK(!fix_plan_has(&plan, FIX_SKIP, "a", FINDING_NONE));
    CHECK(fix_plan_has(&plan, FIX_SKIP, "c/d", FINDING_NONE));
    CHECK(fix_plan_has(&plan, FIX_SKIP, "c/d/x/y", FINDING_NONE));
    CHECK(!fix_plan_has(&plan, FIX_SKIP, "c/dd", FINDING_NONE));
    CHECK(!fix_plan_has(&plan, FIX_MAP, "a/b", FINDING_NONE));
}

static void
the_more_specific_of_excluding_steps_decides(void **state)
{
    const struct fix_step all = {.kind = FIX_AS_BLOCK, .code = FINDING_SIZE_ALIGNMENT};
    (void)state;
    CHECK_OK(fix_plan_add(&plan, &all, &err), &err);
    add(FIX_AS_BLOCK, "s/", NULL);
    add(FIX_AS_PAGE, "s/pages/", NULL);
    add(FIX_AS_BLOCK, "s/pages/one", NULL);
    CHECK(fix_plan_has(&plan, FIX_AS_BLOCK, "s/x", FINDING_NONE));
    CHECK(fix_plan_has(&plan, FIX_AS_PAGE, "s/pages/x", FINDING_SIZE_ALIGNMENT));
    CHECK(!fix_plan_has(&plan, FIX_AS_BLOCK, "s/pages/x", FINDING_SIZE_ALIGNMENT));
    CHECK(fix_plan_has(&plan, FIX_AS_BLOCK, "s/pages/one", FINDING_NONE));
    CHECK(fix_plan_has(&plan, FIX_AS_BLOCK, "elsewhere", FINDING_SIZE_ALIGNMENT));
    CHECK(fix_plan_has(&plan, FIX_AS_BLOCK, NULL, FINDING_SIZE_ALIGNMENT));
    CHECK(!fix_plan_has(&plan, FIX_AS_BLOCK, "elsewhere", FINDING_SIZE_LIMIT));
    CHECK(!fix_plan_has(&plan, FIX_AS_PAGE, "elsewhere", FINDING_SIZE_ALIGNMENT));
}

/* The finding of a share's manifest may name the share or a file in it. */
static void
a_manifest_is_built_for_the_whole_share(void **state)
{
    (void)state;
    add(FIX_BUILD, "acct_BlockBlob", NULL);
    CHECK(fix_plan_has(&plan, FIX_BUILD, "acct_BlockBlob", FINDING_MANIFEST_MISSING));
    CHECK(fix_plan_has(&plan, FIX_BUILD, "acct_BlockBlob/c/f", FINDING_MANIFEST_ADDED));
    CHECK(!fix_plan_has(&plan, FIX_BUILD, "acct_BlockBlob2", FINDING_MANIFEST_MISSING));
}

static void
steps_read_as_sentences(void **state)
{
    static const struct {
        struct fix_step step;
        const char *words;
    } rows[] = {
        {{FIX_MAP, "Backup", "acct_BlockBlob/backup", 0, 12000},
         "Copy 'Backup' into container 'backup' of account 'acct', as block blobs (12,000 files)."},
        {{FIX_MAP, "a.txt", "acct_AzFile/root/a.txt", 0, 1},
         "Copy 'a.txt' to 'a.txt' in share 'root' of account 'acct', as files (1 file)."},
        {{FIX_MAP, "x", "BlockBlob/Hot/c", 0, 0},
         "Copy 'x' into container 'c' of access tier 'Hot', as block blobs."},
        {{FIX_MAP, "x", "a_BlockBlob/Hot", 0, 0},
         "Copy 'x' into access tier 'Hot' of account 'a', as block blobs."},
        {{FIX_MAP, "x", "rg_MDisk/PremiumSSD/x.vhd", 0, 0},
         "Copy 'x' to 'x.vhd' in disk type 'PremiumSSD' of resource group 'rg', as managed disks."},
        {{FIX_MAP, "x", "elsewhere/y", 0, 0}, "Copy 'x' to 'elsewhere/y'."},
        {{FIX_MAP, "x", "a_PageBlob", 0, 0}, "Copy 'x' to 'a_PageBlob'."},
        {{FIX_TIER, "a_BlockBlob/hOT", "a_BlockBlob/Hot", 0, 2},
         "Take folder 'a_BlockBlob/hOT' for the access tier 'Hot' (2 files)."},
        {{FIX_AS_BLOCK, NULL, NULL, FINDING_SIZE_ALIGNMENT, 3},
         "Store each file with ERROR_BLOB_OR_FILE_SIZE_ALIGNMENT as a block blob (3 files)."},
        {{FIX_AS_PAGE, "a/b", NULL, 0, 0}, "Store 'a/b' as a page blob."},
        {{FIX_AS_PAGE, "a/b/", NULL, 0, 0}, "Store all files below 'a/b/' as page blobs."},
        {{FIX_RENAME, NULL, NULL, FINDING_CONTAINER_DASH, 1},
         "Rename, by a fixed rule, everything with ERROR_CONTAINER_OR_SHARE_NAME_IMPROPER_DASH "
         "(1 name)."},
        {{FIX_BUILD, "a_BlockBlob", NULL, 0, 9},
         "Build the missing manifest of share 'a_BlockBlob' from what lies there now (9 files)."},
        {{FIX_SKIP, "a", NULL, 0, 0}, "Leave out 'a'."},
        {{FIX_SKIP, "a/", NULL, 0, 4}, "Leave out 'a/' with all that is in it (4 files)."},
        {{FIX_SKIP, NULL, NULL, FINDING_REPARSE_POINT, 5},
         "Leave out everything with REPARSE_POINT_ERROR (5 entries)."},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        text_clear(&text);
        fix_step_words(&rows[i].step, &text);
        CHECK_TEXT(text_str(&text), rows[i].words);
    }
}

/* A name is shown to somebody who decides: it cannot end its own quotes, move a cursor, or hide. */
static void
a_name_cannot_forge_a_sentence(void **state)
{
    static const struct {
        const char *name;
        const char *shown;
    } rows[] = {
        {"a' and 'b", "a\\x27 and \\x27b"},
        {"a\033[2J\n\177", "a\\x1b[2J\\x0a\\x7f"},
        {"\xff\xc3\xa4\xc3", "\\xff\xc3\xa4\\xc3"},
        {"\\x41", "\\x5cx41"},
        {"\xc2\x9b", "\\xc2\\x9b"},
        {"\xe2\x80\xaegpj\xe2\x80\xac.exe", "\\xe2\\x80\\xaegpj\\xe2\\x80\\xac.exe"},
        {"\xe2\x81\xa6\xe2\x81\xa9", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9"},
        {"\xe2\x80\x8b\xef\xbb\xbf", "\\xe2\\x80\\x8b\\xef\\xbb\\xbf"},
        {"\xe2\x82\xac\xe2\x80\x93", "\xe2\x82\xac\xe2\x80\x93"},
    };
    AUTO_TEXT want = TEXT_INIT;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct fix_step step = {.kind = FIX_SKIP, .from = rows[i].name};
        text_clear(&text);
        text_clear(&want);
        fix_step_words(&step, &text);
        text_addf(&want, "Leave out '%s'.", rows[i].shown);
        CHECK_TEXT(text_str(&text), text_str(&want));
    }
}

static void
a_file_that_cannot_be_loaded_is_named(void **state)
{
    struct folder folder;
    struct fix_plan loaded;
    (void)state;
    folder_init(&folder);
    CHECK_ERR(fix_plan_load(folder_join(&folder, "none"), &loaded, &err), &err, ERR_CONFIG);
    CHECK_HAS(err.text, "could not read plan '");
    const char *path = folder_write(&folder, "bad", "{", 1);
    CHECK_ERR(fix_plan_load(path, &loaded, &err), &err, ERR_FORMAT);
    CHECK_HAS(err.text, "bad': the plan is not JSON");
    path = folder_write(&folder, "good", HEAD TAIL "\n", strlen(HEAD TAIL "\n"));
    CHECK_OK(fix_plan_load(path, &loaded, &err), &err);
    CHECK_U64(loaded.count, 0);
    fix_plan_done(&loaded);
    folder_done(&folder);
}

int
main(void)
{
#define RULE(name) cmocka_unit_test_setup_teardown(name, make, unmake)
    const struct CMUnitTest tests[] = {
        RULE(a_plan_that_was_read_is_written_as_it_was),
        RULE(order_of_keys_and_white_space_do_not_count),
        RULE(what_a_plan_may_not_say_is_refused_by_step_and_key),
        RULE(what_is_no_plan_is_refused),
        RULE(a_plan_is_bounded_before_it_is_parsed),
        RULE(the_largest_plan_can_be_read_again),
        RULE(a_plan_of_too_many_steps_is_refused),
        RULE(paths_are_rewritten_by_whole_components),
        RULE(the_longest_from_wins_whatever_the_order),
        RULE(without_a_step_a_path_is_left_alone),
        RULE(a_step_for_a_file_says_nothing_of_what_lies_below),
        RULE(the_more_specific_of_excluding_steps_decides),
        RULE(a_manifest_is_built_for_the_whole_share),
        RULE(steps_read_as_sentences),
        RULE(a_name_cannot_forge_a_sentence),
        RULE(a_file_that_cannot_be_loaded_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
