/*
 * A log from anybody. What is told of it stays within its limits; written as this program writes
 * logs and read again it is told without damage, and written again it is the same to the byte.
 */
#include "ingest/device/log_read.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void
check_text(const char *text)
{
    FUZZ_MUST(text != NULL);
    FUZZ_MUST(strlen(text) <= LOG_TEXT_MAX);
}

static void
on_entry(void *user, const struct copy_log_entry *entry)
{
    check_text(entry->path);
    check_text(entry->category);
    check_text(entry->message);
    FUZZ_MUST(entry->path[0] != '\0');
    copy_log_write_entry(user, entry);
}

static void
on_summary(void *user, const struct copy_log_summary *summary)
{
    FUZZ_MUST(summary->validation_count <= LOG_COUNTS_MAX);
    FUZZ_MUST(summary->copy_count <= LOG_COUNTS_MAX);
    copy_log_write_summary(user, summary);
}

static void
on_file(void *user, const struct verbose_log_entry *entry)
{
    check_text(entry->path);
    FUZZ_MUST(entry->path[0] != '\0');
    verbose_log_write(user, entry);
}

static void
on_error(void *user, const struct error_xml_entry *entry)
{
    check_text(entry->path);
    check_text(entry->code);
    FUZZ_MUST(entry->path[0] != '\0');
    error_xml_write(user, entry);
}

static void
on_damage(void *user, uint64_t line, const char *words)
{
    (void)user;
    FUZZ_MUST(line > 0);
    FUZZ_MUST(words[0] != '\0');
}

static enum err_code
read_into(const void *bytes, size_t len, struct text *out)
{
    const struct log_reader_events events = {.user = out,
                                             .entry = on_entry,
                                             .summary = on_summary,
                                             .file = on_file,
                                             .error = on_error,
                                             .damage = on_damage};
    struct err err = ERR_NONE;
    int fd = open(fuzz_file(bytes, len), O_RDONLY | O_CLOEXEC);
    FUZZ_MUST(fd >= 0);
    enum err_code code = log_read(fd, "log", &events, &err);
    FUZZ_MUST(close(fd) == 0);
    fuzz_file_done();
    return code;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_TEXT first = TEXT_INIT;
    AUTO_TEXT second = TEXT_INIT;
    enum err_code code = read_into(data, size, &first);
    FUZZ_MUST(code == ERR_OK || code == ERR_FORMAT);
    if (!first.is_broken) {
        FUZZ_MUST(read_into(text_str(&first), first.len, &second) == ERR_OK);
        FUZZ_MUST(first.len == second.len);
        FUZZ_MUST(strcmp(text_str(&first), text_str(&second)) == 0);
    }
    return 0;
}
