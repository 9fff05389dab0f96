/*
 * storage/http/wire_tls.h - TLS of the wire transport, by OpenSSL, on sockets that do not block.
 *
 * The hardest thing: a byte that OpenSSL holds already wakes nobody, so whoever reads goes on until
 * WIRE_WANTS_READ, or comes back by himself.
 *
 *   shape    TLS 1.2 and 1.3; the certificate must be for the host's name or address, and of an
 *            authority of the system or of ca_file
 *   owner    streams are the caller's, and end before the settings; the socket stays the caller's
 *   thread   one; authorities are read once for the whole process
 *   errors   ERR_CONFIG: the certificate is not trusted, or ca_file cannot be used; ERR_NETWORK
 *   source   SSL_set1_host(3), SSL_CTX_sess_set_new_cb(3), SSL_read(3)
 */
#ifndef STORAGE_HTTP_WIRE_TLS_H
#define STORAGE_HTTP_WIRE_TLS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* What came of trying to move bytes. */
enum wire_io { WIRE_MOVED, WIRE_WANTS_READ, WIRE_WANTS_WRITE, WIRE_CLOSED, WIRE_FAILED };

struct wire_tls;
MUST_USE enum err_code wire_tls_new(const char *ca_file, struct wire_tls **ret_tls,
                                    struct err *err);
struct wire_tls *wire_tls_free(struct wire_tls *tls);

struct ssl_session_st;
/* Whom connections are made to; outlives its streams. */
struct wire_tls_peer {
    const char *host; /* without brackets */
    bool is_numeric;
    struct ssl_session_st *session; /* of the connection before, which makes the next one cheaper */
};
void wire_tls_peer_done(struct wire_tls_peer *peer);

struct wire_stream;
MUST_USE enum err_code wire_stream_new(struct wire_tls *tls, struct wire_tls_peer *peer, int fd,
                                       struct wire_stream **ret_stream, struct err *err);
struct wire_stream *wire_stream_free(struct wire_stream *stream); /* takes NULL */
/* WIRE_MOVED: done; WIRE_FAILED: *err says why. */
MUST_USE enum wire_io wire_stream_shake(struct wire_stream *stream, struct err *err);
MUST_USE enum wire_io wire_stream_read(struct wire_stream *stream, void *buf, size_t len,
                                       size_t *ret_len);
/* more: further bytes follow at once. What was not written must be offered again. */
MUST_USE enum wire_io wire_stream_write(struct wire_stream *stream, const void *bytes, size_t len,
                                        bool more, size_t *ret_len);

#endif
