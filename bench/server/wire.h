/*
 * bench/server/wire.h - bytes of one connection, plain or under TLS, never blocking.
 *
 *   errors   a lost connection is WIRE_ENDED like a closed one: the server treats both alike
 *   source   OpenSSL 3.0 SSL_read, SSL_write with partial writes
 */
#ifndef BENCH_SERVER_WIRE_H
#define BENCH_SERVER_WIRE_H

#include "base/err.h"

#include <openssl/ssl.h>

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define WIRE_ENDED      0L
#define WIRE_WANTS_READ (-1L)
#define WIRE_WANTS_SEND (-2L)

struct wire {
    int fd;
    SSL *ssl; /* NULL: plain */
};

MUST_USE enum err_code wire_context(const char *cert_file, const char *key_file,
                                    SSL_CTX **ret_context, struct err *err);
bool wire_init(struct wire *wire, int fd, SSL_CTX *context);
void wire_done(struct wire *wire);
/* 1 when ready, else WIRE_. */
long wire_handshake(struct wire *wire);
long wire_receive(struct wire *wire, void *bytes, size_t room);
long wire_send(struct wire *wire, const void *bytes, size_t len);
/* Plain connections only. */
long wire_send_file(struct wire *wire, int fd, off_t offset, size_t len);
/* Are there bytes that poll() cannot see? */
bool wire_has_pending(const struct wire *wire);
/* Make the coming close() a reset. */
void wire_reset(struct wire *wire);

#endif
