#include "cmd/progress_bar.h"

#include "base/clock.h"
#include "base/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PLAIN_EVERY_NS (30 * NS_PER_S)
#define DRAW_EVERY_NS  (100 * NS_PER_MS)
#define RATE_EVERY_NS  NS_PER_S
#define BAR_COLUMNS    24U

void
progress_bar_init(struct progress_bar *bar, bool is_on, bool has_color)
{
    const char *no_color = getenv("NO_COLOR"); // NOLINT(concurrency-mt-unsafe): one thread yet
    *bar = (struct progress_bar){.is_on = is_on, .is_terminal = isatty(STDERR_FILENO) == 1};
    bar->has_color = has_color && (no_color == NULL || no_color[0] == '\0');
}

static void
add_eta(const struct progress_figures *figures, double bytes_per_s, struct text *out)
{
    char eta[UNITS_TEXT_BYTES];
    if (!figures->is_total_known || bytes_per_s < 1 ||
        figures->bytes_done >= figures->bytes_total) {
        return;
    }
    double left_s = (double)(figures->bytes_total - figures->bytes_done) / bytes_per_s;
    int64_t left_ns = left_s > 1e9 ? INT64_MAX : (int64_t)(left_s * 1e9);
    text_addf(out, ", %s left", units_format_duration(left_ns, eta));
}

void
progress_bar_line(const struct progress_figures *figures, double bytes_per_s, unsigned columns,
                  struct text *out)
{
    char a[UNITS_TEXT_BYTES];
    char b[UNITS_TEXT_BYTES];
    char c[UNITS_TEXT_BYTES];
    size_t begin = out->len;
    double share =
        figures->bytes_total == 0 ? 0 : (double)figures->bytes_done / (double)figures->bytes_total;
    share = share > 1 ? 1 : share;
    if (figures->is_total_known && columns >= 100) {
        unsigned full = (unsigned)(share * BAR_COLUMNS);
        text_add_char(out, '[');
        for (unsigned i = 0; i < BAR_COLUMNS; i++) {
            text_add_char(out, i < full ? '#' : '.');
        }
        text_add_str(out, "] ");
    }
    if (figures->is_total_known) {
        text_addf(out, "%3d%% ", (int)(share * 100));
    }
    text_addf(out, "%s %s of %s%s, %s/s", figures->phase, units_format_size(figures->bytes_done, a),
              units_format_size(figures->bytes_total, b), figures->is_total_known ? "" : "+",
              units_format_size((uint64_t)bytes_per_s, c));
    text_addf(out, ", %s of %s%s items", units_format_count(figures->items_done, a),
              units_format_count(figures->items_total, b), figures->is_total_known ? "" : "+");
    add_eta(figures, bytes_per_s, out);
    if (figures->failed > 0) {
        text_addf(out, ", %s failed", units_format_count(figures->failed, a));
    }
    if (figures->bottleneck != NULL) {
        text_addf(out, ", waiting for %s", figures->bottleneck);
    }
    if (out->len - begin > columns) {
        out->len = begin + columns;
        out->bytes[out->len] = '\0';
    }
}

static unsigned
columns_now(void)
{
    struct winsize size = {0};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 10 ? size.ws_col - 1U
                                                                            : 79U;
}

void
progress_bar_show(struct progress_bar *bar, const struct progress_figures *figures)
{
    int64_t now_ns = figures->elapsed_ns;
    int64_t every_ns = bar->is_terminal ? DRAW_EVERY_NS : PLAIN_EVERY_NS;
    if (now_ns - bar->rate_ns >= RATE_EVERY_NS) {
        uint64_t moved = figures->bytes_done - MIN_OF(figures->bytes_done, bar->rate_bytes);
        double latest = (double)moved * 1e9 / (double)(now_ns - bar->rate_ns);
        /* Half new, half old: steady enough to read, quick enough to show a stall. */
        bar->bytes_per_s = bar->rate_ns == 0 ? latest : (bar->bytes_per_s + latest) / 2;
        bar->rate_bytes = figures->bytes_done;
        bar->rate_ns = now_ns;
    }
    if (!bar->is_on || now_ns - bar->last_ns < every_ns) {
        return;
    }
    bar->last_ns = now_ns;
    AUTO_TEXT line = TEXT_INIT;
    progress_bar_line(figures, bar->bytes_per_s, bar->is_terminal ? columns_now() : 200, &line);
    if (!bar->is_terminal) {
        (void)fprintf(stderr, "%s\n", text_str(&line));
        return;
    }
    bar->is_shown = true;
    (void)fprintf(stderr, bar->has_color ? "\r\033[K\033[36m%s\033[0m" : "\r\033[K%s",
                  text_str(&line));
}

void
progress_bar_clear(struct progress_bar *bar)
{
    if (bar->is_shown) {
        bar->is_shown = false;
        (void)fputs("\r\033[K", stderr);
    }
}
