/*
 * bench/server/server.h - the project's own HTTP server that speaks the Azure Blob verbs the
 * product uses: a sink that takes uploads, a source that serves downloads, and a peer that
 * misbehaves on request.
 *
 * The hardest thing about it is to be cheap: a sender on the same machine shares its cores with it.
 * So small answers are sent with one system call, bodies are summed while they are warm, and in
 * STORE_DISCARD nothing of them stays.
 *
 *   shape    path-style addresses: http://HOST:PORT/ACCOUNT/CONTAINER/BLOB; block blobs only
 *   owner    options are borrowed for server_start() alone, but root lives as long as the server
 *   thread   start, report, renew and stop: one thread; connections have threads of their own
 *   source   Blob service REST API, version 2021-12-02
 */
#ifndef BENCH_SERVER_SERVER_H
#define BENCH_SERVER_SERVER_H

#include "base/err.h"
#include "base/text.h"
#include "bench/server/store.h"

#define SERVER_THREADS_MAX 64U

struct server_options {
    const char *host; /* an IPv4 address; NULL: 127.0.0.1 */
    unsigned port;    /* 0: any */
    unsigned threads;
    enum store_mode mode;
    const char *root;      /* serve DIR/CONTAINER/NAME files instead; NULL: do not */
    const char *cert_file; /* PEM; NULL: plain HTTP */
    const char *key_file;
    const char *account_key; /* Base64; NULL: signatures are not checked */
    const char *token;       /* of "Authorization: Bearer"; NULL: none is valid */
    const char *sas;         /* the sig of a SAS, decoded; NULL: none is valid */
    const char *const *faults;
    unsigned fault_count;
};

struct server;

MUST_USE enum err_code server_start(const struct server_options *options,
                                    struct server **ret_server, struct err *err);
unsigned server_port(const struct server *server);
/* One JSON line of counters. */
void server_report(struct server *server, struct text *out);
/* Credentials that a fault declared expired are good again. */
void server_renew(struct server *server);
struct server *server_stop(struct server *server); /* takes NULL */

/*
 * A whole server process: says "listening on PORT" on out_fd, writes the counters there on SIGUSR1,
 * renews on SIGUSR2 and says "renewed", ends on SIGTERM and SIGINT and with its parent. Blocks.
 */
MUST_USE enum err_code server_run(const struct server_options *options, int out_fd,
                                  struct err *err);

#endif
