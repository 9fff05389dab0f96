#include "bench/server/server.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "bench/server/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_MAX 128

struct lane {
    struct worker worker;
    struct mailbox box; /* connections it is given */
    struct server *server;
    pthread_t thread;
    bool is_running;
};

struct server {
    struct site site;
    SSL_CTX *tls;
    int listen_fd;
    unsigned port;
    atomic_bool is_stopping;
    struct lane *lanes;
    unsigned lane_count;
    unsigned next_lane; /* of lane 0, which accepts */
};

static void
accept_all(struct server *server)
{
    for (;;) {
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        struct lane *lane = &server->lanes[server->next_lane];
        server->next_lane = (server->next_lane + 1) % server->lane_count;
        struct conn *conn = conn_new(fd);
        mailbox_post(&lane->box, &conn->mail);
    }
}

static void
take_mail(struct lane *lane)
{
    struct mail *mail = mailbox_take(&lane->box);
    while (mail != NULL) {
        struct mail *next = mail->next;
        conn_begin(CONTAINER_OF(mail, struct conn, mail), &lane->worker);
        mail = next;
    }
}

/* End what is due; how long the others may be waited for. */
static int
tend_timers(struct worker *worker)
{
    int64_t next_ns = INT64_MAX;
    int64_t now_ns = 0;
    for (struct list *at = worker->conns.next; at != &worker->conns;) {
        struct conn *conn = CONTAINER_OF(at, struct conn, link);
        at = at->next;
        if (conn->deadline_ns == 0) {
            continue;
        }
        now_ns = now_ns == 0 ? clock_mono_ns(&clock_system) : now_ns;
        if (conn->deadline_ns <= now_ns) {
            conn_free(conn);
        } else {
            next_ns = MIN_OF(next_ns, conn->deadline_ns - now_ns);
        }
    }
    return next_ns == INT64_MAX ? -1 : (int)(next_ns / NS_PER_MS) + 1;
}

static void *
lane_main(void *user)
{
    struct lane *lane = user;
    struct server *server = lane->server;
    struct epoll_event events[EVENTS_MAX];
    while (!atomic_load(&server->is_stopping)) {
        int timeout_ms = server->site.faults.count > 0 ? tend_timers(&lane->worker) : -1;
        timeout_ms = mailbox_arm(&lane->box) ? timeout_ms : 0;
        int count = epoll_wait(lane->worker.epoll_fd, events, EVENTS_MAX, timeout_ms);
        mailbox_disarm(&lane->box);
        for (int i = 0; i < count; i++) {
            void *who = events[i].data.ptr;
            if (who == server) {
                accept_all(server);
            } else if (who != lane) {
                conn_turn(who);
            }
        }
        take_mail(lane);
    }
    return NULL;
}

static enum err_code
watch(struct lane *lane, int fd, void *who, struct err *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = who};
    if (epoll_ctl(lane->worker.epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        return err_set_sys(err, ERR_SYSTEM, errno, "could not watch a descriptor");
    }
    return ERR_OK;
}

static enum err_code
lane_init(struct server *server, struct lane *lane, struct err *err)
{
    struct worker *worker = &lane->worker;
    lane->server = server;
    worker->site = &server->site;
    worker->tls = server->tls;
    list_init(&worker->conns);
    worker->room = mem_take(WORKER_ROOM_BYTES);
    worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (worker->epoll_fd < 0) {
        return err_set_sys(err, ERR_SYSTEM, errno, "could not make an epoll instance");
    }
    enum err_code code = mailbox_init(&lane->box, err);
    code = code == ERR_OK ? watch(lane, mailbox_fd(&lane->box), lane, err) : code;
    if (code == ERR_OK && server->site.key.len > 0) {
        code = hmac_init(&worker->hmac, server->site.key.bytes, server->site.key.len, err);
        worker->has_hmac = code == ERR_OK;
    }
    return code;
}

static void
lane_done(struct lane *lane)
{
    struct worker *worker = &lane->worker;
    if (worker->site == NULL) {
        return;
    }
    for (struct mail *mail = mailbox_take(&lane->box); mail != NULL;) {
        struct conn *conn = CONTAINER_OF(mail, struct conn, mail);
        mail = mail->next;
        conn_free(conn);
    }
    while (!list_is_empty(&worker->conns)) {
        conn_free(CONTAINER_OF(worker->conns.next, struct conn, link));
    }
    if (worker->has_hmac) {
        hmac_done(&worker->hmac);
    }
    mailbox_done(&lane->box);
    fd_close(&worker->epoll_fd);
    mem_give(worker->room);
}

static enum err_code
begin_listening(struct server *server, const struct server_options *options, struct err *err)
{
    const int one = 1;
    const char *host = options->host == NULL ? "127.0.0.1" : options->host;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)options->port)};
    socklen_t len = sizeof address;
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        return err_set(err, ERR_USAGE, "'%s' is not an IPv4 address", host);
    }
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->listen_fd < 0) {
        return err_set_sys(err, ERR_SYSTEM, errno, "could not make a socket");
    }
    (void)setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(server->listen_fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(server->listen_fd, 4096) != 0 ||
        getsockname(server->listen_fd, (struct sockaddr *)&address, &len) != 0) {
        return err_set_sys(err, ERR_SYSTEM, errno, "could not listen on %s:%u", host,
                           options->port);
    }
    server->port = ntohs(address.sin_port);
    return watch(&server->lanes[0], server->listen_fd, server, err);
}

static enum err_code
set_secrets(struct site *site, const struct server_options *options, struct err *err)
{
    enum err_code code = ERR_OK;
    if (options->account_key != NULL) {
        uint8_t key[256];
        long len = base64_decode(options->account_key, key, sizeof key);
        if (len <= 0) {
            return err_set(err, ERR_CONFIG, "the account key is not Base64 of 1 to 256 bytes");
        }
        code = secret_set(&site->key, key, (size_t)len, err);
        secret_wipe(key, sizeof key);
    }
    if (code == ERR_OK && options->token != NULL) {
        code = secret_set(&site->token, options->token, strlen(options->token), err);
    }
    if (code == ERR_OK && options->sas != NULL) {
        code = secret_set(&site->sas, options->sas, strlen(options->sas), err);
    }
    return code;
}

static enum err_code
set_up(struct server *server, const struct server_options *options, struct err *err)
{
    struct site *site = &server->site;
    enum err_code code = set_secrets(site, options, err);
    for (unsigned i = 0; i < options->fault_count && code == ERR_OK; i++) {
        code = faults_add(&site->faults, options->faults[i], err);
    }
    if (code == ERR_OK && options->root != NULL) {
        site->root = options->root;
        site->root_fd = open(options->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (site->root_fd < 0) {
            code = err_set_sys(err, ERR_CONFIG, errno, "cannot open '%s'", options->root);
        }
    }
    if (code == ERR_OK && options->cert_file != NULL) {
        code = wire_context(options->cert_file,
                            options->key_file == NULL ? options->cert_file : options->key_file,
                            &server->tls, err);
    }
    for (unsigned i = 0; i < server->lane_count && code == ERR_OK; i++) {
        code = lane_init(server, &server->lanes[i], err);
    }
    return code == ERR_OK ? begin_listening(server, options, err) : code;
}

enum err_code
server_start(const struct server_options *options, struct server **ret_server, struct err *err)
{
    struct server *server = mem_take(sizeof *server);
    server->listen_fd = -1;
    server->site.root_fd = -1;
    server->lane_count = MAX_OF(1U, MIN_OF(options->threads, SERVER_THREADS_MAX));
    server->lanes = mem_take(server->lane_count * sizeof *server->lanes);
    store_init(&server->site.store, options->mode);
    enum err_code code = set_up(server, options, err);
    for (unsigned i = 0; i < server->lane_count && code == ERR_OK; i++) {
        struct lane *lane = &server->lanes[i];
        int failed = pthread_create(&lane->thread, NULL, lane_main, lane);
        lane->is_running = failed == 0;
        if (failed != 0) {
            code = err_set_sys(err, ERR_SYSTEM, failed, "could not start a thread");
        }
    }
    if (code != ERR_OK) {
        (void)server_stop(server);
        return code;
    }
    *ret_server = server;
    return ERR_OK;
}

struct server *
server_stop(struct server *server)
{
    if (server == NULL) {
        return NULL;
    }
    atomic_store(&server->is_stopping, true);
    for (unsigned i = 0; i < server->lane_count; i++) {
        if (server->lanes[i].is_running) {
            mailbox_wake(&server->lanes[i].box);
            (void)pthread_join(server->lanes[i].thread, NULL);
        }
    }
    for (unsigned i = 0; i < server->lane_count; i++) {
        lane_done(&server->lanes[i]);
    }
    fd_close(&server->listen_fd);
    fd_close(&server->site.root_fd);
    secret_done(&server->site.key);
    secret_done(&server->site.token);
    secret_done(&server->site.sas);
    SSL_CTX_free(server->tls);
    store_done(&server->site.store);
    mem_give(server->lanes);
    mem_give(server);
    return NULL;
}

unsigned
server_port(const struct server *server)
{
    return server->port;
}

void
server_renew(struct server *server)
{
    faults_renew(&server->site.faults);
}

void
server_report(struct server *server, struct text *out)
{
    struct json json;
    int64_t first_ns = INT64_MAX;
    int64_t last_ns = 0;
#define COUNTER_AS_SUM(name)  uint64_t name = 0;
#define COUNTER_AS_ADD(name)  name += atomic_load(&counters->name);
#define COUNTER_AS_JSON(name) json_key_u64(&json, #name, name);
    COUNTER_MAP(COUNTER_AS_SUM)
    uint64_t verbs[VERB_COUNT] = {0};
    for (unsigned i = 0; i < server->lane_count; i++) {
        const struct counters *counters = &server->lanes[i].worker.counters;
        COUNTER_MAP(COUNTER_AS_ADD)
        for (unsigned verb = 0; verb < VERB_COUNT; verb++) {
            verbs[verb] += atomic_load(&counters->verbs[verb]);
        }
        int64_t lane_first_ns = atomic_load(&counters->first_ns);
        first_ns = lane_first_ns != 0 ? MIN_OF(first_ns, lane_first_ns) : first_ns;
        last_ns = MAX_OF(last_ns, atomic_load(&counters->last_ns));
    }
    json_init(&json, out);
    json_object_begin(&json);
    COUNTER_MAP(COUNTER_AS_JSON)
    json_key(&json, "verbs");
    json_object_begin(&json);
    for (unsigned verb = 0; verb < VERB_COUNT; verb++) {
        json_key_u64(&json, verb_words[verb], verbs[verb]);
    }
    json_object_end(&json);
    json_key(&json, "faults");
    json_object_begin(&json);
    for (unsigned kind = 0; kind < FAULT_COUNT; kind++) {
        uint64_t count = faults_count(&server->site.faults, (enum fault_kind)kind);
        if (count > 0) {
            json_key_u64(&json, fault_words[kind], count);
        }
    }
    json_object_end(&json);
    json_key_i64(&json, "first_ns", first_ns == INT64_MAX ? 0 : first_ns);
    json_key_i64(&json, "last_ns", last_ns);
    json_key_double(&json, "active_seconds",
                    last_ns > first_ns ? (double)(last_ns - first_ns) / 1e9 : 0);
    json_key_double(&json, "cpu_seconds", (double)clock_process_cpu_ns() / 1e9);
    json_object_end(&json);
    text_add_char(out, '\n');
}
