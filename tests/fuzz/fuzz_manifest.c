/*
 * A manifest that somebody has put on a device. What it says is bounded, reading it ends, and what
 * was read, written and read again is the same.
 */
#include "ingest/device/manifest.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int
file_of(const void *bytes, size_t len)
{
    int fd = memfd_create("manifest", MFD_CLOEXEC);
    FUZZ_MUST(fd >= 0);
    FUZZ_MUST(write(fd, bytes, len) == (ssize_t)len);
    FUZZ_MUST(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void
check_again(const struct manifest_entry *entry)
{
    AUTO_TEXT line = TEXT_INIT;
    struct manifest_reader *reader = NULL;
    struct manifest_entry again;
    struct err err = ERR_NONE;
    bool more = false;
    manifest_write_line(&line, entry->path, entry->path_len, entry->size_bytes, entry->crc64);
    int fd = file_of(line.bytes, line.len);
    FUZZ_MUST(manifest_reader_new(fd, "again", &reader, &err) == ERR_OK);
    FUZZ_MUST(manifest_read(reader, &again, &more, &err) == ERR_OK);
    FUZZ_MUST(more);
    FUZZ_MUST(again.path_len == entry->path_len);
    FUZZ_MUST(memcmp(again.path, entry->path, entry->path_len) == 0);
    FUZZ_MUST(again.size_bytes == entry->size_bytes);
    FUZZ_MUST(again.crc64 == entry->crc64);
    FUZZ_MUST(again.has_crc64 == (entry->crc64 != 0 || entry->size_bytes == 0));
    FUZZ_MUST(manifest_read(reader, &again, &more, &err) == ERR_OK);
    FUZZ_MUST(!more);
    manifest_reader_free(reader);
    FUZZ_MUST(close(fd) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct manifest_reader *reader = NULL;
    struct err err = ERR_NONE;
    bool more = true;
    size_t answers = 0;
    int fd = file_of(data, size);
    FUZZ_MUST(manifest_reader_new(fd, "manifest", &reader, &err) == ERR_OK);
    while (more) {
        struct manifest_entry entry;
        enum err_code code = manifest_read(reader, &entry, &more, &err);
        FUZZ_MUST(code == ERR_OK || code == ERR_FORMAT);
        FUZZ_MUST(++answers <= size + 1);
        if (code == ERR_OK && more) {
            FUZZ_MUST(entry.path_len > 0);
            FUZZ_MUST(entry.path_len <= MANIFEST_NAME_BYTES_MAX);
            FUZZ_MUST(strlen(entry.path) == entry.path_len);
            FUZZ_MUST(entry.size_bytes <= INT64_MAX);
            check_again(&entry);
        }
    }
    manifest_reader_free(reader);
    FUZZ_MUST(close(fd) == 0);
    return 0;
}
