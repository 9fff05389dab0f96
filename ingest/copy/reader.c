#include "ingest/copy/reader.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/crc64.h"
#include "storage/wrap/wrap.h"

#include <poll.h>
#include <string.h>

#define WAIT_NS_MAX (250 * NS_PER_MS)
#define NO_NONCE    "00000000000000000000000000000000"

static void
on_done(struct blob_op *op)
{
    CONTAINER_OF(op, struct reader_piece, op)->is_done = true;
}

enum err_code
reader_open(struct reader *reader, struct end *end, const struct config *config,
            const struct clock *clock, const atomic_int *signal, struct err *err)
{
    *reader = (struct reader){.clock = clock, .signal = signal};
    enum err_code code = disk_new(DISK_AUTO, READER_PIECES * 2, &reader->disk, err);
    if (code == ERR_OK && !end->caps.is_local) {
        code = transport_new(config, clock, READER_PIECES * 2, &reader->http, err);
    }
    struct lane_io io = {.disk = reader->disk, .http = reader->http, .clock = clock};
    code = code == ERR_OK ? end_backend(end, &io, &reader->backend, err) : code;
    if (code == ERR_OK && !end->caps.is_local) {
        code = retry_wrap(config, clock, end->storm, &reader->backend, err);
    }
    if (code == ERR_OK && end->caps.keeps_props) {
        code = unzstd_new(reader->backend, &reader->backend, err);
    }
    if (code != ERR_OK) {
        reader_close(reader);
    }
    return code;
}

void
reader_close(struct reader *reader)
{
    reader->backend = backend_free(reader->backend);
    reader->http = transport_free(reader->http);
    reader->disk = reader->disk == NULL ? NULL : disk_free(reader->disk);
    for (unsigned i = 0; i < READER_PIECES; i++) {
        reader->pieces[i].buf = mem_give(reader->pieces[i].buf);
    }
}

static void
wait_a_little(struct reader *reader)
{
    struct pollfd fds[2] = {{.fd = disk_wake_fd(reader->disk), .events = POLLIN}};
    nfds_t count = 1;
    int64_t now_ns = clock_mono_ns(reader->clock);
    int64_t at_ns = MIN_OF(now_ns + WAIT_NS_MAX, backend_next_timer_ns(reader->backend));
    if (reader->http != NULL) {
        fds[count++] = (struct pollfd){.fd = transport_wake_fd(reader->http), .events = POLLIN};
        at_ns = MIN_OF(at_ns, transport_next_timer_ns(reader->http));
    }
    int64_t wait_ns = MAX_OF(at_ns - now_ns, 0);
    struct timespec wait = {.tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S};
    (void)ppoll(fds, count, &wait, NULL);
}

static void
wait_for(struct reader *reader, struct reader_piece *piece)
{
    bool is_cancelled = false;
    while (!piece->is_done) {
        if (!is_cancelled && reader->signal != NULL && atomic_load(reader->signal) != 0) {
            is_cancelled = true;
            backend_cancel(reader->backend, &piece->op);
        }
        unsigned ran = disk_poll(reader->disk) + backend_poll(reader->backend);
        if (reader->http != NULL) {
            ran += transport_poll(reader->http);
        }
        if (ran == 0 && !piece->is_done) {
            wait_a_little(reader);
        }
    }
}

static enum err_code
submit(struct reader *reader, struct reader_piece *piece, struct err *err)
{
    piece->is_done = false;
    piece->op.done = on_done;
    piece->op.nonce = NO_NONCE;
    enum err_code code = backend_submit(reader->backend, &piece->op, err);
    piece->is_out = code == ERR_OK;
    return code;
}

enum err_code
reader_stat(struct reader *reader, const char *name, struct blob_props *ret_props, struct err *err)
{
    struct reader_piece *piece = &reader->pieces[0];
    piece->op = (struct blob_op){.verb = BLOB_STAT, .name = name, .ret_props = &piece->props};
    enum err_code code = submit(reader, piece, err);
    if (code != ERR_OK) {
        return code;
    }
    wait_for(reader, piece);
    piece->is_out = false;
    if (piece->op.err.code != ERR_OK) {
        *err = piece->op.err;
        return err->code;
    }
    if (piece->props.is_partial) {
        return err_set(err, ERR_ITEM_GONE, "'%s' is not there yet: it is unfinished", name);
    }
    *ret_props = piece->props;
    ret_props->content_type = NULL; /* its texts lived until the answer was taken */
    ret_props->content_encoding = NULL;
    ret_props->extra_metadata = NULL;
    ret_props->extra_metadata_len = 0;
    return ERR_OK;
}

static enum err_code
begin_piece(struct reader *reader, const char *name, const struct blob_props *props, uint64_t index,
            struct err *err)
{
    struct reader_piece *piece = &reader->pieces[index % READER_PIECES];
    uint64_t offset = index * READER_PIECE_BYTES;
    if (piece->buf == NULL) {
        piece->buf = mem_take(READER_PIECE_BYTES);
    }
    piece->index = index;
    piece->props = *props;
    piece->op = (struct blob_op){
        .verb = BLOB_READ,
        .name = name,
        /* What is compressed is one item read in parts, in order; the others have a file each. */
        .item_id = blob_is_packed(props) ? reader->packed_count : index + 1,
        .offset_bytes = offset,
        .len_bytes = (uint32_t)MIN_OF(props->original_bytes - offset, READER_PIECE_BYTES),
        .is_whole = !blob_is_packed(props),
        .buf = piece->buf,
        .props = &piece->props,
    };
    return submit(reader, piece, err);
}

static void
add_piece(struct reader_piece *piece, uint64_t *crc)
{
    uint32_t len = piece->op.len_bytes;
    *crc = piece->op.is_zero ? crc64_combine(*crc, crc64_zeros(len), len)
                             : crc64(*crc, piece->buf, len);
}

enum err_code
reader_crc64(struct reader *reader, const char *name, const struct blob_props *props,
             uint64_t *ret_crc64, struct err *err)
{
    uint64_t count = (props->original_bytes + READER_PIECE_BYTES - 1) / READER_PIECE_BYTES;
    uint64_t begun = 0;
    uint64_t crc = CRC64_EMPTY;
    enum err_code code = blob_is_packed(props) ? unzstd_check(props, name, err) : ERR_OK;
    reader->packed_count++;
    for (uint64_t index = 0; index < count && code == ERR_OK; index++) {
        for (; begun < count && begun < index + READER_PIECES && code == ERR_OK; begun++) {
            code = begin_piece(reader, name, props, begun, err);
        }
        struct reader_piece *piece = &reader->pieces[index % READER_PIECES];
        if (code != ERR_OK) {
            break;
        }
        wait_for(reader, piece);
        piece->is_out = false;
        if (piece->op.err.code == ERR_OK) {
            add_piece(piece, &crc);
        } else {
            *err = piece->op.err;
            code = err->code;
        }
    }
    for (unsigned i = 0; i < READER_PIECES; i++) {
        if (reader->pieces[i].is_out) {
            wait_for(reader, &reader->pieces[i]);
            reader->pieces[i].is_out = false;
        }
    }
    if (code == ERR_OK) {
        *ret_crc64 = crc;
    }
    return code;
}
