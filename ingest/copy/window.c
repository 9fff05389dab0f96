#include "ingest/copy/window.h"

#include "base/attr.h"
#include "base/clock.h"

#define CUT_NS         NS_PER_S
#define TRIAL_NS       (100 * NS_PER_MS)
#define GAIN           1.15 /* less is noise */
#define REST_TRIALS    20U
#define WARM_UP_TRIALS 3U /* connections are made, caches fill: no rate to compare with */

void
window_init(struct window *window, unsigned most, unsigned blocks_start, int64_t now_ns)
{
    unsigned blocks = MIN_OF(blocks_start, most);
    *window = (struct window){.most = most,
                              .requests = most,
                              .blocks = blocks,
                              .blocks_before = blocks,
                              .rest = WARM_UP_TRIALS,
                              .since_ns = now_ns};
}

void
window_answered(struct window *window)
{
    window->good++;
    if (window->good >= window->requests && window->requests < window->most) {
        window->requests++;
        window->good = 0;
    }
}

static void
begin_trial(struct window *window, int64_t now_ns)
{
    window->answers = 0;
    window->bytes = 0;
    window->since_ns = now_ns;
}

void
window_throttled(struct window *window, int64_t now_ns)
{
    if (now_ns < window->cut_ns) {
        return;
    }
    window->requests = MAX_OF(window->requests / 2, 1);
    window->blocks = MIN_OF(window->blocks, window->requests);
    window->blocks_before = window->blocks;
    window->cut_ns = now_ns + CUT_NS;
    window->good = 0;
    window->rate = 0;
    begin_trial(window, now_ns);
}

/* What came of the last step, and the next one. */
static void
judge(struct window *window, double rate)
{
    if (window->rest > 0) {
        window->rest--;
        window->rate = rate;
    } else if (window->blocks > window->blocks_before && rate < window->rate * GAIN) {
        window->blocks = window->blocks_before;
        window->rest = REST_TRIALS;
    } else {
        window->rate = rate;
        window->blocks_before = window->blocks;
        window->blocks = MIN_OF(window->blocks + (window->blocks + 1) / 2, window->requests);
    }
}

void
window_moved(struct window *window, uint64_t bytes, int64_t now_ns)
{
    window->bytes += bytes;
    window->answers++;
    int64_t span_ns = now_ns - window->since_ns;
    if (window->answers < window->blocks * 2 || span_ns < TRIAL_NS) {
        return;
    }
    judge(window, (double)window->bytes * (double)NS_PER_S / (double)span_ns);
    begin_trial(window, now_ns);
}
