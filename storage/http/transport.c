#include "storage/http/transport.h"

#include "base/config.h"

#include <poll.h>
#include <stdlib.h>

enum err_code
transport_new(const struct config *config, const struct clock *clock, unsigned depth,
              struct transport **ret_transport, struct err *err)
{
    const char *ca_file = getenv("SALLYPORT_CA_FILE"); // NOLINT(concurrency-mt-unsafe)
    struct transport_options options = {
        .depth = depth,
        .connections_max = depth,
        .connect_timeout_ns = config->connect_timeout_ns,
        .idle_timeout_ns = config->idle_timeout_ns,
        .ca_file = ca_file != NULL && ca_file[0] != '\0' ? ca_file : config->ca_file,
        .clock = clock,
    };
    return transport_curl_new(&options, ret_transport, err);
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
