/* Is this machine fit to run copies? One line per fact, with what to do where it is not. */
#include "base/crc64.h"
#include "cmd/commands.h"
#include "cmd/state.h"
#include "storage/disk.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

enum fitness { FIT, FIT_WITH_LOSS, UNFIT };

struct checkup {
    struct output *output;
    enum fitness worst;
};

static void
tell(struct checkup *checkup, enum fitness fitness, const char *what, const char *found,
     const char *remedy)
{
    static const char *const words[] = {"ok", "warn", "FAIL"};
    struct output *output = checkup->output;
    checkup->worst = MAX_OF(checkup->worst, fitness);
    output_text(output, "%-4s  %-16s %s", words[fitness], what, found);
    if (fitness != FIT) {
        output_text(output, "      HINT: %s", remedy);
    }
    output_begin(output, "finding");
    json_key_str(&output->json, "check", what);
    json_key_str(&output->json, "state", words[fitness]);
    json_key_str(&output->json, "found", found);
    output_end(output);
}

static void
check_machine(struct checkup *checkup)
{
    struct utsname name = {0};
    struct rlimit files = {0};
    struct err err = ERR_NONE;
    AUTO_TEXT text = TEXT_INIT;
    (void)uname(&name);
    tell(checkup, FIT, "kernel", name.release, "");
    if (disk_probe_uring(&err) == ERR_OK) {
        tell(checkup, FIT, "io_uring", "usable", "");
    } else {
        tell(
            checkup, FIT_WITH_LOSS, "io_uring", err.text,
            "Allow io_uring (sysctl kernel.io_uring_disabled=0, seccomp); until then a thread pool serves.");
    }
    bool is_table = strcmp(crc64_impl_name(), "table") == 0;
    tell(checkup, is_table ? FIT_WITH_LOSS : FIT, "CRC-64", crc64_impl_name(),
         "This CPU lacks carry-less multiplication: checksums cost about ten times as much.");
    (void)getrlimit(RLIMIT_NOFILE, &files);
    text_addf(&text, "%llu", (unsigned long long)files.rlim_cur);
    tell(checkup, files.rlim_cur < 4096 ? FIT_WITH_LOSS : FIT, "open files", text_str(&text),
         "Raise the limit (ulimit -Hn 65536).");
}

static void
check_state(struct checkup *checkup, const char *named)
{
    struct err err = ERR_NONE;
    AUTO_TEXT path = TEXT_INIT;
    if (state_folder(named, &path, &err) != ERR_OK) {
        tell(checkup, UNFIT, "state folder", err.text, "Name one with --state.");
        return;
    }
    /* What does not exist yet is made by the first copy: look at the nearest folder that does. */
    while (path.len > 1 && access(text_str(&path), F_OK) != 0) {
        while (path.len > 1 && path.bytes[path.len - 1] != '/') {
            path.len--;
        }
        path.len -= path.len > 1 ? 1 : 0;
        path.bytes[path.len] = '\0';
    }
    bool is_writable = access(text_str(&path), W_OK | X_OK) == 0;
    tell(checkup, is_writable ? FIT : UNFIT, "state folder", text_str(&path),
         "Make it writable, or name another with --state.");
}

static void
check_config(struct checkup *checkup, const struct config *config)
{
    for (unsigned i = 0; i < CONFIG_ID_COUNT; i++) {
        AUTO_TEXT line = TEXT_INIT;
        const struct config_row *row = &config_rows[i];
        const void *field = (const char *)config + row->offset;
        if (row->is_text) {
            const char *value = *(const char *const *)field;
            text_addf(&line, "%s.%s = %s", row->section, row->key,
                      value == NULL ? "(not set)" : value);
        } else {
            text_addf(&line, "%s.%s = %lld%s", row->section, row->key,
                      (long long)*(const int64_t *)field,
                      row->unit == CONFIG_DURATION ? " ns" : "");
        }
        text_addf(&line, " (%s)", config->origin[i] == NULL ? "default" : config->origin[i]);
        tell(checkup, FIT, "setting", text_str(&line), "");
    }
}

static int
run_doctor(const void *values, const void *common_)
{
    const struct common *common = common_;
    struct checkup checkup = {.output = common->output};
    (void)values;
    check_machine(&checkup);
    check_state(&checkup, common->state);
    check_config(&checkup, &common->config);
    int code = checkup.worst == UNFIT ? EXIT_CONFIG : EXIT_DONE;
    output_exit(common->output, code, NULL);
    return code;
}

const struct command command_doctor = {
    .path = "doctor",
    .summary = "Look whether this machine is fit, and show the settings",
    .run = run_doctor,
};
