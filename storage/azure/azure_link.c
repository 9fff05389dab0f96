#include "storage/azure/azure.h"
#include "storage/patience.h"

#include <string.h>

#define LINK_DEPTH   2U
#define UNREACHED_NS (10 * NS_PER_S)

/* Of one question. */
struct attempts {
    int64_t began_ns;
    unsigned count;
    char first[ERR_TEXT_BYTES_MAX];
};

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
    if (link->request.http.status != 0) {
        atomic_store(&link->end->has_answered, true);
    }
    return azure_request_judge(&link->request, BLOB_STAT, what, link->end->end.display, err);
}

/* An address that was mistyped is not worth the patience of a storm. */
static int64_t
give_up_ns(const struct azure_link *link, const struct patience *patience)
{
    return atomic_load(&link->end->has_answered) ? patience->give_up_ns
                                                 : MIN_OF(patience->give_up_ns, UNREACHED_NS);
}

/* False: it was tried long enough, or the process is to end. */
static bool
wait_to_try(struct azure_link *link, const struct attempts *attempts, const struct err *failed)
{
    const struct clock *clock = link->end->options.clock;
    const struct patience patience = patience_of(link->end->options.config);
    const atomic_int *signal = link->end->options.signal;
    uint32_t dice = 0;
    int64_t now_ns = clock_mono_ns(clock);
    int64_t since_ns = now_ns - MAX_OF(attempts->began_ns, link->good_ns);
    if (since_ns >= give_up_ns(link, &patience)) {
        return false;
    }
    random_bytes(&dice, sizeof dice);
    int64_t until_ns = now_ns + patience_wait_ns(&patience, attempts->count,
                                                 link->request.retry_after_ns, dice % 1001);
    storm_add(link->end->end.storm, failed, now_ns);
    while (clock_mono_ns(clock) < until_ns && (signal == NULL || atomic_load(signal) == 0)) {
        transport_wait(link->transport, clock, until_ns);
        (void)transport_poll(link->transport);
    }
    return true;
}

enum err_code
azure_link_ask(struct azure_link *link, azure_ask_fn *ask, void *user, const char *what,
               struct err *err)
{
    const struct clock *clock = link->end->options.clock;
    struct attempts attempts = {.began_ns = clock_mono_ns(clock)};
    bool was_refreshed = false;
    while (true) {
        *err = ERR_NONE;
        enum err_code code = ask_once(link, ask, user, what, err);
        if (code == ERR_STORE_AUTH && !was_refreshed && credential_refresh(link->end->credential)) {
            was_refreshed = true;
            continue;
        }
        if (err_class(code) != ERR_CLASS_RETRY) {
            link->good_ns = clock_mono_ns(clock);
            return code;
        }
        if (attempts.count++ == 0) {
            memcpy(attempts.first, err->text, sizeof attempts.first);
        }
        if (!wait_to_try(link, &attempts, err)) {
            patience_fold(err, attempts.first, attempts.count,
                          clock_mono_ns(clock) - attempts.began_ns);
            return code;
        }
    }
}
