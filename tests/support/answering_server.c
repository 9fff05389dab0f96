#include "tests/support/answering_server.h"

#include "base/fd.h"
#include "tests/support/check.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>

static size_t
whole_request(const char *bytes, size_t len)
{
    const char *end = memmem(bytes, len, "\r\n\r\n", 4);
    if (end == NULL) {
        return 0;
    }
    size_t head = (size_t)(end - bytes) + 4;
    const char *length = strcasestr(bytes, "Content-Length: ");
    size_t body = 0;
    for (const char *at = length == NULL ? "" : length + 16; *at >= '0' && *at <= '9'; at++) {
        body = body * 10 + (size_t)(*at - '0');
    }
    return len >= head + body ? head + body : 0;
}

/* Said already, and no more is wanted: what comes is thrown away until the client has had enough.
 */
static void
turn_away(int fd)
{
    char bytes[ANSWERING_SEEN_BYTES];
    (void)shutdown(fd, SHUT_WR);
    while (read(fd, bytes, sizeof bytes) > 0) {
    }
}

/* One answer to each whole request, until the client or the test has had enough. */
static void
serve(struct answering_server *server, int fd)
{
    char bytes[ANSWERING_SEEN_BYTES];
    size_t len = 0;
    ssize_t got = 0;
    unsigned answered = 0;
    while ((got = read(fd, bytes + len, sizeof bytes - 1 - len)) > 0) {
        len += (size_t)got;
        atomic_store(&server->interrupt, SIGTERM);
        bytes[len] = '\0';
        bool is_early = server->is_hasty && strstr(bytes, "\r\n\r\n") != NULL;
        if (server->is_silent || (whole_request(bytes, len) == 0 && !is_early)) {
            continue;
        }
        answered++;
        if (server->is_fickle && answered > 1) {
            return;
        }
        (void)pthread_mutex_lock(&server->lock);
        memcpy(server->seen, bytes, len + 1);
        (void)pthread_mutex_unlock(&server->lock);
        atomic_fetch_add(&server->requests, 1);
        for (size_t sent = 0; sent < server->answer_len;) {
            ssize_t wrote =
                send(fd, server->answer + sent, server->answer_len - sent, MSG_NOSIGNAL);
            if (wrote <= 0) {
                return;
            }
            sent += (size_t)wrote;
        }
        if (is_early) {
            turn_away(fd);
            return;
        }
        if (server->closes) {
            return;
        }
        len = 0;
    }
}

static void *
run_server(void *user)
{
    struct answering_server *server = user;
    while (true) {
        AUTO_FD fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            return NULL;
        }
        atomic_fetch_add(&server->accepted, 1);
        serve(server, fd);
    }
}

void
answering_server_start(struct answering_server *server, const char *answer, size_t len, bool closes)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t address_len = sizeof address;
    server->answer = answer;
    server->answer_len = len;
    server->closes = closes;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_I64(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_I64(listen(server->listener, 4), 0);
    CHECK_I64(getsockname(server->listener, (struct sockaddr *)&address, &address_len), 0);
    server->port = ntohs(address.sin_port);
    CHECK_I64(pthread_create(&server->thread, NULL, run_server, server), 0);
}

void
answering_server_init(struct answering_server *server)
{
    memset(server, 0, sizeof *server);
    (void)pthread_mutex_init(&server->lock, NULL);
    server->listener = -1;
}

void
answering_server_stop(struct answering_server *server)
{
    if (server->listener >= 0) {
        (void)shutdown(server->listener, SHUT_RDWR);
        (void)pthread_join(server->thread, NULL);
        (void)close(server->listener);
    }
}
