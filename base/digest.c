#include "base/digest.h"

#include "base/secret.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static EVP_MD *md5_algorithm;
static EVP_MD *sha256_algorithm;
static EVP_MAC *hmac_algorithm;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Fetching searches OpenSSL's providers and takes a lock: once per process, not per message. */
static void
fetch(void)
{
    md5_algorithm = EVP_MD_fetch(NULL, "MD5", NULL);
    sha256_algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    hmac_algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

static const EVP_MD *
algorithm(enum digest_kind kind)
{
    (void)pthread_once(&once, fetch);
    return kind == DIGEST_MD5 ? md5_algorithm : sha256_algorithm;
}

static enum err_code
unavailable(struct err *err, const char *name)
{
    return err_set(err, ERR_UNSUPPORTED, "OpenSSL does not offer %s here (FIPS mode?)", name);
}

enum err_code
digest_init(struct digest *digest, enum digest_kind kind, struct err *err)
{
    if (digest->ctx == NULL) {
        digest->ctx = EVP_MD_CTX_new();
    }
    digest->kind = kind;
    if (digest->ctx == NULL || algorithm(kind) == NULL ||
        EVP_DigestInit_ex2(digest->ctx, algorithm(kind), NULL) != 1) {
        return unavailable(err, kind == DIGEST_MD5 ? "MD5" : "SHA-256");
    }
    return ERR_OK;
}

void
digest_add(struct digest *digest, const void *bytes, size_t len)
{
    int is_good = EVP_DigestUpdate(digest->ctx, bytes, len);
    ASSERT(is_good == 1);
}

void
digest_end(struct digest *digest, uint8_t *ret_bytes)
{
    int is_good = EVP_DigestFinal_ex(digest->ctx, ret_bytes, NULL);
    ASSERT(is_good == 1);
}

void
digest_done(struct digest *digest)
{
    EVP_MD_CTX_free(digest->ctx);
    digest->ctx = NULL;
}

/* On x86 xxh_x86dispatch.h puts the variant for this processor behind the name: the library itself
 * is built for any, and needs almost three times as long for a block. */
void
digest_xxh3(const void *bytes, size_t len, uint8_t ret_bytes[static XXH3_BYTES])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, len));
    memcpy(ret_bytes, canonical.digest, XXH3_BYTES);
}

static enum err_code
digest_once(enum digest_kind kind, const void *bytes, size_t len, uint8_t *ret_bytes,
            struct err *err)
{
    const EVP_MD *md = algorithm(kind);
    if (md == NULL || EVP_Digest(bytes, len, ret_bytes, NULL, md, NULL) != 1) {
        return unavailable(err, kind == DIGEST_MD5 ? "MD5" : "SHA-256");
    }
    return ERR_OK;
}

enum err_code
digest_md5(const void *bytes, size_t len, uint8_t ret_bytes[static MD5_BYTES], struct err *err)
{
    return digest_once(DIGEST_MD5, bytes, len, ret_bytes, err);
}

enum err_code
digest_sha256(const void *bytes, size_t len, uint8_t ret_bytes[static SHA256_BYTES],
              struct err *err)
{
    return digest_once(DIGEST_SHA256, bytes, len, ret_bytes, err);
}

enum err_code
hmac_init(struct hmac *hmac, const void *key, size_t key_len, struct err *err)
{
    (void)pthread_once(&once, fetch);
    char name[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    *hmac = (struct hmac){.ctx = hmac_algorithm == NULL ? NULL : EVP_MAC_CTX_new(hmac_algorithm)};
    if (hmac->ctx == NULL || EVP_MAC_init(hmac->ctx, key, key_len, params) != 1) {
        hmac_done(hmac);
        return unavailable(err, "HMAC-SHA-256");
    }
    return ERR_OK;
}

/* Initialising without a key keeps the one set before, and costs no key schedule. */
enum err_code
hmac_sign(struct hmac *hmac, const void *bytes, size_t len, uint8_t ret_bytes[static SHA256_BYTES],
          struct err *err)
{
    size_t out_len = 0;
    if (EVP_MAC_init(hmac->ctx, NULL, 0, NULL) != 1 || EVP_MAC_update(hmac->ctx, bytes, len) != 1 ||
        EVP_MAC_final(hmac->ctx, ret_bytes, &out_len, SHA256_BYTES) != 1 ||
        out_len != SHA256_BYTES) {
        return unavailable(err, "HMAC-SHA-256");
    }
    return ERR_OK;
}

void
hmac_done(struct hmac *hmac)
{
    EVP_MAC_CTX_free(hmac->ctx);
    *hmac = (struct hmac){0};
}

char *
hex_encode(const void *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[at[i] >> 4];
        out[2 * i + 1] = digits[at[i] & 15];
    }
    out[2 * len] = '\0';
    return out;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int
hex_decode(const char *hex, void *bytes, size_t len)
{
    unsigned char *out = bytes;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(hex[2 * i]);
        int low = high < 0 ? -1 : hex_digit(hex[2 * i + 1]);
        if (low < 0) {
            return -1;
        }
        out[i] = (unsigned char)(high << 4 | low);
    }
    return hex[2 * len] == '\0' ? 0 : -1;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="; /* the last: padding */

char *
base64_encode(const void *bytes, size_t len, char *out)
{
    const unsigned char *at = bytes;
    char *to = out;
    for (; len > 0; at += 3) {
        size_t have = MIN_OF(len, 3);
        uint32_t word = (uint32_t)at[0] << 16 | (have > 1 ? (uint32_t)at[1] << 8 : 0) |
                        (have > 2 ? (uint32_t)at[2] : 0);
        *to++ = base64_digits[word >> 18];
        *to++ = base64_digits[word >> 12 & 63];
        *to++ = base64_digits[have > 1 ? word >> 6 & 63 : 64];
        *to++ = base64_digits[have > 2 ? word & 63 : 64];
        len -= have;
    }
    *to = '\0';
    return out;
}

static int
base64_digit(char c)
{
    const char *at = memchr(base64_digits, c, 64);
    return at == NULL ? -1 : (int)(at - base64_digits);
}

long
base64_decode(const char *text, void *bytes, size_t room)
{
    unsigned char *out = bytes;
    size_t len = strlen(text);
    size_t done = 0;
    if (len % 4 != 0) {
        return -1;
    }
    for (size_t i = 0; i < len; i += 4) {
        bool is_last = i + 4 == len;
        unsigned pad =
            is_last ? (text[i + 3] == '=') + (text[i + 3] == '=' && text[i + 2] == '=') : 0;
        uint32_t word = 0;
        for (unsigned j = 0; j < 4; j++) {
            int digit = j >= 4 - pad ? 0 : base64_digit(text[i + j]);
            if (digit < 0) {
                return -1;
            }
            word = word << 6 | (uint32_t)digit;
        }
        for (unsigned j = 0; j < 3 - pad; j++) {
            if (done == room) {
                return -1;
            }
            out[done++] = (unsigned char)(word >> (16 - 8 * j));
        }
        /* Bits that belong to no byte must be zero: one value has one spelling. */
        if (pad > 0 && (word << (8 * (3 - pad)) & 0xffffffU) != 0) {
            return -1;
        }
    }
    return (long)done;
}

void
random_bytes(void *bytes, size_t len)
{
    unsigned char *at = bytes;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        ASSERT(got > 0 || errno == EINTR);
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}
