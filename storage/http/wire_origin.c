#include "base/arena.h"
#include "storage/http/url.h"
#include "storage/http/wire.h"

#include <string.h>
#include <sys/epoll.h>

#define FRESH_NS (60 * NS_PER_S) /* how long addresses are good for new connections */

static struct wire_origin *
find(const struct wire_transport *t, const char *key, size_t len)
{
    for (struct list *at = t->origins.next; at != &t->origins; at = at->next) {
        struct wire_origin *origin = CONTAINER_OF(at, struct wire_origin, link);
        if (origin->key.len == len && memcmp(origin->key.bytes, key, len) == 0) {
            return origin;
        }
    }
    return NULL;
}

static struct wire_origin *
add(struct wire_transport *t, const struct url *url, const char *key, size_t key_len)
{
    struct wire_origin *origin = mem_take(sizeof *origin);
    size_t len = strlen(url->host);
    bool is_v6 = url->host[0] == '[';
    origin->source = WIRE_SOURCE_ORIGIN;
    text_add(&origin->key, key, key_len);
    origin->host = mem_text(url->host + (is_v6 ? 1 : 0));
    origin->host[len - (is_v6 ? 2 : 0)] = '\0';
    origin->is_secure = strcmp(url->scheme, "https") == 0;
    origin->port = url->port != 0 ? url->port : origin->is_secure ? 443 : 80;
    origin->peer = (struct wire_tls_peer){.host = origin->host};
    origin->peer.is_numeric = resolve_numeric(origin->host, origin->port, &origin->addresses);
    origin->resolved_ns = origin->peer.is_numeric ? INT64_MAX : 0;
    list_init(&origin->waiting);
    list_init(&origin->kept);
    list_push(&t->origins, &origin->link);
    return origin;
}

/* A byte that could end the line of the request would begin another one. */
static bool
is_sendable(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f || *text == '#') {
            return false;
        }
    }
    return true;
}

struct wire_origin *
wire_origin_find(struct wire_transport *t, const char *address, const char **ret_rest,
                 struct err *err)
{
    const char *colon = strstr(address, "://");
    size_t len = colon == NULL ? 0 : (size_t)(colon - address) + 3;
    len += strcspn(address + len, "/?#");
    if (!is_sendable(address)) {
        (void)err_set(err, ERR_USAGE, "the address is not valid: it must be percent-encoded");
        return NULL;
    }
    struct wire_origin *origin = find(t, address, len);
    if (origin == NULL) {
        struct url url = {0};
        if (url_parse(address, &url, err) != ERR_OK) {
            return NULL;
        }
        origin = add(t, &url, address, len);
        url_done(&url);
    }
    if (origin->is_secure && t->tls == NULL &&
        wire_tls_new(t->options.ca_file, &t->tls, err) != ERR_OK) {
        return NULL;
    }
    *ret_rest = address + len;
    return origin;
}

bool
wire_origin_is_ready(struct wire_transport *t, struct wire_origin *origin, struct err *err)
{
    if (origin->resolve != NULL) {
        return false;
    }
    if (origin->addresses.count > 0 &&
        (origin->peer.is_numeric || t->now_ns - origin->resolved_ns < FRESH_NS)) {
        return true;
    }
    if (resolve_start(origin->host, origin->port, &origin->resolve, err) != ERR_OK) {
        return false;
    }
    t->lookup_count++;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &origin->source};
    (void)epoll_ctl(t->epoll, EPOLL_CTL_ADD, resolve_fd(origin->resolve), &event);
    return false;
}

static void
forget_lookup(struct wire_transport *t, struct wire_origin *origin)
{
    if (origin->resolve != NULL) {
        (void)epoll_ctl(t->epoll, EPOLL_CTL_DEL, resolve_fd(origin->resolve), NULL);
        origin->resolve = resolve_drop(origin->resolve);
        t->lookup_count--;
    }
}

void
wire_origin_take(struct wire_transport *t, struct wire_origin *origin, struct err *err)
{
    struct resolve_list found;
    if (resolve_take(origin->resolve, &found, err) == ERR_OK) {
        origin->addresses = found;
        origin->best = 0;
        origin->resolved_ns = t->now_ns;
    }
    forget_lookup(t, origin);
}

void
wire_origin_free(struct wire_transport *t, struct wire_origin *origin)
{
    forget_lookup(t, origin);
    wire_tls_peer_done(&origin->peer);
    text_done(&origin->key);
    mem_give(origin->host);
    mem_give(origin);
}
