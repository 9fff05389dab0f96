#include "storage/http/transport.h"

#include "base/config.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

const char *const http_method_names[HTTP_METHOD_COUNT] = {"GET", "HEAD", "PUT", "POST", "DELETE"};

typedef enum err_code(transport_new_fn)(const struct transport_options *options,
                                        struct transport **ret_transport, struct err *err);

static const char *
setting(const char *variable, const char *configured)
{
    const char *value = getenv(variable); // NOLINT(concurrency-mt-unsafe)
    return value != NULL && value[0] != '\0' ? value : configured;
}

/* The variable that says that requests go by a proxy; NULL: there is none. Which hosts NO_PROXY
 * leaves out is libcurl's to know, but for all of them. */
static const char *
proxy_variable(void)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY"};
    const char *left_out = setting("no_proxy", setting("NO_PROXY", ""));
    for (unsigned i = 0; i < COUNT_OF(names) && strcmp(left_out, "*") != 0; i++) {
        if (setting(names[i], NULL) != NULL) {
            return names[i];
        }
    }
    return NULL;
}

static enum err_code
choose(const struct config *config, transport_new_fn **ret_make, struct err *err)
{
    const char *wanted = config->transport;
    const char *proxy = proxy_variable();
    bool is_wire = wanted != NULL && strcmp(wanted, "wire") == 0;
    if (wanted != NULL && !is_wire && strcmp(wanted, "curl") != 0) {
        return err_set(err, ERR_CONFIG, "there is no transport '%s'; it must be wire or curl",
                       wanted);
    }
    if (is_wire && proxy != NULL) {
        return err_set(err, ERR_CONFIG,
                       "the transport 'wire' knows no proxies, and '%s' is set; use curl", proxy);
    }
    bool is_curl = wanted == NULL ? proxy != NULL : !is_wire;
    *ret_make = is_curl ? transport_curl_new : transport_wire_new;
    return ERR_OK;
}

enum err_code
transport_new(const struct config *config, const struct clock *clock, unsigned depth,
              struct transport **ret_transport, struct err *err)
{
    transport_new_fn *make = transport_curl_new;
    struct transport_options options = {
        .depth = depth,
        .connections_max = depth,
        .connect_timeout_ns = config->connect_timeout_ns,
        .idle_timeout_ns = config->idle_timeout_ns,
        .ca_file = setting("SALLYPORT_CA_FILE", config->ca_file),
        .clock = clock,
    };
    enum err_code code = choose(config, &make, err);
    return code == ERR_OK ? make(&options, ret_transport, err) : code;
}

bool
http_request_take_body(struct http_request *request, const void *bytes, size_t len)
{
    if (http_request_is_direct(request)) {
        if (len > request->body_room - request->received_bytes) {
            return false;
        }
        memcpy((char *)request->body_buf + request->received_bytes, bytes, len);
        request->received_bytes += len;
        return true;
    }
    request->received_bytes += len;
    return request->on_body == NULL || request->on_body(request, bytes, len);
}

/* Between submit and done the transport's own data stands there; the request's address says done.
 */
static void
on_performed(struct http_request *request)
{
    request->transport_data = request;
}

void
transport_wait(struct transport *t, const struct clock *clock, int64_t until_ns)
{
    int64_t now_ns = clock_mono_ns(clock);
    int64_t at_ns =
        MIN_OF(transport_next_timer_ns(t), MIN_OF(until_ns, now_ns + TRANSPORT_WAIT_NS));
    struct pollfd fd = {.fd = transport_wake_fd(t), .events = POLLIN};
    int64_t wait_ns = MAX_OF(at_ns - now_ns, 0);
    struct timespec wait = {.tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S};
    (void)ppoll(&fd, 1, &wait, NULL);
}

void
transport_perform(struct transport *t, const struct clock *clock, const atomic_int *signal,
                  struct http_request *request)
{
    bool is_cancelled = false;
    request->done = on_performed;
    if (transport_submit(t, request) != ERR_OK) {
        (void)err_set(&request->err, ERR_NETWORK, "no request can be begun now");
        return;
    }
    while (request->transport_data != request) {
        if (!is_cancelled && signal != NULL && atomic_load(signal) != 0) {
            is_cancelled = true;
            transport_cancel(t, request);
        }
        if (transport_poll(t) == 0 && request->transport_data != request) {
            transport_wait(t, clock, INT64_MAX);
        }
    }
}
