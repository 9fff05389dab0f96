/*
 * A log as a stream of fragments. expat reads one document, so an element is put around all of
 * them; where expat gives up, what is open is dropped and a new document begins at the next
 * element that logs are made of.
 */
#include "ingest/device/log_read.h"

#include "ingest/device/log_record.h"

#include <expat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define BUFFER_BYTES  ((size_t)256 * 1024) /* the longest tag or comment that is read */
#define READ_BYTES    ((size_t)64 * 1024)
#define DEPTH_MAX     64U
#define AHEAD_BYTES   ((size_t)16) /* longer than any name that a fragment begins with */
#define DOCTYPE       "<!DOCTYPE"
#define DOCTYPE_BYTES (sizeof DOCTYPE - 1)

static const char root[] = "<sallyport-fragments>";
static const char root_end[] = "</sallyport-fragments>";

struct reader {
    int fd;
    const char *name;
    const struct log_reader_events *events;
    struct log_record record;
    XML_Parser parser;

    /* The window of the stream that is held. */
    char *bytes;
    size_t at;  /* what comes before is done with */
    size_t fed; /* the parser has what comes before */
    size_t len;
    bool is_end;
    uint64_t line; /* of bytes[at] */

    /* The document that the parser is in. */
    bool is_seeking;     /* none: looking for the beginning of one */
    uint64_t begin_line; /* where it begins */
    int64_t begin;       /* place in bytes of its first byte; negative once that is gone */
    const char *stopped; /* why a handler gave up; NULL: none did */
    int64_t stopped_at;
    bool has_others; /* text, or elements that no log has, outside of everything */

    uint64_t damage_count;
    uint64_t damage_line; /* the first */
    char damage_words[128];
};

/* ---- the window ---- */

static void
advance(struct reader *r, size_t to)
{
    while (r->at < to) {
        const char *end = memchr(r->bytes + r->at, '\n', to - r->at);
        r->line += end != NULL;
        r->at = end == NULL ? to : (size_t)(end - r->bytes) + 1;
    }
    r->fed = MAX_OF(r->fed, r->at);
}

/* Make room and read more; a full window is left as it is. */
static enum err_code
read_more(struct reader *r, struct err *err)
{
    if (r->len + READ_BYTES > BUFFER_BYTES && r->at > 0) {
        memmove(r->bytes, r->bytes + r->at, r->len - r->at);
        r->begin -= (int64_t)r->at;
        r->fed -= r->at;
        r->len -= r->at;
        r->at = 0;
    }
    /* A pipe gives little at a time, and the parser looks at an unfinished tag anew each time. */
    size_t want = MIN_OF(r->len + READ_BYTES, BUFFER_BYTES);
    while (r->len < want && !r->is_end) {
        ssize_t got = read(r->fd, r->bytes + r->len, want - r->len);
        if (got < 0 && errno != EINTR) {
            return err_set_sys(err, ERR_SYSTEM, errno, "could not read log '%s'", r->name);
        }
        r->is_end = got == 0;
        r->len += got < 0 ? 0 : (size_t)got;
    }
    return ERR_OK;
}

/* ---- damage ---- */

static void
note(struct reader *r, uint64_t line, const char *words)
{
    if (r->damage_count++ == 0) {
        r->damage_line = line;
        (void)snprintf(r->damage_words, sizeof r->damage_words, "%s", words);
    }
    if (r->events->damage != NULL) {
        r->events->damage(r->events->user, line, words);
    }
}

static uint64_t
parser_line(const struct reader *r)
{
    return r->begin_line + XML_GetCurrentLineNumber(r->parser) - 1;
}

/* Where the parser is, in the window. */
static size_t
parser_place(const struct reader *r)
{
    int64_t index = XML_GetCurrentByteIndex(r->parser);
    int64_t place = index < 0 ? (int64_t)r->fed : r->begin + index - (int64_t)(sizeof root - 1);
    place = MIN_OF(place, (int64_t)r->len);
    return (size_t)MAX_OF(place, (int64_t)r->at);
}

static void
stop(struct reader *r, const char *why)
{
    r->stopped = why;
    (void)XML_StopParser(r->parser, XML_FALSE);
}

/* ---- expat's handlers ---- */

static void XMLCALL
on_begin(void *user, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *r = user;
    bool is_lost = false;
    if (XML_GetCurrentByteIndex(r->parser) < (XML_Index)(sizeof root - 1)) {
        return; /* the element that is ours */
    }
    if (r->record.depth == DEPTH_MAX) {
        stop(r, "elements are nested too deeply");
        return;
    }
    r->has_others = r->has_others || r->record.depth == 0;
    const char *damage = log_record_begin(&r->record, name, attributes, &is_lost);
    if (is_lost) {
        r->stopped_at = (int64_t)parser_place(r);
        stop(r, damage);
    } else if (damage != NULL) {
        note(r, parser_line(r), damage);
    }
}

static void XMLCALL
on_end(void *user, const XML_Char *name)
{
    struct reader *r = user;
    (void)name;
    if (r->record.depth == 0) {
        return;
    }
    const char *damage = log_record_end(&r->record);
    if (damage != NULL) {
        note(r, parser_line(r), damage);
    }
}

static void XMLCALL
on_text(void *user, const XML_Char *bytes, int len)
{
    struct reader *r = user;
    for (int i = 0; r->record.depth == 0 && !r->has_others && i < len; i++) {
        r->has_others = strchr(" \t\r\n\xef\xbb\xbf", bytes[i]) == NULL;
    }
    log_record_text(&r->record, bytes, (size_t)len);
}

/* ---- documents ---- */

static void
begin_document(struct reader *r)
{
    ASSERT(XML_ParserReset(r->parser, "UTF-8") == XML_TRUE);
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_begin, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    log_record_forget(&r->record);
    r->is_seeking = false;
    r->stopped = NULL;
    r->stopped_at = -1;
    r->fed = r->at;
    r->begin = (int64_t)r->at;
    r->begin_line = r->line;
    ASSERT(XML_Parse(r->parser, root, sizeof root - 1, XML_FALSE) == XML_STATUS_OK);
}

/* A mark of the byte order and an XML declaration, which may not stand within an element. */
static void
pass_declaration(struct reader *r)
{
    size_t at = r->at;
    if (r->len - at >= 3 && memcmp(r->bytes + at, "\xef\xbb\xbf", 3) == 0) {
        at += 3;
    }
    if (r->len - at >= 6 && memcmp(r->bytes + at, "<?xml ", 6) == 0) {
        const char *end = memmem(r->bytes + at, r->len - at, "?>", 2);
        at = end == NULL ? at : (size_t)(end - r->bytes) + 2;
    }
    advance(r, at);
}

/* Move to the next beginning of a fragment. */
static void
seek(struct reader *r)
{
    for (;;) {
        const char *mark = memchr(r->bytes + r->at, '<', r->len - r->at);
        advance(r, mark == NULL ? r->len : (size_t)(mark - r->bytes));
        size_t left = r->len - r->at;
        if (left < AHEAD_BYTES && !r->is_end) {
            return; /* what follows tells */
        }
        if (left == 0) {
            return;
        }
        if (log_record_starts(r->bytes + r->at + 1, left - 1)) {
            begin_document(r);
            return;
        }
        advance(r, r->at + 1);
    }
}

static bool
is_doctype_near(const struct reader *r, size_t place)
{
    size_t from = place - MIN_OF(place - r->at, DOCTYPE_BYTES);
    size_t to = MIN_OF(place + 2 * DOCTYPE_BYTES, r->len);
    for (size_t at = from; at + DOCTYPE_BYTES <= to; at++) {
        if (strncasecmp(r->bytes + at, DOCTYPE, DOCTYPE_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

/* The parser gave up, or the window is full of one tag: drop what is open and look for more. */
static enum err_code
give_up(struct reader *r, const char *words, struct err *err)
{
    size_t place = r->stopped_at >= 0 ? (size_t)r->stopped_at : parser_place(r);
    bool is_declaration = XML_GetErrorCode(r->parser) == XML_ERROR_MISPLACED_XML_PI;
    if (is_doctype_near(r, place)) {
        return err_set(err, ERR_FORMAT, "log '%s': line %llu: it has a document type declaration",
                       r->name, (unsigned long long)parser_line(r));
    }
    if (!is_declaration || r->record.depth > 0) {
        note(r, parser_line(r), words);
    }
    /* What it stumbled over may be the next good tag, but not if it was the first of all. */
    bool is_first = (int64_t)place <= r->begin;
    advance(r, MIN_OF(place + is_first, r->len));
    r->is_seeking = true;
    return ERR_OK;
}

static enum err_code
feed(struct reader *r, struct err *err)
{
    const char *bytes = r->bytes + r->fed;
    size_t len = r->len - r->fed;
    r->fed = r->len;
    enum XML_Status status = XML_Parse(r->parser, bytes, (int)len, XML_FALSE);
    if (status == XML_STATUS_OK && r->is_end) {
        status = XML_Parse(r->parser, root_end, sizeof root_end - 1, XML_TRUE);
    }
    if (status != XML_STATUS_OK) {
        const char *words = XML_ErrorString(XML_GetErrorCode(r->parser));
        words = r->is_end && parser_place(r) == r->len ? "it ends within an element" : words;
        return give_up(r, r->stopped != NULL ? r->stopped : words, err);
    }
    advance(r, parser_place(r));
    if (r->at == 0 && r->len == BUFFER_BYTES) {
        advance(r, 1); /* so that it is not begun again */
        return give_up(r, "a tag is too long", err);
    }
    return ERR_OK;
}

static enum err_code
read_all(struct reader *r, struct err *err)
{
    enum err_code code = read_more(r, err);
    if (code != ERR_OK) {
        return code;
    }
    pass_declaration(r);
    begin_document(r);
    for (;;) {
        if (r->is_seeking) {
            seek(r);
        }
        bool is_fed = !r->is_seeking;
        code = is_fed ? feed(r, err) : ERR_OK;
        if (code != ERR_OK || r->damage_count > LOG_DAMAGE_MAX) {
            return code;
        }
        /* A document that broke off is followed by what is held already. */
        if (is_fed && r->is_seeking) {
            continue;
        }
        if (r->is_end) {
            return ERR_OK;
        }
        code = read_more(r, err);
        if (code != ERR_OK) {
            return code;
        }
    }
}

enum err_code
log_read(int fd, const char *name, const struct log_reader_events *events, struct err *err)
{
    struct reader *r = mem_take(sizeof *r);
    *r = (struct reader){.fd = fd, .name = name, .events = events, .line = 1};
    r->bytes = mem_take(BUFFER_BYTES);
    r->parser = XML_ParserCreate("UTF-8");
    ASSERT(r->parser != NULL);
    log_record_init(&r->record, events);

    enum err_code code = read_all(r, err);
    if (code == ERR_OK && r->damage_count > 0) {
        code = err_set(err, ERR_FORMAT, "log '%s': line %llu: %s%s", name,
                       (unsigned long long)r->damage_line, r->damage_words,
                       r->damage_count > LOG_DAMAGE_MAX ? "; too many places are damaged" : "");
        if (r->damage_count > 1 && r->damage_count <= LOG_DAMAGE_MAX) {
            code = err_set(err, ERR_FORMAT, "log '%s': line %llu: %s; %llu places are damaged",
                           name, (unsigned long long)r->damage_line, r->damage_words,
                           (unsigned long long)r->damage_count);
        }
    }
    if (code == ERR_OK && r->has_others && !r->record.has_starts) {
        code = err_set(err, ERR_FORMAT, "log '%s': line 1: it is no log", name);
    }
    XML_ParserFree(r->parser);
    log_record_done(&r->record);
    mem_give(r->bytes);
    mem_give(r);
    return code;
}
