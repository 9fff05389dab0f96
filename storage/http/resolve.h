/*
 * storage/http/resolve.h - addresses of a host, looked up on a thread of its own.
 *
 * The hardest thing: a name server that does not answer cannot be told to stop, so the thread
 * outlives whoever gave up on it. The lookup belongs to both, and to whoever ends last.
 *
 *   shape    at most RESOLVE_ADDRESSES_MAX, IPv6 and IPv4 in turn
 *   owner    resolve_start() gives a lookup to the caller, who gives it back with resolve_drop() at
 *            any time
 *   thread   one, but for the thread that the lookup starts
 *   errors   ERR_NETWORK: the host has no address, or no thread could be started
 *   source   RFC 8305, 4: families in turn
 */
#ifndef STORAGE_HTTP_RESOLVE_H
#define STORAGE_HTTP_RESOLVE_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/socket.h>

#define RESOLVE_ADDRESSES_MAX 8U

struct resolve_address {
    struct sockaddr_storage at;
    socklen_t len;
};
struct resolve_list {
    struct resolve_address rows[RESOLVE_ADDRESSES_MAX];
    unsigned count;
};

struct resolve;
/* An address written in numbers needs no lookup; host is without brackets. */
bool resolve_numeric(const char *host, unsigned port, struct resolve_list *ret_list);
MUST_USE enum err_code resolve_start(const char *host, unsigned port, struct resolve **ret_resolve,
                                     struct err *err);
/* Readable when there is a result. */
int resolve_fd(const struct resolve *resolve);
MUST_USE enum err_code resolve_take(struct resolve *resolve, struct resolve_list *ret_list,
                                    struct err *err);
struct resolve *resolve_drop(struct resolve *resolve); /* takes NULL; returns NULL */

#endif
