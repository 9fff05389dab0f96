/* Nothing of a name gets out before the customer has consented. */
#include "ingest/device/telemetry.h"
#include "tests/support/check.h"

static const uint8_t salt[TELEMETRY_SALT_BYTES] = {1, 2, 3};

static void
check_shape(const char *path, const char *want)
{
    AUTO_TEXT out = TEXT_INIT;
    telemetry_shape(path, &out);
    CHECK_TEXT(text_str(&out), want);
}

/* A shape tells what may be wrong with a name: case, digits, blanks, dots, length. */
static void
a_shape_keeps_classes_and_punctuation(void **state)
{
    (void)state;
    check_shape("Bericht 2024.txt", "Aaaaaaa 0000.aaa");
    check_shape("a_B-c~d/e.", "a_A-a~a/a.");
    check_shape("caf\xc3\xa9\x01", "aaauuc");
    check_shape("", "");
}

/* A long run would otherwise tell a name's exact form letter by letter. */
static void
long_runs_are_cut_with_their_length(void **state)
{
    (void)state;
    check_shape("abcdefgh", "aaaaaaaa");
    check_shape("abcdefghi1", "aaaaaaaa[9]0");
}

static void
long_paths_are_cut(void **state)
{
    (void)state;
    AUTO_TEXT path = TEXT_INIT;
    AUTO_TEXT out = TEXT_INIT;
    for (int i = 0; i < 100000; i++) {
        text_add_str(&path, "a1");
    }
    telemetry_shape(text_str(&path), &out);
    CHECK(out.len < TELEMETRY_SHAPE_MAX + 100);
}

/* The same path in two events of a run can be recognised, and not in another run. */
static void
hashes_depend_on_the_salt(void **state)
{
    (void)state;
    static const uint8_t other[TELEMETRY_SALT_BYTES] = {1, 2, 4};
    char a[TELEMETRY_HASH_BYTES];
    char b[TELEMETRY_HASH_BYTES];
    CHECK_TEXT(telemetry_hash(salt, "x", a), telemetry_hash(salt, "x", b));
    CHECK_U64(strlen(a), 64);
    CHECK(strcmp(a, telemetry_hash(other, "x", b)) != 0);
}

static uint64_t
next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Letters that a shape itself is made of would prove nothing, and neither would hex digits. */
static void
random_name(uint64_t *seed, char *out, size_t len)
{
    static const char alphabet[] = "ghijklmnopqrstvwxyzGHIJKLMNOPQRSTVWXYZ0123456789-_. ";
    for (size_t i = 0; i < len; i++) {
        out[i] = alphabet[next_random(seed) % (sizeof alphabet - 1)];
    }
    out[len] = '\0';
}

static bool
has_letter(const char *at)
{
    for (int i = 0; i < 4; i++) {
        if ((at[i] >= 'a' && at[i] <= 'z') || (at[i] >= 'A' && at[i] <= 'Z')) {
            return true;
        }
    }
    return false;
}

static void
check_no_piece(const char *name, const char *out)
{
    for (size_t i = 0; i + 4 <= strlen(name); i++) {
        char piece[5] = {name[i], name[i + 1], name[i + 2], name[i + 3], '\0'};
        if (has_letter(piece) && strstr(out, piece) != NULL) {
            print_error("piece '%s' of '%s' is in %s\n", piece, name, out);
            CHECK(false);
        }
    }
}

/* The rule of the whole module, for names nobody thought of: as an example, and as a path of the
 * proposed step. Account and share names are names too. */
static void
no_piece_of_any_name_gets_out(void **state)
{
    (void)state;
    uint64_t seed = 42;
    for (int round = 0; round < 3000; round++) {
        char name[64];
        random_name(&seed, name, 4 + next_random(&seed) % 56);
        /* Only what does not stand in the words around it can be told apart from them. */
        struct finding_group group = {.code = FINDING_ROOT_FILE,
                                      .cls = FINDING_CRITICAL,
                                      .halt = HALT_WRONG_FOLDER,
                                      .count = 1,
                                      .examples = {name},
                                      .example_count = 1};
        struct fix_step step = {.kind = FIX_MAP, .from = name, .to = name, .count = 1};
        struct json json;
        AUTO_TEXT out = TEXT_INIT;
        json_init(&json, &out);
        json_object_begin(&json);
        telemetry_json(&group, &step, salt, &json);
        json_object_end(&json);
        check_no_piece(name, text_str(&out));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shape_keeps_classes_and_punctuation),
        cmocka_unit_test(long_runs_are_cut_with_their_length),
        cmocka_unit_test(long_paths_are_cut),
        cmocka_unit_test(hashes_depend_on_the_salt),
        cmocka_unit_test(no_piece_of_any_name_gets_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
