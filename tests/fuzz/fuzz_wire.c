/*
 * Answers to requests, as they come from a connection. The first byte says to which request and in
 * pieces of what length; whole or in pieces, they must mean the same.
 */
#include "base/crc64.h"
#include "storage/http/answer.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define ROOM 4096

struct outcome {
    struct http_request request;
    uint64_t fields; /* a digest of all of them */
    uint64_t body;
    enum err_code code;
    enum answer_state state;
    size_t taken;
    char room[ROOM];
};

static void
on_header(struct http_request *request, const char *name, size_t name_len, const char *value,
          size_t value_len)
{
    struct outcome *outcome = CONTAINER_OF(request, struct outcome, request);
    FUZZ_MUST(name_len > 0);
    FUZZ_MUST(memchr(name, '\n', name_len) == NULL);
    FUZZ_MUST(memchr(value, '\n', value_len) == NULL);
    FUZZ_MUST(memchr(value, '\0', value_len) == NULL);
    outcome->fields = crc64(outcome->fields, name, name_len);
    outcome->fields = crc64(outcome->fields, value, value_len);
}

static bool
on_body(struct http_request *request, const void *bytes, size_t len)
{
    struct outcome *outcome = CONTAINER_OF(request, struct outcome, request);
    FUZZ_MUST(request->status >= 200 && request->status < 600);
    FUZZ_MUST(request->method != HTTP_HEAD);
    outcome->body = crc64(outcome->body, bytes, len);
    return true;
}

static void
receive(struct outcome *outcome, const char *bytes, size_t len, size_t piece)
{
    struct answer answer = {0};
    struct err err = ERR_NONE;
    answer_begin(&answer, &outcome->request);
    while (outcome->taken < len && outcome->code == ERR_OK && !answer_is_whole(&answer)) {
        size_t offered = MIN_OF(piece, len - outcome->taken);
        size_t room = 0;
        size_t taken = 0;
        void *place = answer_room(&answer, &room);
        if (place != NULL) {
            FUZZ_MUST((char *)place >= outcome->room);
            FUZZ_MUST((char *)place + room <= outcome->room + ROOM);
            taken = MIN_OF(room, offered);
            memcpy(place, bytes + outcome->taken, taken);
            answer_received(&answer, taken);
        } else {
            outcome->code = answer_take(&answer, bytes + outcome->taken, offered, &taken, &err);
            FUZZ_MUST(taken <= offered);
        }
        FUZZ_MUST(answer.line.len <= ANSWER_LINE_MAX);
        outcome->taken += taken;
    }
    outcome->state = answer.state;
    FUZZ_MUST((outcome->code != ERR_OK) == (outcome->state == ANSWER_BROKEN));
    FUZZ_MUST(outcome->code == ERR_OK || outcome->code == ERR_FORMAT ||
              outcome->code == ERR_NETWORK);
    if (outcome->code == ERR_OK && !answer_is_whole(&answer)) {
        bool is_end = answer_end(&answer, &err) == ERR_OK;
        FUZZ_MUST(is_end == (outcome->state == ANSWER_UNTIL_END));
    }
    answer_done(&answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct outcome whole;
    static struct outcome pieces;
    struct outcome *const outcomes[] = {&whole, &pieces};
    unsigned how = size > 0 ? data[0] : 0;
    for (unsigned i = 0; i < COUNT_OF(outcomes); i++) {
        *outcomes[i] = (struct outcome){.fields = CRC64_EMPTY, .body = CRC64_EMPTY};
        outcomes[i]->request = (struct http_request){.method = how & 1 ? HTTP_HEAD : HTTP_GET,
                                                     .on_header = on_header,
                                                     .on_body = on_body,
                                                     .body_buf = how & 2 ? outcomes[i]->room : NULL,
                                                     .body_room = how & 2 ? ROOM : 0};
        receive(outcomes[i], (const char *)data + (size > 0), size - (size > 0),
                i == 0 ? size + 1 : 1 + (how >> 2));
    }
    FUZZ_MUST(whole.code == pieces.code);
    FUZZ_MUST(whole.state == pieces.state);
    FUZZ_MUST(whole.request.status == pieces.request.status);
    FUZZ_MUST(whole.fields == pieces.fields);
    FUZZ_MUST(whole.body == pieces.body);
    FUZZ_MUST(whole.code != ERR_OK ||
              whole.request.received_bytes == pieces.request.received_bytes);
    FUZZ_MUST(memcmp(whole.room, pieces.room, ROOM) == 0 || whole.code != ERR_OK);
    return 0;
}
