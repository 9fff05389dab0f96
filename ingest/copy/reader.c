#include "ingest/copy/reader.h"

#include "base/arena.h"
#include "base/config.h"
#include "base/crc64.h"
#include "storage/wrap/wrap.h"

enum err_code
reader_open(struct reader *reader, struct end *end, const struct config *config,
            const struct clock *clock, const atomic_int *signal, struct err *err)
{
    *reader = (struct reader){0};
    enum err_code code = errand_open(&reader->errand, end, config, clock, signal, err);
    if (code == ERR_OK && end->caps.keeps_props) {
        code = unzstd_new(reader->errand.backend, &reader->errand.backend, err);
    }
    if (code != ERR_OK) {
        reader_close(reader);
    }
    return code;
}

void
reader_close(struct reader *reader)
{
    errand_close(&reader->errand);
    for (unsigned i = 0; i < READER_PIECES; i++) {
        reader->pieces[i].buf = mem_give(reader->pieces[i].buf);
    }
}

enum err_code
reader_stat(struct reader *reader, const char *name, struct blob_props *ret_props, struct err *err)
{
    struct reader_piece *piece = &reader->pieces[0];
    piece->errand =
        (struct errand_op){.op = {.verb = BLOB_STAT, .name = name, .ret_props = &piece->props}};
    enum err_code code = errand_run(&reader->errand, &piece->errand, err);
    if (code != ERR_OK) {
        return code;
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
    piece->errand.op = (struct blob_op){
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
    return errand_submit(&reader->errand, &piece->errand, err);
}

static void
add_piece(struct reader_piece *piece, uint64_t *crc)
{
    uint32_t len = piece->errand.op.len_bytes;
    *crc = piece->errand.op.is_zero ? crc64_combine(*crc, crc64_zeros(len), len)
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
        errand_wait(&reader->errand, &piece->errand);
        if (piece->errand.op.err.code == ERR_OK) {
            add_piece(piece, &crc);
        } else {
            *err = piece->errand.op.err;
            code = err->code;
        }
    }
    for (unsigned i = 0; i < READER_PIECES; i++) {
        if (reader->pieces[i].errand.is_out) {
            errand_wait(&reader->errand, &reader->pieces[i].errand);
        }
    }
    if (code == ERR_OK) {
        *ret_crc64 = crc;
    }
    return code;
}
