/*
 * The reader: a scanner by hand, because what is read is no XML document (no root, or several), and
 * because a parser that repairs is a parser that guesses. Damage is told once and left behind at
 * the next <file>.
 */
#include "ingest/device/manifest.h"

#include "base/arena.h"
#include "base/digest.h"
#include "ingest/device/manifest_text.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define WINDOW_BYTES  ((size_t)256 * 1024)
#define PIECE_MAX     ((size_t)64 * 1024) /* of one tag, of one run of text: fits the window */
#define RAW_BYTES_MAX ((size_t)BASE64_ROOM(MANIFEST_NAME_BYTES_MAX + 1) + 1024)
#define NOT_FOUND     SIZE_MAX
#define CDATA         "<![CDATA["
#define CDATA_BYTES   9U
#define MARK_BYTES    9U /* as much tells what a '<' begins */

struct manifest_reader {
    int fd;
    char *name;
    char *window;
    size_t at;
    size_t end;
    bool has_begun;
    bool is_end;     /* of the file, or reading it failed */
    bool is_damaged; /* it was told; nothing more is until the next entry */
    uint64_t line;
    struct err final; /* why the file could not be read */
    size_t raw_len;   /* of the text of an entry, references resolved */
    char raw[RAW_BYTES_MAX + 1];
    char path[MANIFEST_NAME_BYTES_MAX + 2];
};

enum outcome {
    OUTCOME_ON, /* nothing to tell yet */
    OUTCOME_ENTRY,
    OUTCOME_WRONG, /* err says what */
};

enum err_code
manifest_reader_new(int fd, const char *name, struct manifest_reader **ret_reader, struct err *err)
{
    ASSERT(fd >= 0);
    (void)err;
    struct manifest_reader *r = mem_take(sizeof *r);
    r->fd = fd;
    r->name = mem_text(name);
    r->window = mem_take(WINDOW_BYTES);
    r->line = 1;
    *ret_reader = r;
    return ERR_OK;
}

struct manifest_reader *
manifest_reader_free(struct manifest_reader *r)
{
    if (r != NULL) {
        mem_give(r->window);
        mem_give(r->name);
    }
    return mem_give(r);
}

/* ---- The window ---- */

/* More bytes behind those that are there. False: the window is full, or there are none. */
static bool
fill(struct manifest_reader *r)
{
    size_t len = r->end - r->at;
    if (r->is_end || len == WINDOW_BYTES) {
        return false;
    }
    memmove(r->window, r->window + r->at, len);
    r->at = 0;
    r->end = len;
    ssize_t got = 0;
    do {
        got = read(r->fd, r->window + len, WINDOW_BYTES - len);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        (void)err_set_sys(&r->final, err_from_source_errno(errno), errno,
                          "could not read manifest '%s'", r->name);
    }
    r->is_end = got <= 0;
    r->end += got > 0 ? (size_t)got : 0;
    return got > 0;
}

static size_t
have(const struct manifest_reader *r)
{
    return r->end - r->at;
}

/* As many as count bytes, or all there are. */
static size_t
peek(struct manifest_reader *r, size_t count)
{
    while (have(r) < count && fill(r)) {
    }
    return have(r);
}

static bool
is_at(const struct manifest_reader *r, const char *word)
{
    size_t len = strlen(word);
    return have(r) >= len && memcmp(r->window + r->at, word, len) == 0;
}

static void
consume(struct manifest_reader *r, size_t len)
{
    const char *at = r->window + r->at;
    const char *end = at + len;
    ASSERT(len <= have(r));
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        r->line++;
        at++;
    }
    r->at += len;
}

/* Where the first c is, counted from here; not farther than limit. */
static size_t
find(struct manifest_reader *r, char c, size_t limit)
{
    size_t from = 0;
    while (true) {
        size_t len = MIN_OF(have(r), limit);
        const char *begin = r->window + r->at;
        const char *hit = len > from ? memchr(begin + from, c, len - from) : NULL;
        if (hit != NULL) {
            return (size_t)(hit - begin);
        }
        from = len;
        if (len == limit || !fill(r)) {
            return NOT_FOUND;
        }
    }
}

/* Go behind the next word, however far it is. False: it does not come. */
static bool
skip_past(struct manifest_reader *r, const char *word)
{
    size_t len = strlen(word);
    while (true) {
        const char *begin = r->window + r->at;
        const char *hit = memmem(begin, have(r), word, len);
        if (hit != NULL) {
            consume(r, (size_t)(hit - begin) + len);
            return true;
        }
        size_t kept = MIN_OF(have(r), len - 1);
        consume(r, have(r) - kept);
        if (!fill(r)) {
            consume(r, have(r));
            return false;
        }
    }
}

/* ---- What is wrong ---- */

/* The err holds the words; here it gets its place. Once per damage. */
static enum outcome
complain(struct manifest_reader *r, uint64_t line, struct err *err)
{
    if (r->is_damaged) {
        return OUTCOME_ON;
    }
    r->is_damaged = true;
    (void)err_wrap(err, "manifest '%s', line %llu", r->name, (unsigned long long)line);
    return OUTCOME_WRONG;
}

static enum outcome
complain_that(struct manifest_reader *r, uint64_t line, const char *words, struct err *err)
{
    (void)err_set(err, ERR_FORMAT, "%s", words);
    return complain(r, line, err);
}

/* ---- Tags ---- */

enum tag_end { TAG_ENDS, TAG_LACKS_END, TAG_TOO_LONG, TAG_HOLDS_TAG };
static const char *const tag_words[] = {
    [TAG_LACKS_END] = "the file ends within a tag",
    [TAG_TOO_LONG] = "a tag is longer than 65536 bytes",
    [TAG_HOLDS_TAG] = "a tag is not closed before the next one",
};

/* Where the '>' of the tag here is, outside of quotes; or as far as was looked. */
static enum tag_end
find_tag_end(struct manifest_reader *r, size_t *ret_len)
{
    char quote = '\0';
    size_t i = 1;
    while (i < PIECE_MAX && (i < have(r) || fill(r))) {
        const char *tag = r->window + r->at;
        size_t len = MIN_OF(have(r), PIECE_MAX);
        for (; i < len; i++) {
            char c = tag[i];
            if (c == '<') {
                *ret_len = i;
                return TAG_HOLDS_TAG;
            }
            if (quote != '\0') {
                quote = (char)(c == quote ? '\0' : quote);
            } else if (c == '>') {
                *ret_len = i + 1;
                return TAG_ENDS;
            } else if (c == '"' || c == '\'') {
                quote = c;
            }
        }
    }
    *ret_len = i;
    return i < PIECE_MAX ? TAG_LACKS_END : TAG_TOO_LONG;
}

/* Is this the tag of a file, begun by so many bytes ('<' or '</')? */
static bool
is_file_tag(const char *tag, size_t len, size_t begin)
{
    if (len < begin + sizeof "file" || strncasecmp(tag + begin, "file", 4) != 0) {
        return false;
    }
    char next = tag[begin + 4];
    return next == '>' || next == '/' || manifest_is_blank(next);
}

/* ---- An entry ---- */

static enum outcome
add_run(struct manifest_reader *r, const char *run, size_t len, struct err *err)
{
    size_t got = 0;
    const char *why =
        manifest_decode(run, len, r->raw + r->raw_len, RAW_BYTES_MAX - r->raw_len, &got);
    if (why != NULL) {
        (void)err_set(err, ERR_FORMAT, "%s", why);
        return OUTCOME_WRONG;
    }
    r->raw_len += got;
    return OUTCOME_ON;
}

static enum outcome
add_text(struct manifest_reader *r, size_t len, struct err *err)
{
    const char *run = r->window + r->at;
    size_t begin = 0;
    size_t end = len;
    /* Line breaks around a path are layout; blanks behind it may be its own. */
    while (r->raw_len == 0 && begin < len && manifest_is_blank(run[begin])) {
        begin++;
    }
    for (size_t i = len; i > begin && manifest_is_blank(run[i - 1]); i--) {
        end = run[i - 1] == '\n' || run[i - 1] == '\r' ? i - 1 : end;
    }
    enum outcome outcome = add_run(r, run + begin, end - begin, err);
    consume(r, len);
    return outcome;
}

static enum outcome
add_cdata(struct manifest_reader *r, struct err *err)
{
    consume(r, CDATA_BYTES);
    while (true) {
        size_t len = find(r, ']', PIECE_MAX);
        if (len == NOT_FOUND || len >= RAW_BYTES_MAX - r->raw_len) {
            (void)err_set(err, ERR_FORMAT, "character data is longer than a path, or never ends");
            return OUTCOME_WRONG;
        }
        memcpy(r->raw + r->raw_len, r->window + r->at, len);
        r->raw_len += len;
        consume(r, len);
        (void)peek(r, 3);
        if (is_at(r, "]]>")) {
            consume(r, 3);
            return OUTCOME_ON;
        }
        r->raw[r->raw_len++] = ']';
        consume(r, 1);
    }
}

/* The text up to the tag that ends it, comments left out. */
static enum outcome
read_text(struct manifest_reader *r, struct err *err)
{
    enum outcome outcome = OUTCOME_ON;
    r->raw_len = 0;
    while (outcome == OUTCOME_ON) {
        size_t len = find(r, '<', PIECE_MAX);
        if (len == NOT_FOUND) {
            bool is_long = have(r) >= PIECE_MAX;
            consume(r, MIN_OF(have(r), PIECE_MAX));
            (void)err_set(err, ERR_FORMAT, "%s",
                          is_long ? MANIFEST_WHY_LONG : "the file ends within an entry");
            return OUTCOME_WRONG;
        }
        outcome = add_text(r, len, err);
        (void)peek(r, MARK_BYTES);
        if (outcome == OUTCOME_ON && is_at(r, CDATA)) {
            outcome = add_cdata(r, err);
        } else if (outcome == OUTCOME_ON && is_at(r, "<!--")) {
            consume(r, 4);
            (void)skip_past(r, "-->");
        } else if (outcome == OUTCOME_ON && is_at(r, "<?")) {
            (void)skip_past(r, "?>");
        } else {
            return outcome;
        }
    }
    return outcome;
}

/* The raw text becomes the path that a walk of the share would tell. */
static const char *
finish_path(struct manifest_reader *r, bool is_base64, struct manifest_entry *entry)
{
    char *path = r->path;
    size_t len = r->raw_len;
    if (is_base64) {
        long got = manifest_decode_base64(r->raw, len, path, sizeof r->path - 1);
        if (got < 0) {
            return "the path is not Base64, or is longer than 8192 bytes";
        }
        len = (size_t)got;
    } else if (len < sizeof r->path) {
        memcpy(path, r->raw, len);
    } else {
        return MANIFEST_WHY_LONG;
    }
    bool is_slashed = len > 0 && path[0] == '/';
    for (size_t i = 0; i < len && !is_slashed; i++) {
        path[i] = (char)(path[i] == '\\' ? '/' : path[i]);
    }
    size_t begin = len > 0 && path[0] == '/' ? 1 : 0;
    path[len] = '\0';
    entry->path = path + begin;
    entry->path_len = len - begin;
    return entry->path_len == 0                                 ? "an entry has no path"
           : entry->path_len > MANIFEST_NAME_BYTES_MAX          ? MANIFEST_WHY_LONG
           : memchr(entry->path, '\0', entry->path_len) != NULL ? "a path holds a zero byte"
                                                                : NULL;
}

static enum outcome
read_entry(struct manifest_reader *r, size_t len, struct manifest_entry *entry, struct err *err)
{
    struct manifest_attrs attrs = {0};
    uint64_t line = r->line;
    const char *tag = r->window + r->at;
    r->is_damaged = false;
    bool is_empty = tag[len - 2] == '/';
    enum err_code code = manifest_parse_attrs(tag + 5, tag + len - (is_empty ? 2 : 1), &attrs, err);
    consume(r, len);
    if (code != ERR_OK) {
        return complain(r, line, err);
    }
    if (is_empty) {
        return complain_that(r, line, "an entry has no path", err);
    }
    if (read_text(r, err) != OUTCOME_ON) {
        return complain(r, line, err);
    }
    size_t end = 0;
    enum tag_end how = find_tag_end(r, &end);
    if (how != TAG_ENDS || !is_file_tag(r->window + r->at, end, 2) || r->window[r->at + 1] != '/') {
        return complain_that(r, line, "an entry is not closed before the next element", err);
    }
    consume(r, end);
    const char *why = finish_path(r, attrs.is_base64, entry);
    if (why != NULL) {
        (void)complain_that(r, line, why, err);
        r->is_damaged = false; /* the damage lies within the entry */
        return OUTCOME_WRONG;
    }
    entry->size_bytes = attrs.size_bytes;
    entry->crc64 = attrs.crc64;
    entry->has_crc64 = attrs.has_crc64 && (attrs.crc64 != 0 || attrs.size_bytes == 0);
    return OUTCOME_ENTRY;
}

/* ---- Between entries ---- */

static enum outcome
read_between(struct manifest_reader *r, struct err *err)
{
    size_t len = find(r, '<', WINDOW_BYTES);
    len = len == NOT_FOUND ? have(r) : len;
    const char *text = r->window + r->at;
    size_t blank = 0;
    while (blank < len && manifest_is_blank(text[blank])) {
        blank++;
    }
    consume(r, blank);
    uint64_t line = r->line;
    consume(r, len - blank);
    return blank == len ? OUTCOME_ON
                        : complain_that(r, line, "there is text that belongs to no entry", err);
}

/* A declaration may bracket others, and its quotes may hold anything. It ends where the brackets
 * are closed, or with the file: none is ever followed. */
static enum outcome
skip_declaration(struct manifest_reader *r, struct err *err)
{
    uint64_t line = r->line;
    uint64_t depth = 0;
    char quote = '\0';
    bool is_over = false;
    while (!is_over && (have(r) > 0 || fill(r))) {
        char c = r->window[r->at];
        is_over = quote == '\0' && c == '>' && depth <= 1;
        if (quote != '\0') {
            quote = (char)(c == quote ? '\0' : quote);
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '<') {
            depth++;
        } else if (c == '>' && depth > 0) {
            depth--;
        }
        consume(r, 1);
    }
    return complain_that(r, line, "declarations (DOCTYPE, ENTITY) are refused", err);
}

static enum outcome
read_tag(struct manifest_reader *r, struct manifest_entry *entry, struct err *err)
{
    size_t len = 0;
    uint64_t line = r->line;
    enum tag_end how = find_tag_end(r, &len);
    const char *tag = r->window + r->at;
    if (how != TAG_ENDS) {
        r->is_damaged = r->is_damaged && !is_file_tag(tag, len, 1);
        consume(r, len);
        return complain_that(r, line, tag_words[how], err);
    }
    if (is_file_tag(tag, len, 1)) {
        return read_entry(r, len, entry, err);
    }
    /* Of other elements only the tags are left out: a root around everything does no harm. */
    bool is_end = tag[1] == '/' && is_file_tag(tag, len, 2);
    consume(r, len);
    if (!is_end) {
        return OUTCOME_ON;
    }
    enum outcome outcome = complain_that(r, line, "an entry ends that has not begun", err);
    r->is_damaged = false;
    return outcome;
}

static enum outcome
read_markup(struct manifest_reader *r, struct manifest_entry *entry, struct err *err)
{
    uint64_t line = r->line;
    (void)peek(r, MARK_BYTES);
    if (is_at(r, "<!--")) {
        consume(r, 4);
        return skip_past(r, "-->") ? OUTCOME_ON
                                   : complain_that(r, line, "a comment never ends", err);
    }
    if (is_at(r, "<?")) {
        return skip_past(r, "?>") ? OUTCOME_ON
                                  : complain_that(r, line, "an instruction never ends", err);
    }
    if (is_at(r, CDATA)) {
        (void)skip_past(r, "]]>");
        return complain_that(r, line, "there is text that belongs to no entry", err);
    }
    return is_at(r, "<!") ? skip_declaration(r, err) : read_tag(r, entry, err);
}

/* Byte order marks: that of UTF-8 is left out, UTF-16 is another language. */
static enum outcome
begin(struct manifest_reader *r, struct err *err)
{
    r->has_begun = true;
    (void)peek(r, 3);
    if (is_at(r, "\xef\xbb\xbf")) {
        consume(r, 3);
    }
    if (is_at(r, "\xff\xfe") || is_at(r, "\xfe\xff")) {
        r->is_end = true;
        r->at = r->end;
        return complain_that(r, r->line, "it is UTF-16; only UTF-8 can be read", err);
    }
    return OUTCOME_ON;
}

enum err_code
manifest_read(struct manifest_reader *r, struct manifest_entry *entry, bool *ret_more,
              struct err *err)
{
    enum outcome outcome = r->has_begun ? OUTCOME_ON : begin(r, err);
    while (outcome == OUTCOME_ON && (have(r) > 0 || fill(r))) {
        outcome = r->window[r->at] == '<' ? read_markup(r, entry, err) : read_between(r, err);
    }
    /* What a failing disk cut off is not the manifest's fault. */
    if (r->final.code != ERR_OK && outcome != OUTCOME_ENTRY) {
        *err = r->final;
        return err->code;
    }
    if (outcome == OUTCOME_WRONG) {
        return ERR_FORMAT;
    }
    *ret_more = outcome == OUTCOME_ENTRY;
    return ERR_OK;
}
