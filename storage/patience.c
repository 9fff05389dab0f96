#include "storage/patience.h"

#include "base/config.h"
#include "base/show.h"
#include "base/units.h"

#include <string.h>

#define CHANCE_MAX  1000
#define CAUSE_BYTES 130 /* of each of two causes in one text */

struct patience
patience_of(const struct config *config)
{
    return (struct patience){
        .delay_min_ns = config->retry_delay_min_ns,
        .delay_max_ns = config->retry_delay_max_ns,
        .give_up_ns = config->retry_give_up_ns,
    };
}

/* A part of span_ns without overflow. */
static int64_t
part(int64_t span_ns, unsigned chance)
{
    return span_ns / CHANCE_MAX * (int64_t)MIN_OF(chance, (unsigned)CHANCE_MAX);
}

int64_t
patience_wait_ns(const struct patience *patience, unsigned tries, int64_t said_ns, unsigned chance)
{
    if (said_ns > 0) {
        int64_t wait_ns = MIN_OF(said_ns, MAX_OF(patience->give_up_ns, patience->delay_min_ns));
        return wait_ns + part(MIN_OF(wait_ns / 4, patience->delay_max_ns), chance);
    }
    int64_t wait_ns = patience->delay_min_ns;
    for (unsigned i = 1; i < tries && wait_ns < patience->delay_max_ns; i++) {
        wait_ns = wait_ns > patience->delay_max_ns / 2 ? patience->delay_max_ns : wait_ns * 2;
    }
    wait_ns = MIN_OF(wait_ns, patience->delay_max_ns);
    return wait_ns - wait_ns / 2 + part(wait_ns / 2, chance);
}

void
patience_fold(struct err *err, const char *first, unsigned tries, int64_t span_ns)
{
    char span[UNITS_TEXT_BYTES];
    char a[CAUSE_BYTES];
    char b[CAUSE_BYTES];
    struct err folded = *err;
    err->retries = (int)tries - 1;
    if (tries == 1 || err_class(err->code) != ERR_CLASS_RETRY) {
        return;
    }
    (void)units_format_duration(span_ns, span);
    if (strcmp(first, err->text) == 0) {
        (void)err_set(&folded, err->code, "%s (tried %u times in %s)", first, tries, span);
    } else {
        show_middle(first, a, sizeof a);
        show_middle(err->text, b, sizeof b);
        (void)err_set(&folded, err->code, "%s (tried %u times in %s; at last: %s)", a, tries, span,
                      b);
    }
    memcpy(err->text, folded.text, sizeof err->text);
}

void
storm_init(struct storm *storm)
{
    *storm = (struct storm){0};
    (void)pthread_mutex_init(&storm->mutex, NULL);
}

void
storm_done(struct storm *storm)
{
    (void)pthread_mutex_destroy(&storm->mutex);
}

void
storm_add(struct storm *storm, const struct err *err, int64_t now_ns)
{
    if (storm == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&storm->mutex);
    if (storm->retries++ == 0) {
        storm->first = *err;
        storm->first_ns = now_ns;
    }
    storm->throttled += err->code == ERR_THROTTLED || err->code == ERR_STORE_BUSY;
    storm->last = *err;
    storm->last_ns = now_ns;
    (void)pthread_mutex_unlock(&storm->mutex);
}

bool
storm_fold(struct storm *storm, struct err *ret_notice)
{
    char span[UNITS_TEXT_BYTES];
    char first[CAUSE_BYTES];
    char last[CAUSE_BYTES];
    (void)pthread_mutex_lock(&storm->mutex);
    bool has_any = storm->retries > 0;
    if (has_any) {
        (void)units_format_duration(storm->last_ns - storm->first_ns, span);
        show_middle(storm->first.text, first, sizeof first);
        show_middle(storm->last.text, last, sizeof last);
        bool is_one = storm->retries == 1;
        (void)err_set(ret_notice, storm->first.code,
                      "%llu %s failed for a moment within %s and %s sent again; first: %s%s%s",
                      (unsigned long long)storm->retries, is_one ? "request" : "requests", span,
                      is_one ? "was" : "were", first, is_one ? "" : "; last: ", is_one ? "" : last);
    }
    (void)pthread_mutex_unlock(&storm->mutex);
    return has_any;
}
