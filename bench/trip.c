#include "bench/trip.h"

#include "base/arena.h"
#include "base/digest.h"
#include "bench/dataset.h"

#include <string.h>

#define BLOCK_BYTES (UINT64_C(8) << 20)

static void
on_progress(void *user, const struct copy_figures *figures)
{
    (void)user;
    (void)figures;
}

static void
on_item(void *user, const struct item *item)
{
    struct err *first = user;
    if (first->code == ERR_OK && item->state == ITEM_FAILED) {
        (void)err_set(first, (enum err_code)item->err_code, "%s",
                      item->err_text == NULL ? item->name : item->err_text);
    }
}

static void
on_notice(void *user, const struct err *err)
{
    (void)user;
    (void)err;
}

/* One copy with a state of its own; anything but success is an error. */
static enum err_code
copy(struct trip *trip, const char *source, const char *target, struct figures *ret_figures,
     struct err *err)
{
    const struct trip_options *options = &trip->options;
    struct err first = ERR_NONE;
    struct copy_result result = {0};
    struct stopwatch watch;
    AUTO_TEXT state = TEXT_INIT;
    text_addf(&state, "%s/state", text_str(&trip->work));
    struct copy_options copy = {
        .source = source,
        .target = target,
        .block_bytes = options->block_bytes != 0 ? options->block_bytes : BLOCK_BYTES,
        .has_block_bytes = options->block_bytes != 0,
        .lanes = options->lanes,
        .in_flight = options->in_flight,
        .memory_bytes = options->memory_bytes,
        .overwrite = OVERWRITE_ALWAYS,
        .verify = options->verify,
        .links = END_LINKS_SKIP,
        .state = text_str(&state),
        .restart = true,
        .config = options->config,
        .clock = &clock_system,
    };
    const struct copy_events events = {
        .user = &first, .progress = on_progress, .item = on_item, .notice = on_notice};
    stopwatch_begin(&watch);
    enum err_code code = copy_run(&copy, &events, options->control, &result, err);
    stopwatch_end(&watch, ret_figures);
    bench_folder_remove(text_str(&state));
    if (code != ERR_OK) {
        return code;
    }
    mem_give(result.receipt);
    ret_figures->seconds = (double)result.figures.elapsed_ns / 1e9;
    ret_figures->bytes = result.figures.bytes_copied;
    ret_figures->items = result.figures.items_copied;
    ret_figures->failed = result.figures.items_failed;
    if (result.stop.code != ERR_OK) {
        *err = result.stop;
        return err->code;
    }
    if (first.code != ERR_OK) {
        *err = first;
        return err_wrap(err, "%llu items failed", (unsigned long long)ret_figures->failed);
    }
    return result.exit == EXIT_DONE
               ? ERR_OK
               : err_set(err, ERR_SYSTEM, "the copy ended with exit code %d", (int)result.exit);
}

static enum err_code
start_child(struct trip *trip, struct err *err)
{
    const struct trip_options *options = &trip->options;
    const struct server_options server = {
        .threads = options->server_threads,
        .mode = options->verify == VERIFY_READ_BACK ? STORE_KEEP : STORE_DISCARD,
        .root = options->direction == TRIP_DOWN ? options->folder : NULL,
    };
    return child_start(&server, &trip->child, err);
}

/* A folder of this run alone; the number makes its name, and so its place, a new one each time. */
static void
add_folder(const struct trip *trip, const char *what, unsigned run, struct text *out)
{
    text_addf(out, "%s/%s-%llx-%u", text_str(&trip->work), what, (unsigned long long)trip->number,
              run);
}

static void
add_store(const struct trip *trip, unsigned run, struct text *out)
{
    text_add_str(out, "file:");
    add_folder(trip, "store", run, out);
    text_add_str(out, "//bench/files");
}

enum err_code
trip_open(const struct trip_options *options, struct trip *ret_trip, struct err *err)
{
    bool is_down = options->direction == TRIP_DOWN;
    bool has_store = options->peer == TRIP_STORE;
    *ret_trip = (struct trip){.options = *options};
    random_bytes(&ret_trip->number, sizeof ret_trip->number);
    text_addf(&ret_trip->work, "%s/run", options->folder);
    bench_folder_remove(text_str(&ret_trip->work));
    const struct dataset dataset = {.files = options->files,
                                    .file_bytes = options->file_bytes,
                                    .copies = (is_down ? 1U : 0U) + (has_store ? 1U : 0U)};
    enum err_code code =
        dataset_make(options->folder, &dataset, &options->control->signal, &ret_trip->name, err);
    text_addf(&ret_trip->data, "%s/%s", options->folder, text_str(&ret_trip->name));
    if (code == ERR_OK && !has_store) {
        code = start_child(ret_trip, err);
    }
    code = code == ERR_OK ? bench_folder_make(text_str(&ret_trip->work), err) : code;
    if (code == ERR_OK && has_store && is_down) {
        struct figures figures = {0};
        AUTO_TEXT store = TEXT_INIT;
        add_store(ret_trip, 0, &store);
        code = copy(ret_trip, text_str(&ret_trip->data), text_str(&store), &figures, err);
    }
    if (code != ERR_OK) {
        trip_close(ret_trip);
    }
    return code;
}

enum err_code
trip_run(struct trip *trip, struct figures *ret_figures, struct err *err)
{
    const struct trip_options *options = &trip->options;
    bool is_down = options->direction == TRIP_DOWN;
    AUTO_TEXT far = TEXT_INIT;
    AUTO_TEXT near = TEXT_INIT;
    *ret_figures = (struct figures){0};
    trip->run++;
    if (options->peer == TRIP_STORE) {
        add_store(trip, is_down ? 0 : trip->run, &far);
    } else {
        text_addf(&far, "http://127.0.0.1:%u/bench/", trip->child.port);
        if (is_down) {
            text_add_str(&far, text_str(&trip->name));
        } else {
            text_addf(&far, "run-%u", trip->run);
        }
    }
    if (!is_down) {
        enum err_code code = copy(trip, text_str(&trip->data), text_str(&far), ret_figures, err);
        add_folder(trip, "store", trip->run, &near);
        bench_folder_remove(text_str(&near));
        return code;
    }
    add_folder(trip, "out", trip->run, &near);
    enum err_code code = copy(trip, text_str(&far), text_str(&near), ret_figures, err);
    bench_folder_remove(text_str(&near));
    return code;
}

void
trip_close(struct trip *trip)
{
    child_stop(&trip->child);
    bench_folder_remove(text_str(&trip->work));
    text_done(&trip->data);
    text_done(&trip->name);
    text_done(&trip->work);
}
