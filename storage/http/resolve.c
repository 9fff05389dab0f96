#include "storage/http/resolve.h"

#include "base/arena.h"
#include "base/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#define THREAD_STACK_BYTES ((size_t)256 * 1024)

struct resolve {
    atomic_uint owners; /* who started it, and the thread */
    char *host;
    char service[8];
    int fd;
    int failed; /* of getaddrinfo(); written before the eventfd, read after it */
    struct resolve_list list;
};

static void
add_of_family(const struct addrinfo *found, int family, unsigned index, struct resolve_list *list)
{
    for (; found != NULL; found = found->ai_next) {
        if (found->ai_family == family && index-- == 0) {
            struct resolve_address *row = &list->rows[list->count++];
            memcpy(&row->at, found->ai_addr, found->ai_addrlen);
            row->len = found->ai_addrlen;
            return;
        }
    }
}

/* The system's order within each family; whose address is first begins. */
static void
list_addresses(const struct addrinfo *found, struct resolve_list *list)
{
    int first = found != NULL && found->ai_family == AF_INET ? AF_INET : AF_INET6;
    int second = first == AF_INET ? AF_INET6 : AF_INET;
    list->count = 0;
    for (unsigned i = 0; i < RESOLVE_ADDRESSES_MAX / 2; i++) {
        add_of_family(found, first, i, list);
        add_of_family(found, second, i, list);
    }
}

static int
look_up(const char *host, const char *service, int flags, struct resolve_list *list)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags};
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(host, service, &hints, &found);
    if (failed != 0) {
        return failed;
    }
    list_addresses(found, list);
    freeaddrinfo(found);
    return list->count == 0 ? EAI_NONAME : 0;
}

bool
resolve_numeric(const char *host, unsigned port, struct resolve_list *ret_list)
{
    char service[8];
    unsigned char bytes[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, host, bytes) != 1 && inet_pton(AF_INET6, host, bytes) != 1) {
        return false;
    }
    (void)snprintf(service, sizeof service, "%u", port);
    return look_up(host, service, AI_NUMERICHOST, ret_list) == 0;
}

struct resolve *
resolve_drop(struct resolve *resolve)
{
    if (resolve != NULL && atomic_fetch_sub(&resolve->owners, 1) == 1) {
        fd_close(&resolve->fd);
        mem_give(resolve->host);
        mem_give(resolve);
    }
    return NULL;
}

static void *
run_lookup(void *user)
{
    struct resolve *resolve = user;
    const uint64_t one = 1;
    resolve->failed = look_up(resolve->host, resolve->service, 0, &resolve->list);
    ssize_t wrote = write(resolve->fd, &one, sizeof one);
    ASSERT(wrote == (ssize_t)sizeof one);
    resolve_drop(resolve);
    return NULL;
}

/* Signals are for the threads that know what to do with them. */
static int
start_thread(struct resolve *resolve)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, &attributes, run_lookup, resolve);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return failed;
}

enum err_code
resolve_start(const char *host, unsigned port, struct resolve **ret_resolve, struct err *err)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        return err_set_sys(err, ERR_NETWORK, errno, "the host name could not be resolved");
    }
    struct resolve *resolve = mem_take(sizeof *resolve);
    atomic_init(&resolve->owners, 2);
    resolve->host = mem_text(host);
    (void)snprintf(resolve->service, sizeof resolve->service, "%u", port);
    resolve->fd = fd;
    int failed = start_thread(resolve);
    if (failed != 0) {
        atomic_store(&resolve->owners, 1);
        resolve_drop(resolve);
        return err_set_sys(err, ERR_NETWORK, failed, "the host name could not be resolved");
    }
    *ret_resolve = resolve;
    return ERR_OK;
}

int
resolve_fd(const struct resolve *resolve)
{
    return resolve->fd;
}

enum err_code
resolve_take(struct resolve *resolve, struct resolve_list *ret_list, struct err *err)
{
    uint64_t count = 0;
    ssize_t got = read(resolve->fd, &count, sizeof count);
    ASSERT(got == (ssize_t)sizeof count);
    if (resolve->failed != 0) {
        return err_set(err, ERR_NETWORK, "the host name could not be resolved: '%s': %s",
                       resolve->host, gai_strerror(resolve->failed));
    }
    *ret_list = resolve->list;
    return ERR_OK;
}
