/*
 * base/sign.h - Ed25519: keys in files, signatures, and checking them.
 *
 *   shape    signatures have SIGN_BYTES bytes; a public key's DER (SPKI) has SIGN_DER_BYTES
 *   owner    struct sign_key owns OpenSSL's key; sign_key_free() takes NULL
 *   thread   a key may be used by one thread at a time
 *   durable  new key files are synced before they get their names
 *   errors   ERR_CONFIG: a file that cannot be read, or holds no Ed25519 key
 *   source   RFC 8032; PKCS#8 and SPKI PEM, as `openssl pkey` reads and writes them
 */
#ifndef BASE_SIGN_H
#define BASE_SIGN_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGN_BYTES     64
#define SIGN_DER_BYTES 44

struct sign_key;

/* The key of a site: FOLDER/site.key (0600) and FOLDER/site.pub, made together on first use. Two
 * processes that make them at once end with the same key. */
MUST_USE enum err_code sign_open_site(const char *folder, struct sign_key **ret_key,
                                      struct err *err);
MUST_USE enum err_code sign_load_public(const char *path, struct sign_key **ret_key,
                                        struct err *err);
struct sign_key *sign_key_free(struct sign_key *key);

MUST_USE enum err_code sign_bytes(const struct sign_key *key, const void *bytes, size_t len,
                                  uint8_t ret_signature[static SIGN_BYTES], struct err *err);
bool sign_is_valid(const struct sign_key *key, const void *bytes, size_t len,
                   const uint8_t signature[static SIGN_BYTES]);
void sign_public_der(const struct sign_key *key, uint8_t ret_der[static SIGN_DER_BYTES]);

#endif
