#include "storage/http/wire_tls.h"

#include "base/arena.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#define READ_AHEAD_BYTES ((size_t)64 * 1024)

struct wire_tls {
    SSL_CTX *context;
    BIO_METHOD *socket; /* sends that raise no SIGPIPE */
};

struct wire_stream {
    SSL *ssl;
    int fd;
    bool has_more;
    struct wire_tls_peer *peer;
};

/* ---- authorities: half a megabyte of text, and the same for all lanes ---- */

static pthread_mutex_t store_lock = PTHREAD_MUTEX_INITIALIZER;
static X509_STORE *store;
static char *store_file; /* NULL: the system's alone */

static bool
is_same_file(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Called with the lock held. */
static enum err_code
read_store(const char *ca_file, struct err *err)
{
    X509_STORE *made = X509_STORE_new();
    ASSERT(made != NULL);
    if (ca_file != NULL && X509_STORE_load_file(made, ca_file) != 1) {
        X509_STORE_free(made);
        return err_set(err, ERR_CONFIG,
                       "the file of certificate authorities cannot be used; look at "
                       "SALLYPORT_CA_FILE");
    }
    (void)X509_STORE_set_default_paths(made);
    X509_STORE_free(store);
    mem_give(store_file);
    store = made;
    store_file = ca_file == NULL ? NULL : mem_text(ca_file);
    return ERR_OK;
}

static enum err_code
use_store(SSL_CTX *context, const char *ca_file, struct err *err)
{
    (void)pthread_mutex_lock(&store_lock);
    enum err_code code =
        store != NULL && is_same_file(store_file, ca_file) ? ERR_OK : read_store(ca_file, err);
    if (code == ERR_OK) {
        SSL_CTX_set1_cert_store(context, store);
    }
    (void)pthread_mutex_unlock(&store_lock);
    ERR_clear_error();
    return code;
}

/* ---- the socket below ---- */

static int
socket_write(BIO *bio, const char *bytes, int len)
{
    const struct wire_stream *stream = BIO_get_data(bio);
    int flags = MSG_NOSIGNAL | (stream->has_more ? MSG_MORE : 0);
    ssize_t sent = send(stream->fd, bytes, (size_t)len, flags);
    BIO_clear_retry_flags(bio);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
        BIO_set_retry_write(bio);
    }
    return (int)sent;
}

static int
socket_read(BIO *bio, char *buf, int len)
{
    const struct wire_stream *stream = BIO_get_data(bio);
    ssize_t got = recv(stream->fd, buf, (size_t)len, 0);
    BIO_clear_retry_flags(bio);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        BIO_set_retry_read(bio);
    }
    if (got == 0) {
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    }
    return (int)got;
}

static long
socket_control(BIO *bio, int what, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    if (what == BIO_CTRL_EOF) {
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    }
    return what == BIO_CTRL_FLUSH;
}

/* ---- settings ---- */

/* The newest session is kept; OpenSSL's reference becomes the peer's. */
static int
on_session(SSL *ssl, SSL_SESSION *session)
{
    struct wire_stream *stream = SSL_get_app_data(ssl);
    SSL_SESSION_free(stream->peer->session);
    stream->peer->session = session;
    return 1;
}

enum err_code
wire_tls_new(const char *ca_file, struct wire_tls **ret_tls, struct err *err)
{
    static const unsigned char protocols[] = "\x08http/1.1";
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    ASSERT(context != NULL);
    enum err_code code = use_store(context, ca_file, err);
    if (code != ERR_OK) {
        SSL_CTX_free(context);
        return code;
    }
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD_BYTES);
    (void)SSL_CTX_set_alpn_protos(context, protocols, sizeof protocols - 1);
    (void)SSL_CTX_set_session_cache_mode(context,
                                         SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_session);
    struct wire_tls *tls = mem_take(sizeof *tls);
    tls->context = context;
    tls->socket = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sallyport");
    ASSERT(tls->socket != NULL);
    (void)BIO_meth_set_write(tls->socket, socket_write);
    (void)BIO_meth_set_read(tls->socket, socket_read);
    (void)BIO_meth_set_ctrl(tls->socket, socket_control);
    *ret_tls = tls;
    return ERR_OK;
}

struct wire_tls *
wire_tls_free(struct wire_tls *tls)
{
    if (tls != NULL) {
        SSL_CTX_free(tls->context);
        BIO_meth_free(tls->socket);
    }
    return mem_give(tls);
}

void
wire_tls_peer_done(struct wire_tls_peer *peer)
{
    SSL_SESSION_free(peer->session);
    peer->session = NULL;
}

/* ---- streams ---- */

enum err_code
wire_stream_new(struct wire_tls *tls, struct wire_tls_peer *peer, int fd,
                struct wire_stream **ret_stream, struct err *err)
{
    SSL *ssl = SSL_new(tls->context);
    BIO *bio = BIO_new(tls->socket);
    ASSERT(ssl != NULL);
    ASSERT(bio != NULL);
    struct wire_stream *stream = mem_take(sizeof *stream);
    *stream = (struct wire_stream){.ssl = ssl, .fd = fd, .peer = peer};
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    (void)SSL_set_app_data(ssl, stream);
    X509_VERIFY_PARAM *wanted = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    bool is_set = peer->is_numeric ? X509_VERIFY_PARAM_set1_ip_asc(wanted, peer->host) == 1
                                   : SSL_set1_host(ssl, peer->host) == 1 &&
                                         SSL_set_tlsext_host_name(ssl, peer->host) == 1;
    if (!is_set) {
        wire_stream_free(stream);
        return err_set(err, ERR_NETWORK, "the TLS handshake failed: no certificate can be for '%s'",
                       peer->host);
    }
    if (peer->session != NULL) {
        (void)SSL_set_session(ssl, peer->session);
    }
    SSL_set_connect_state(ssl);
    *ret_stream = stream;
    return ERR_OK;
}

struct wire_stream *
wire_stream_free(struct wire_stream *stream)
{
    if (stream != NULL) {
        /* Else OpenSSL forgets the session, because nobody said goodbye. */
        SSL_set_shutdown(stream->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(stream->ssl);
    }
    return mem_give(stream);
}

static enum wire_io
came_to(struct wire_stream *stream, int result)
{
    switch (SSL_get_error(stream->ssl, result)) {
    case SSL_ERROR_NONE: return WIRE_MOVED;
    case SSL_ERROR_WANT_READ: return WIRE_WANTS_READ;
    case SSL_ERROR_WANT_WRITE: return WIRE_WANTS_WRITE;
    case SSL_ERROR_ZERO_RETURN: return WIRE_CLOSED;
    default: return WIRE_FAILED;
    }
}

static void
explain(const struct wire_stream *stream, struct err *err)
{
    long verdict = SSL_get_verify_result(stream->ssl);
    unsigned long last = ERR_peek_last_error();
    const char *reason = last == 0 ? NULL : ERR_reason_error_string(last);
    if (verdict != X509_V_OK) {
        (void)err_set(err, ERR_CONFIG,
                      "the server's certificate is not trusted; name its authority in "
                      "SALLYPORT_CA_FILE: %s",
                      X509_verify_cert_error_string(verdict));
        return;
    }
    (void)err_set(err, ERR_NETWORK, "the TLS handshake failed: %s",
                  reason == NULL ? "the connection was lost" : reason);
}

enum wire_io
wire_stream_shake(struct wire_stream *stream, struct err *err)
{
    ERR_clear_error();
    enum wire_io came = came_to(stream, SSL_do_handshake(stream->ssl));
    if (came == WIRE_FAILED || came == WIRE_CLOSED) {
        explain(stream, err);
        came = WIRE_FAILED;
    }
    return came;
}

enum wire_io
wire_stream_read(struct wire_stream *stream, void *buf, size_t len, size_t *ret_len)
{
    ERR_clear_error();
    *ret_len = 0;
    return came_to(stream, SSL_read_ex(stream->ssl, buf, len, ret_len));
}

enum wire_io
wire_stream_write(struct wire_stream *stream, const void *bytes, size_t len, bool more,
                  size_t *ret_len)
{
    ERR_clear_error();
    *ret_len = 0;
    stream->has_more = more;
    return came_to(stream, SSL_write_ex(stream->ssl, bytes, len, ret_len));
}
