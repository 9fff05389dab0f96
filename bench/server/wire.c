#include "bench/server/wire.h"

#include <openssl/err.h>

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

static enum err_code
tls_failed(struct err *err, const char *what)
{
    char words[160];
    ERR_error_string_n(ERR_get_error(), words, sizeof words);
    return err_set(err, ERR_CONFIG, "cannot use %s: %s", what, words);
}

enum err_code
wire_context(const char *cert_file, const char *key_file, SSL_CTX **ret_context, struct err *err)
{
    enum err_code code = ERR_OK;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL) {
        return tls_failed(err, "TLS");
    }
    (void)SSL_CTX_set_mode(context,
                           SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_read_ahead(context, 1);
    if (SSL_CTX_use_certificate_chain_file(context, cert_file) != 1) {
        code = tls_failed(err, cert_file);
    } else if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1) {
        code = tls_failed(err, key_file);
    } else {
        *ret_context = context;
        context = NULL;
    }
    SSL_CTX_free(context);
    return code;
}

bool
wire_init(struct wire *wire, int fd, SSL_CTX *context)
{
    const int one = 1;
    *wire = (struct wire){.fd = fd};
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (context != NULL) {
        wire->ssl = SSL_new(context);
        return wire->ssl != NULL && SSL_set_fd(wire->ssl, fd) == 1;
    }
    return true;
}

void
wire_done(struct wire *wire)
{
    SSL_free(wire->ssl);
    (void)close(wire->fd);
}

static long
tls_result(const struct wire *wire, int result)
{
    if (result > 0) {
        return result;
    }
    int why = SSL_get_error(wire->ssl, result);
    ERR_clear_error();
    return why == SSL_ERROR_WANT_READ    ? WIRE_WANTS_READ
           : why == SSL_ERROR_WANT_WRITE ? WIRE_WANTS_SEND
                                         : WIRE_ENDED;
}

long
wire_handshake(struct wire *wire)
{
    return wire->ssl == NULL ? 1 : tls_result(wire, SSL_accept(wire->ssl));
}

static long
plain_result(ssize_t result, long wants)
{
    if (result > 0) {
        return (long)result;
    }
    bool is_later = result < 0 && (errno == EAGAIN || errno == EINTR);
    return is_later ? wants : WIRE_ENDED;
}

long
wire_receive(struct wire *wire, void *bytes, size_t room)
{
    if (wire->ssl != NULL) {
        return tls_result(wire, SSL_read(wire->ssl, bytes, (int)MIN_OF(room, (size_t)INT_MAX)));
    }
    return plain_result(recv(wire->fd, bytes, room, 0), WIRE_WANTS_READ);
}

long
wire_send(struct wire *wire, const void *bytes, size_t len)
{
    if (wire->ssl != NULL) {
        return tls_result(wire, SSL_write(wire->ssl, bytes, (int)MIN_OF(len, (size_t)INT_MAX)));
    }
    return plain_result(send(wire->fd, bytes, len, MSG_NOSIGNAL), WIRE_WANTS_SEND);
}

long
wire_send_file(struct wire *wire, int fd, off_t offset, size_t len)
{
    return plain_result(sendfile(wire->fd, fd, &offset, len), WIRE_WANTS_SEND);
}

bool
wire_has_pending(const struct wire *wire)
{
    return wire->ssl != NULL && SSL_has_pending(wire->ssl) == 1;
}

void
wire_reset(struct wire *wire)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(wire->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}
