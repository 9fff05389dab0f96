/*
 * base/digest.h - XXH3-128, MD5, SHA-256, HMAC-SHA-256, hex and Base64: thin and allocation free on
 * warm paths.
 *
 *   shape    digests are raw bytes in canonical (big-endian) order
 *   owner    struct digest holds an OpenSSL context: digest_done() frees it; digest_init() may be
 *            called again on it to start anew without allocating
 *   thread   one at a time per object; the algorithms are fetched once per process
 *   source   OpenSSL 3.0 EVP; xxhash 0.8 XXH128_canonicalFromHash
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define XXH3_BYTES       16
#define MD5_BYTES        16
#define SHA256_BYTES     32
#define DIGEST_BYTES_MAX 32

enum digest_kind { DIGEST_NONE, DIGEST_MD5, DIGEST_SHA256 };

struct digest {
    void *ctx;
    enum digest_kind kind;
};

MUST_USE enum err_code digest_init(struct digest *digest, enum digest_kind kind, struct err *err);
void digest_add(struct digest *digest, const void *bytes, size_t len);
void digest_end(struct digest *digest, uint8_t *ret_bytes); /* MD5_BYTES or SHA256_BYTES */
void digest_done(struct digest *digest);

void digest_xxh3(const void *bytes, size_t len, uint8_t ret_bytes[static XXH3_BYTES]);
MUST_USE enum err_code digest_md5(const void *bytes, size_t len,
                                  uint8_t ret_bytes[static MD5_BYTES], struct err *err);
MUST_USE enum err_code digest_sha256(const void *bytes, size_t len,
                                     uint8_t ret_bytes[static SHA256_BYTES], struct err *err);

/* HMAC-SHA-256 with a key set once and used for many requests. */
struct hmac {
    void *ctx; /* keyed template; copied for each message */
    void *work;
};
MUST_USE enum err_code hmac_init(struct hmac *hmac, const void *key, size_t key_len,
                                 struct err *err);
MUST_USE enum err_code hmac_sign(struct hmac *hmac, const void *bytes, size_t len,
                                 uint8_t ret_bytes[static SHA256_BYTES], struct err *err);
void hmac_done(struct hmac *hmac); /* cleanses the key */

/* out has room for 2 * len + 1; returns out. */
char *hex_encode(const void *bytes, size_t len, char *out);
/* Exactly 2 * len hex digits; 0 ok, -1 not. */
int hex_decode(const char *hex, void *bytes, size_t len);
#define BASE64_ROOM(len) (((len) + 2) / 3 * 4 + 1)
char *base64_encode(const void *bytes, size_t len, char *out);
/* Strict standard alphabet with padding; returns the length or -1; room is bytes' capacity. */
long base64_decode(const char *text, void *bytes, size_t room);

/* Random bytes from the kernel; aborts if there are none. */
void random_bytes(void *bytes, size_t len);

#endif
