/*
 * cmd/progress_bar.h - how far it is, on a terminal as one line that moves, elsewhere every 30 s.
 *
 *   thread   main
 *   units    bytes, nanoseconds
 */
#ifndef CMD_PROGRESS_BAR_H
#define CMD_PROGRESS_BAR_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct progress_figures {
    uint64_t items_done, items_total;
    uint64_t bytes_done, bytes_total;
    uint64_t failed;
    bool is_total_known; /* the source has been listed to its end */
    int64_t elapsed_ns;
    const char *phase;      /* "copying", "verifying" */
    const char *bottleneck; /* "reading", "hashing", "the store", "throttling"; NULL unknown */
};

struct progress_bar {
    bool is_on;
    bool is_terminal;
    bool has_color;
    bool is_shown;
    int64_t last_ns;
    uint64_t rate_bytes; /* of the last shown moment, for the rate */
    int64_t rate_ns;
    double bytes_per_s;
};

void progress_bar_init(struct progress_bar *bar, bool is_on, bool has_color);
void progress_bar_show(struct progress_bar *bar, const struct progress_figures *figures);
void progress_bar_clear(struct progress_bar *bar);
/* One line of at most `columns` characters, without colour or line end. For tests too. */
void progress_bar_line(const struct progress_figures *figures, double bytes_per_s, unsigned columns,
                       struct text *out);

#endif
