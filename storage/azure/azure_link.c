#include "base/config.h"
#include "storage/azure/azure.h"

#include <string.h>

#define LINK_DEPTH 2U

enum err_code
azure_link_open(struct azure_end *end, struct azure_link *link, struct err *err)
{
    *link = (struct azure_link){.end = end};
    enum err_code code =
        transport_new(end->options.config, end->options.clock, LINK_DEPTH, &link->transport, err);
    code =
        code == ERR_OK ? signer_new(end->credential, end->options.clock, &link->signer, err) : code;
    if (code != ERR_OK) {
        azure_link_close(link);
    }
    return code;
}

void
azure_link_close(struct azure_link *link)
{
    link->transport = transport_free(link->transport);
    link->signer = signer_free(link->signer);
    azure_request_done(&link->request);
    *link = (struct azure_link){0};
}

static enum err_code
interrupted(const struct azure_link *link, const char *what, struct err *err)
{
    const atomic_int *signal = link->end->options.signal;
    return signal != NULL && atomic_load(signal) != 0
               ? err_set(err, ERR_INTERRUPTED, "interrupted before it was tried to %s '%s'", what,
                         link->end->end.display)
               : ERR_OK;
}

static enum err_code
ask_once(struct azure_link *link, azure_ask_fn *ask, void *user, const char *what, struct err *err)
{
    enum err_code code = interrupted(link, what, err);
    code = code == ERR_OK ? ask(&link->request, user, err) : code;
    code = code == ERR_OK ? azure_request_seal(&link->request, link->signer, err) : code;
    if (code != ERR_OK) {
        return code;
    }
    transport_perform(link->transport, link->end->options.clock, link->end->options.signal,
                      &link->request.http);
    return azure_request_judge(&link->request, BLOB_STAT, what, link->end->end.display, err);
}

/* Doubling waits, each between half and all of it, so that many of us do not come back at once. */
static int64_t
delay_ns(const struct config *config, int64_t attempt, int64_t retry_after_ns)
{
    int64_t wait_ns = config->retry_delay_min_ns;
    uint32_t dice = 0;
    for (int64_t i = 1; i < attempt && wait_ns < config->retry_delay_max_ns; i++) {
        wait_ns *= 2;
    }
    random_bytes(&dice, sizeof dice);
    wait_ns = wait_ns / 2 + wait_ns / 2 * (int64_t)(dice % 1024) / 1024;
    return MIN_OF(MAX_OF(wait_ns, retry_after_ns), config->retry_delay_max_ns);
}

enum err_code
azure_link_ask(struct azure_link *link, azure_ask_fn *ask, void *user, const char *what,
               struct err *err)
{
    const struct config *config = link->end->options.config;
    const struct clock *clock = link->end->options.clock;
    bool was_refreshed = false;
    for (int64_t attempt = 1;; attempt++) {
        *err = ERR_NONE;
        enum err_code code = ask_once(link, ask, user, what, err);
        if (code == ERR_STORE_AUTH && !was_refreshed && credential_refresh(link->end->credential)) {
            was_refreshed = true;
            continue;
        }
        if (err_class(code) != ERR_CLASS_RETRY) {
            return code;
        }
        if (attempt >= config->retry_attempts) {
            err->retries = (int)attempt - 1;
            return attempt == 1 ? code : err_wrap(err, "after %d tries", (int)attempt);
        }
        int64_t until_ns =
            clock_mono_ns(clock) + delay_ns(config, attempt, link->request.retry_after_ns);
        struct err ignored = ERR_NONE;
        while (clock_mono_ns(clock) < until_ns && interrupted(link, what, &ignored) == ERR_OK) {
            transport_wait(link->transport, clock, until_ns);
            (void)transport_poll(link->transport);
        }
    }
}
