/*
 * An answer, line by line. What may follow what is the table; a line that has not arrived whole is
 * kept until its rest comes, and everything else is used where it lies.
 */
#include "storage/http/answer.h"

#include <string.h>
#include <strings.h>

#define AS_NAME(id) #id,
static const char *const state_names[] = {ANSWER_STATE_MAP(AS_NAME)};
static const char *const event_names[] = {ANSWER_EVENT_MAP(AS_NAME)};

// clang-format off
static const uint8_t next_state[ANSWER_STATE_COUNT][ANSWER_EVENT_COUNT] = {
    [ANSWER_NONE]      = {[ANSWER_EV_BEGIN] = ANSWER_STATUS},
    [ANSWER_STATUS]    = {[ANSWER_EV_INTERIM] = ANSWER_INTERIM, [ANSWER_EV_FINAL] = ANSWER_FIELDS, [ANSWER_EV_BREAK] = ANSWER_BROKEN},
    [ANSWER_INTERIM]   = {[ANSWER_EV_LINE] = ANSWER_INTERIM, [ANSWER_EV_EMPTY] = ANSWER_STATUS, [ANSWER_EV_BREAK] = ANSWER_BROKEN},
    [ANSWER_FIELDS]    = {[ANSWER_EV_LINE] = ANSWER_FIELDS, [ANSWER_EV_EMPTY] = ANSWER_WHOLE, [ANSWER_EV_LENGTH] = ANSWER_LENGTH, [ANSWER_EV_CHUNKED] = ANSWER_SIZE,
                          [ANSWER_EV_UNTIL_END] = ANSWER_UNTIL_END, [ANSWER_EV_BREAK] = ANSWER_BROKEN},
    [ANSWER_LENGTH]    = {[ANSWER_EV_MOVED] = ANSWER_LENGTH, [ANSWER_EV_LAST] = ANSWER_WHOLE, [ANSWER_EV_BREAK] = ANSWER_BROKEN},
    [ANSWER_UNTIL_END] = {[ANSWER_EV_MOVED] = ANSWER_UNTIL_END, [ANSWER_EV_LAST] = ANSWER_WHOLE, [ANSWER_EV_BREAK] = ANSWER_BROKEN},
    [ANSWER_SIZE]      = {[ANSWER_EV_CHUNK] = ANSWER_CHUNK, [ANSWER_EV_LAST] = ANSWER_TRAILERS, [ANSWER_EV_BREAK] = ANSWER_BROKEN},
    [ANSWER_CHUNK]     = {[ANSWER_EV_MOVED] = ANSWER_CHUNK, [ANSWER_EV_LAST] = ANSWER_CHUNK_END, [ANSWER_EV_BREAK] = ANSWER_BROKEN},
    [ANSWER_CHUNK_END] = {[ANSWER_EV_EMPTY] = ANSWER_SIZE, [ANSWER_EV_BREAK] = ANSWER_BROKEN},
    [ANSWER_TRAILERS]  = {[ANSWER_EV_LINE] = ANSWER_TRAILERS, [ANSWER_EV_EMPTY] = ANSWER_WHOLE, [ANSWER_EV_BREAK] = ANSWER_BROKEN},
};
// clang-format on

const struct fsm answer_fsm = {
    .name = "answer",
    .state_names = state_names,
    .event_names = event_names,
    .state_count = ANSWER_STATE_COUNT,
    .event_count = ANSWER_EVENT_COUNT,
    .next = &next_state[0][0],
    .initial = ANSWER_NONE,
    .final_states = UINT64_C(1) << ANSWER_WHOLE | UINT64_C(1) << ANSWER_BROKEN,
};

static void
step(struct answer *answer, enum answer_event event)
{
    unsigned next = fsm_next(&answer_fsm, answer->state, event);
    ASSERT(next != ANSWER_NONE);
    answer->state = (enum answer_state)next;
}

static enum err_code
refuse(struct answer *answer, struct err *err, enum err_code code, const char *words)
{
    step(answer, ANSWER_EV_BREAK);
    return err_set(err, code, "%s", words);
}

/* An answer that is not one says nothing of the request. */
static enum err_code
refuse_head(struct answer *answer, struct err *err, const char *why)
{
    answer->request->status = 0;
    step(answer, ANSWER_EV_BREAK);
    return err_set(err, ERR_FORMAT, "the answer is not HTTP/1.1: %s", why);
}

static enum err_code
refuse_size(struct answer *answer, struct err *err)
{
    return refuse(answer, err, ERR_FORMAT, "the answer is larger than it may be");
}

void
answer_begin(struct answer *answer, struct http_request *request)
{
    struct text line = answer->line;
    text_clear(&line);
    *answer = (struct answer){.request = request, .line = line};
    step(answer, ANSWER_EV_BEGIN);
}

void
answer_done(struct answer *answer)
{
    text_done(&answer->line);
}

/* ---- lines ---- */

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Visible, blank, tab, or beyond ASCII. */
static bool
is_plain(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool
is_token(const char *bytes, size_t len)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        bool is_fine = is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c != '\0' && strchr(others, c) != NULL);
        if (!is_fine) {
            return false;
        }
    }
    return len > 0;
}

static bool
is_word(const char *bytes, size_t len, const char *word)
{
    return strlen(word) == len && strncasecmp(bytes, word, len) == 0;
}

static enum err_code
take_status(struct answer *answer, const char *line, size_t len, struct err *err)
{
    static const char version[] = "HTTP/1.";
    size_t at = sizeof version - 1;
    bool is_fine = len >= at + 5 && memcmp(line, version, at) == 0 &&
                   (line[at] == '0' || line[at] == '1') && line[at + 1] == ' ' &&
                   line[at + 2] >= '1' && line[at + 2] <= '5' && is_digit(line[at + 3]) &&
                   is_digit(line[at + 4]) && (len == at + 5 || line[at + 5] == ' ') &&
                   is_plain(line, len);
    if (!is_fine) {
        return refuse_head(answer, err, "its first line is no status line");
    }
    int status = (line[at + 2] - '0') * 100 + (line[at + 3] - '0') * 10 + (line[at + 4] - '0');
    if (status == 101) {
        return refuse_head(answer, err, "it changes to another protocol");
    }
    if (status < 200) {
        step(answer, ANSWER_EV_INTERIM);
        return ERR_OK;
    }
    answer->request->status = status;
    answer->is_old = line[at] == '0';
    answer->may_persist = !answer->is_old;
    step(answer, ANSWER_EV_FINAL);
    return ERR_OK;
}

static enum err_code
take_length(struct answer *answer, const char *value, size_t len, struct err *err)
{
    if (answer->has_length) {
        return refuse_head(answer, err, "it has two lengths");
    }
    if (len == 0 || len > 18) {
        return refuse_head(answer, err, "its length is no number");
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(value[i])) {
            return refuse_head(answer, err, "its length is no number");
        }
        answer->left = answer->left * 10 + (uint64_t)(value[i] - '0');
    }
    answer->has_length = true;
    return ERR_OK;
}

/* "close" among the words of a Connection field. */
static bool
says_close(const char *value, size_t len)
{
    while (len > 0) {
        const char *comma = memchr(value, ',', len);
        size_t part = comma == NULL ? len : (size_t)(comma - value);
        size_t begin = 0;
        size_t end = part;
        while (begin < end && (value[begin] == ' ' || value[begin] == '\t')) {
            begin++;
        }
        while (end > begin && (value[end - 1] == ' ' || value[end - 1] == '\t')) {
            end--;
        }
        if (is_word(value + begin, end - begin, "close")) {
            return true;
        }
        part += comma == NULL ? 0 : 1;
        value += part;
        len -= part;
    }
    return false;
}

/* What a field says of where the answer ends. */
static enum err_code
take_framing(struct answer *answer, const char *name, size_t name_len, const char *value,
             size_t len, struct err *err)
{
    if (is_word(name, name_len, "content-length")) {
        return take_length(answer, value, len, err);
    }
    if (is_word(name, name_len, "transfer-encoding")) {
        if (answer->is_chunked || !is_word(value, len, "chunked")) {
            return refuse_head(answer, err, "its transfer coding is not chunked alone");
        }
        answer->is_chunked = true;
    } else if (is_word(name, name_len, "connection") && says_close(value, len)) {
        answer->may_persist = false;
    }
    return ERR_OK;
}

static enum err_code
take_field(struct answer *answer, const char *line, size_t len, struct err *err)
{
    const char *colon = memchr(line, ':', len);
    size_t name_len = colon == NULL ? 0 : (size_t)(colon - line);
    if (!is_token(line, name_len)) {
        return refuse_head(answer, err, "a line of its head is no field");
    }
    const char *value = line + name_len + 1;
    const char *end = line + len;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    size_t value_len = (size_t)(end - value);
    if (!is_plain(value, value_len)) {
        return refuse_head(answer, err, "a field has control characters");
    }
    bool is_final = answer->state == ANSWER_FIELDS;
    step(answer, ANSWER_EV_LINE);
    if (!is_final) {
        return ERR_OK;
    }
    enum err_code code = take_framing(answer, line, name_len, value, value_len, err);
    if (code == ERR_OK && answer->request->on_header != NULL) {
        answer->request->on_header(answer->request, line, name_len, value, value_len);
    }
    return code;
}

/* The empty line behind the fields: what follows? */
static enum err_code
end_fields(struct answer *answer, struct err *err)
{
    int status = answer->request->status;
    if (answer->is_chunked && (answer->has_length || answer->is_old)) {
        return refuse_head(answer, err, "it is chunked, and has a length or is HTTP/1.0");
    }
    bool has_no_body = answer->request->method == HTTP_HEAD || status == 204 || status == 304 ||
                       (answer->has_length && answer->left == 0);
    if (has_no_body) {
        step(answer, ANSWER_EV_EMPTY);
    } else if (answer->is_chunked) {
        step(answer, ANSWER_EV_CHUNKED);
    } else if (answer->has_length) {
        step(answer, ANSWER_EV_LENGTH);
    } else {
        answer->may_persist = false;
        step(answer, ANSWER_EV_UNTIL_END);
    }
    return ERR_OK;
}

/* Hex digits, and perhaps an extension, which means nothing to us. */
static enum err_code
take_size(struct answer *answer, const char *line, size_t len, struct err *err)
{
    uint64_t size = 0;
    size_t at = 0;
    for (; at < len && at < 15; at++) {
        char c = line[at];
        unsigned digit = is_digit(c)            ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10U
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10U
                                                : 16U;
        if (digit > 15) {
            break;
        }
        size = size << 4 | digit;
    }
    bool is_ended = at == len || line[at] == ';' || line[at] == ' ' || line[at] == '\t';
    if (at == 0 || !is_ended || !is_plain(line, len)) {
        return refuse(answer, err, ERR_NETWORK, "the answer's chunks are damaged");
    }
    answer->left = size;
    step(answer, size == 0 ? ANSWER_EV_LAST : ANSWER_EV_CHUNK);
    return ERR_OK;
}

/* line is without its CR LF. */
static enum err_code
take_line(struct answer *answer, const char *line, size_t len, struct err *err)
{
    switch (answer->state) {
    case ANSWER_STATUS: return take_status(answer, line, len, err);
    case ANSWER_SIZE: return take_size(answer, line, len, err);
    case ANSWER_CHUNK_END:
        if (len > 0) {
            return refuse(answer, err, ERR_NETWORK, "the answer's chunks are damaged");
        }
        step(answer, ANSWER_EV_EMPTY);
        return ERR_OK;
    case ANSWER_FIELDS:
        return len == 0 ? end_fields(answer, err) : take_field(answer, line, len, err);
    default: break;
    }
    ASSERT(answer->state == ANSWER_INTERIM || answer->state == ANSWER_TRAILERS);
    if (len > 0) {
        return take_field(answer, line, len, err);
    }
    step(answer, ANSWER_EV_EMPTY);
    return ERR_OK;
}

/* Whoever speaks another protocol may never end a line. */
static bool
may_be_status(const struct answer *answer, const char *bytes, size_t len)
{
    static const char version[] = "HTTP/1.";
    size_t at = answer->line.len;
    size_t left = at < sizeof version - 1 ? MIN_OF(len, sizeof version - 1 - at) : 0;
    return answer->state != ANSWER_STATUS || memcmp(bytes, version + MIN_OF(at, 7U), left) == 0;
}

/* One line, or the beginning of one. Returns how many bytes were taken through *ret_taken. */
static enum err_code
take_line_bytes(struct answer *answer, const char *bytes, size_t len, size_t *ret_taken,
                struct err *err)
{
    const char *end = memchr(bytes, '\n', len);
    size_t taken = end == NULL ? len : (size_t)(end - bytes) + 1;
    *ret_taken = taken;
    answer->head_bytes += taken;
    if (!may_be_status(answer, bytes, len)) {
        return refuse_head(answer, err, "its first line is no status line");
    }
    if (answer->line.len + taken > ANSWER_LINE_MAX || answer->head_bytes > ANSWER_HEAD_MAX) {
        return refuse_size(answer, err);
    }
    if (end == NULL) {
        text_add(&answer->line, bytes, len);
        return ERR_OK;
    }
    const char *line = bytes;
    if (answer->line.len > 0) {
        text_add(&answer->line, bytes, taken);
        line = text_str(&answer->line);
        taken = answer->line.len;
    }
    bool is_ended = taken >= 2 && line[taken - 2] == '\r';
    if (!is_ended && (answer->state == ANSWER_SIZE || answer->state == ANSWER_CHUNK_END)) {
        return refuse(answer, err, ERR_NETWORK, "the answer's chunks are damaged");
    }
    if (!is_ended) {
        return refuse_head(answer, err, "a line ends without a carriage return");
    }
    enum err_code code = take_line(answer, line, taken - 2, err);
    text_clear(&answer->line);
    return code;
}

/* ---- the body ---- */

static bool
is_in_body(const struct answer *answer)
{
    return answer->state == ANSWER_LENGTH || answer->state == ANSWER_CHUNK ||
           answer->state == ANSWER_UNTIL_END;
}

static void
move(struct answer *answer, size_t len)
{
    if (answer->state == ANSWER_UNTIL_END) {
        step(answer, ANSWER_EV_MOVED);
        return;
    }
    ASSERT(len <= answer->left);
    answer->left -= len;
    step(answer, answer->left == 0 ? ANSWER_EV_LAST : ANSWER_EV_MOVED);
    if (answer->state == ANSWER_CHUNK_END) {
        /* Lines of chunks are bounded one by one: how many there are is the body's business. */
        answer->head_bytes = 0;
    }
}

enum err_code
answer_take(struct answer *answer, const char *bytes, size_t len, size_t *ret_taken,
            struct err *err)
{
    size_t at = 0;
    answer->has_begun = answer->has_begun || len > 0;
    while (at < len && answer->state != ANSWER_WHOLE) {
        size_t taken = 0;
        enum err_code code = ERR_OK;
        if (is_in_body(answer)) {
            taken = answer->state == ANSWER_UNTIL_END ? len - at : MIN_OF(len - at, answer->left);
            code = http_request_take_body(answer->request, bytes + at, taken)
                       ? ERR_OK
                       : refuse_size(answer, err);
            if (code == ERR_OK) {
                move(answer, taken);
            }
        } else {
            code = take_line_bytes(answer, bytes + at, len - at, &taken, err);
        }
        if (code != ERR_OK) {
            return code;
        }
        at += taken;
    }
    *ret_taken = at;
    return ERR_OK;
}

void *
answer_room(const struct answer *answer, size_t *ret_len)
{
    const struct http_request *request = answer->request;
    if (!is_in_body(answer) || !http_request_is_direct(request)) {
        return NULL;
    }
    uint64_t left = request->body_room - request->received_bytes;
    left = answer->state == ANSWER_UNTIL_END ? left : MIN_OF(left, answer->left);
    *ret_len = (size_t)left;
    return left == 0 ? NULL : (char *)request->body_buf + request->received_bytes;
}

void
answer_received(struct answer *answer, size_t len)
{
    answer->request->received_bytes += len;
    move(answer, len);
}

enum err_code
answer_end(struct answer *answer, struct err *err)
{
    if (answer->state == ANSWER_UNTIL_END) {
        step(answer, ANSWER_EV_LAST);
        return ERR_OK;
    }
    if (!answer->has_begun) {
        return err_set(err, ERR_NETWORK, "the connection was closed without an answer");
    }
    bool is_in_head = answer->state == ANSWER_STATUS || answer->state == ANSWER_INTERIM ||
                      answer->state == ANSWER_FIELDS;
    return err_set(err, ERR_NETWORK, "%s",
                   is_in_head ? "the answer broke off in its header"
                              : "the connection was closed in the middle of the answer");
}
