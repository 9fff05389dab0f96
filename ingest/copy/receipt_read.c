#include "base/fd.h"
#include "base/text.h"
#include "ingest/copy/receipt.h"

#include <jansson.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES_MAX 8192

static enum err_code
invalid(struct err *err, const char *why)
{
    return err_set(err, ERR_RECEIPT, "%s", why);
}

static bool
get_hex(const json_t *object, const char *key, void *bytes, size_t len)
{
    const char *hex = json_string_value(json_object_get(object, key));
    return hex != NULL && strlen(hex) == 2 * len && hex_decode(hex, bytes, (int)len) == 0;
}

static bool
get_base64(const json_t *object, const char *key, void *bytes, size_t len)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL && base64_decode(text, bytes, len) == (long)len;
}

/* A string, or {"b64":"..."} where the name is not UTF-8. */
static bool
get_path(const json_t *object, const char *key, struct text *out)
{
    const json_t *value = json_object_get(object, key);
    const char *plain = json_string_value(value);
    text_clear(out);
    if (plain != NULL && json_string_length(value) == strlen(plain)) {
        text_add_str(out, plain);
    } else if (json_is_object(value)) {
        char bytes[PATH_BYTES_MAX];
        const char *text = json_string_value(json_object_get(value, "b64"));
        long len = text == NULL ? -1 : base64_decode(text, bytes, sizeof bytes);
        if (len <= 0 || memchr(bytes, '\0', (size_t)len) != NULL) {
            return false;
        }
        text_add(out, bytes, (size_t)len);
    }
    return out->len > 0 && out->len <= PATH_BYTES_MAX;
}

static bool
get_u64(const json_t *object, const char *key, uint64_t *ret_value)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return false;
    }
    *ret_value = (uint64_t)json_integer_value(value);
    return true;
}

static enum err_code
parse_header(const json_t *object, struct receipt_line *line, struct err *err)
{
    const char *schema = json_string_value(json_object_get(object, "schema"));
    const json_t *device = json_object_get(object, "device");
    line->kind = RECEIPT_HEADER;
    line->is_of_device = device != NULL && !json_is_null(device);
    if (schema == NULL || strcmp(schema, RECEIPT_SCHEMA) != 0) {
        return invalid(err, "its header names another schema than " RECEIPT_SCHEMA);
    }
    return get_base64(object, "key", line->der, sizeof line->der)
               ? ERR_OK
               : invalid(err, "its header has no public key");
}

static enum err_code
parse_item(const json_t *object, struct receipt_line *line, struct err *err)
{
    uint8_t crc64[sizeof(uint64_t)];
    line->kind = RECEIPT_ITEM;
    line->item = (struct receipt_item){0};
    if (!get_path(object, "path", &line->path)) {
        return invalid(err, "an item has no usable path");
    }
    bool has_blob = get_path(object, "blob", &line->blob);
    if (line->is_of_device && !has_blob) {
        return invalid(err, "an item has no usable blob");
    }
    line->item.path = text_str(&line->path);
    line->item.blob = has_blob ? text_str(&line->blob) : NULL;
    line->item.is_of_device = line->is_of_device;
    line->item.name = line->is_of_device ? line->item.blob : line->item.path;
    if (!get_u64(object, "size", &line->item.size_bytes)) {
        return invalid(err, "an item has no size");
    }
    if (json_object_get(object, "crc64") != NULL) {
        if (!get_hex(object, "crc64", crc64, sizeof crc64)) {
            return invalid(err, "an item's crc64 is not 16 hex digits");
        }
        for (unsigned i = 0; i < sizeof crc64; i++) {
            line->item.crc64 = line->item.crc64 << 8 | crc64[i];
        }
        line->item.has_crc64 = true;
    }
    if (json_object_get(object, "md5") != NULL) {
        if (!get_hex(object, "md5", line->item.md5, MD5_BYTES)) {
            return invalid(err, "an item's md5 is not 32 hex digits");
        }
        line->item.has_md5 = true;
    }
    return ERR_OK;
}

static enum err_code
parse_end(const json_t *object, struct receipt_line *line, struct err *err)
{
    line->kind = RECEIPT_END;
    bool is_fine = get_u64(object, "count", &line->count) &&
                   get_hex(object, "sha256", line->sha256, sizeof line->sha256) &&
                   get_base64(object, "signature", line->signature, sizeof line->signature);
    return is_fine ? ERR_OK : invalid(err, "its last line has no count, sha256 and signature");
}

enum err_code
receipt_parse(const char *bytes, size_t len, struct receipt_line *line, struct err *err)
{
    json_error_t why;
    json_t *object = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &why);
    enum err_code code = ERR_OK;
    if (!json_is_object(object)) {
        code = invalid(err, "it is not JSON Lines");
    } else if (json_object_get(object, "schema") != NULL) {
        code = parse_header(object, line, err);
    } else if (json_object_get(object, "path") != NULL) {
        code = parse_item(object, line, err);
    } else {
        code = parse_end(object, line, err);
    }
    json_decref(object);
    return code;
}

void
receipt_line_done(struct receipt_line *line)
{
    text_done(&line->path);
    text_done(&line->blob);
}

/* ---- a whole file ---- */

struct receipt_file {
    const char *path;
    int fd;
    char *bytes; /* RECEIPT_LINE_BYTES_MAX */
    size_t begin;
    size_t end;
    bool is_over;
    uint64_t line_number;
};

static enum err_code
fill(struct receipt_file *file, struct err *err)
{
    if (file->begin > 0) {
        memmove(file->bytes, file->bytes + file->begin, file->end - file->begin);
        file->end -= file->begin;
        file->begin = 0;
    }
    if (file->end == RECEIPT_LINE_BYTES_MAX) {
        return invalid(err, "a line has more than 65,536 bytes");
    }
    ssize_t got = read(file->fd, file->bytes + file->end, RECEIPT_LINE_BYTES_MAX - file->end);
    if (got < 0) {
        return err_set_sys(err, ERR_CONFIG, errno, "could not read '%s'", file->path);
    }
    file->is_over = got == 0;
    file->end += (size_t)got;
    return ERR_OK;
}

/* The next line with its newline; len 0 at the end. A last line without newline is cut off. */
static enum err_code
next_line(struct receipt_file *file, const char **ret_line, size_t *ret_len, struct err *err)
{
    while (true) {
        char *begin = file->bytes + file->begin;
        const char *newline = memchr(begin, '\n', file->end - file->begin);
        if (newline != NULL) {
            *ret_line = begin;
            *ret_len = (size_t)(newline + 1 - begin);
            file->begin += *ret_len;
            file->line_number++;
            return ERR_OK;
        }
        if (file->is_over) {
            *ret_len = 0;
            return file->begin == file->end ? ERR_OK : invalid(err, "its last line is cut off");
        }
        enum err_code code = fill(file, err);
        if (code != ERR_OK) {
            return code;
        }
    }
}

struct reading {
    const struct sign_key *key;
    receipt_item_fn *fn;
    void *user;
    struct digest sha256;
    struct receipt_line line;
    uint64_t count;
    bool has_header;
    bool has_end;
};

static enum err_code
check_end(struct reading *r, struct err *err)
{
    uint8_t sha256[SHA256_BYTES];
    digest_end(&r->sha256, sha256);
    r->has_end = true;
    if (r->line.count != r->count) {
        return err_set(err, ERR_RECEIPT, "it counts %llu items and lists %llu",
                       (unsigned long long)r->line.count, (unsigned long long)r->count);
    }
    if (memcmp(sha256, r->line.sha256, sizeof sha256) != 0) {
        return invalid(err, "its lines are not those that were signed: the SHA-256 differs");
    }
    return sign_is_valid(r->key, sha256, sizeof sha256, r->line.signature)
               ? ERR_OK
               : invalid(err, "the signature does not fit the key given");
}

static enum err_code
take_line(struct reading *r, const char *bytes, size_t len, struct err *err)
{
    enum err_code code = receipt_parse(bytes, len - 1, &r->line, err);
    if (code != ERR_OK) {
        return code;
    }
    if (r->has_end || (r->line.kind == RECEIPT_HEADER) == r->has_header) {
        return invalid(err, "its lines are not in order: a header, items, an end");
    }
    if (r->line.kind == RECEIPT_END) {
        return check_end(r, err);
    }
    digest_add(&r->sha256, bytes, len);
    if (r->line.kind == RECEIPT_HEADER) {
        uint8_t der[SIGN_DER_BYTES];
        r->has_header = true;
        sign_public_der(r->key, der);
        return memcmp(der, r->line.der, sizeof der) == 0
                   ? ERR_OK
                   : invalid(err, "it was signed by another key than the one given");
    }
    r->count++;
    return r->fn(r->user, &r->line.item, err);
}

static enum err_code
read_lines(struct receipt_file *file, struct reading *r, struct err *err)
{
    enum err_code code = digest_init(&r->sha256, DIGEST_SHA256, err);
    const char *line = NULL;
    size_t len = 1;
    while (code == ERR_OK && len > 0) {
        code = next_line(file, &line, &len, err);
        if (code == ERR_OK && len > 0) {
            code = take_line(r, line, len, err);
        }
    }
    if (code == ERR_OK && !r->has_end) {
        code = invalid(err, "it is cut off: its last line, with the signature, is missing");
    }
    digest_done(&r->sha256);
    receipt_line_done(&r->line);
    return code == ERR_RECEIPT ? err_wrap(err, "line %llu", (unsigned long long)file->line_number)
                               : code;
}

enum err_code
receipt_read(const char *path, const struct sign_key *key, receipt_item_fn *fn, void *user,
             struct err *err)
{
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_sys(err, ERR_CONFIG, errno, "could not read the receipt '%s'", path);
    }
    struct receipt_file file = {.path = path, .fd = fd};
    struct reading r = {.key = key, .fn = fn, .user = user};
    file.bytes = mem_take(RECEIPT_LINE_BYTES_MAX);
    enum err_code code = read_lines(&file, &r, err);
    mem_give(file.bytes);
    return code == ERR_OK ? ERR_OK : err_wrap(err, "'%s'", path);
}
