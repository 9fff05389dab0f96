#include "bench/send.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/crc64.h"
#include "base/digest.h"
#include "base/text.h"
#include "storage/http/transport.h"

#include <pthread.h>
#include <string.h>

#define PERMIT_NS (250 * NS_PER_MS) /* how often a waiting lane looks whether it shall end */

struct sender;

struct slot {
    struct http_request request;
    struct sender *sender;
    struct text url;
    bool is_busy;
};

/* What all senders share. */
struct sending {
    const struct send_options *options;
    const char *body;
    struct http_header headers[4];
    atomic_uint_least64_t next;
    atomic_bool is_ending;
};

struct sender {
    struct sending *sending;
    struct transport *http;
    struct slot *slots;
    unsigned slot_count;
    unsigned busy_count;
    uint64_t sent;
    struct err err;
    pthread_t thread;
};

static void
on_done(struct http_request *request)
{
    struct slot *slot = CONTAINER_OF(request, struct slot, request);
    struct sender *sender = slot->sender;
    slot->is_busy = false;
    sender->busy_count--;
    if (request->err.code == ERR_OK && request->status == 201) {
        sender->sent++;
        return;
    }
    if (sender->err.code == ERR_OK && request->err.code != ERR_OK) {
        sender->err = request->err;
    } else if (sender->err.code == ERR_OK) {
        (void)err_set(&sender->err, ERR_STORE_BUSY, "the sink answered %d", request->status);
    }
    atomic_store(&sender->sending->is_ending, true);
}

static bool
send_one(struct sender *sender, struct slot *slot)
{
    struct sending *sending = sender->sending;
    const struct send_options *options = sending->options;
    if (atomic_load(&sending->is_ending) || atomic_load(options->signal) != 0) {
        return false;
    }
    uint64_t index = atomic_fetch_add(&sending->next, 1);
    if (index >= options->count) {
        return false;
    }
    text_clear(&slot->url);
    text_addf(&slot->url, "http://127.0.0.1:%u/bench/send/%u-%llu", options->port, options->run,
              (unsigned long long)index);
    slot->request = (struct http_request){
        .method = HTTP_PUT,
        .url = text_str(&slot->url),
        .headers = sending->headers,
        .header_count = COUNT_OF(sending->headers),
        .body = sending->body,
        .body_len = options->body_bytes,
        .done = on_done,
    };
    enum err_code code = transport_submit(sender->http, &slot->request);
    ASSERT(code == ERR_OK);
    slot->is_busy = true;
    sender->busy_count++;
    return true;
}

static void *
sender_main(void *user)
{
    struct sender *sender = user;
    bool has_more = true;
    while (has_more || sender->busy_count > 0) {
        for (unsigned i = 0; i < sender->slot_count && has_more; i++) {
            if (!sender->slots[i].is_busy) {
                has_more = send_one(sender, &sender->slots[i]);
            }
        }
        if (transport_poll(sender->http) == 0 && sender->busy_count > 0) {
            transport_wait(sender->http, &clock_system, clock_mono_ns(&clock_system) + PERMIT_NS);
        }
    }
    return NULL;
}

static enum err_code
make_container(const struct send_options *options, struct transport *http, struct err *err)
{
    AUTO_TEXT url = TEXT_INIT;
    text_addf(&url, "http://127.0.0.1:%u/bench/send?restype=container", options->port);
    struct http_request request = {.method = HTTP_PUT, .url = text_str(&url), .body = ""};
    transport_perform(http, &clock_system, options->signal, &request);
    if (request.err.code != ERR_OK) {
        *err = request.err;
        return err->code;
    }
    if (request.status != 201 && request.status != 409) {
        return err_set(err, ERR_STORE_BUSY, "the sink answered %d", request.status);
    }
    return ERR_OK;
}

static enum err_code
open_sender(struct sending *sending, struct sender *sender, struct err *err)
{
    const struct send_options *options = sending->options;
    sender->sending = sending;
    sender->slot_count = MAX_OF(options->in_flight / options->lanes, 1U);
    sender->slots = mem_take(sender->slot_count * sizeof *sender->slots);
    for (unsigned i = 0; i < sender->slot_count; i++) {
        sender->slots[i].sender = sender;
    }
    return transport_new(options->config, &clock_system, sender->slot_count, &sender->http, err);
}

static void
close_sender(struct sender *sender)
{
    sender->http = transport_free(sender->http);
    for (unsigned i = 0; i < sender->slot_count; i++) {
        text_done(&sender->slots[i].url);
    }
    mem_give(sender->slots);
}

/* Run all senders and gather what they did. */
static enum err_code
run_senders(struct sender *senders, unsigned count, struct figures *figures, struct err *err)
{
    struct stopwatch watch;
    enum err_code code = ERR_OK;
    unsigned started = 0;
    stopwatch_begin(&watch);
    for (; started < count; started++) {
        int failed = pthread_create(&senders[started].thread, NULL, sender_main, &senders[started]);
        if (failed != 0) {
            atomic_store(&senders[started].sending->is_ending, true);
            code = err_set_sys(err, ERR_SYSTEM, failed, "could not start a thread");
            break;
        }
    }
    for (unsigned i = 0; i < started; i++) {
        (void)pthread_join(senders[i].thread, NULL);
        figures->items += senders[i].sent;
        if (code == ERR_OK && senders[i].err.code != ERR_OK) {
            *err = senders[i].err;
            code = err->code;
        }
    }
    stopwatch_end(&watch, figures);
    return code;
}

enum err_code
send_bench(const struct send_options *options, struct figures *ret_figures, struct err *err)
{
    struct sending sending = {.options = options};
    struct figures figures = {0};
    char crc_text[BASE64_ROOM(8)];
    uint8_t crc_bytes[8];
    char *body = mem_take(options->body_bytes + 1);
    struct sender *senders = mem_take(options->lanes * sizeof *senders);
    enum err_code code = ERR_OK;
    (void)memset(body, 0xa5, options->body_bytes);
    uint64_t crc = crc64(CRC64_EMPTY, body, options->body_bytes);
    for (unsigned i = 0; i < sizeof crc_bytes; i++) {
        crc_bytes[i] = (uint8_t)(crc >> (8 * i));
    }
    sending.body = body;
    sending.headers[0] = (struct http_header){"x-ms-version", "2021-12-02"};
    sending.headers[1] = (struct http_header){"x-ms-blob-type", "BlockBlob"};
    sending.headers[2] = (struct http_header){"Content-Type", "application/octet-stream"};
    sending.headers[3] = (struct http_header){"x-ms-content-crc64",
                                              base64_encode(crc_bytes, sizeof crc_bytes, crc_text)};
    for (unsigned i = 0; i < options->lanes && code == ERR_OK; i++) {
        code = open_sender(&sending, &senders[i], err);
    }
    code = code == ERR_OK ? make_container(options, senders[0].http, err) : code;
    code = code == ERR_OK ? run_senders(senders, options->lanes, &figures, err) : code;
    for (unsigned i = 0; i < options->lanes; i++) {
        close_sender(&senders[i]);
    }
    mem_give(senders);
    mem_give(body);
    if (code == ERR_OK && atomic_load(options->signal) != 0) {
        code = err_set(err, ERR_INTERRUPTED, "interrupted after %llu bodies",
                       (unsigned long long)figures.items);
    }
    figures.bytes = figures.items * options->body_bytes;
    *ret_figures = figures;
    return code;
}
