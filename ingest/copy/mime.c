#include "ingest/copy/mime.h"

#include "base/arena.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIME_BYTES_MAX (1U << 20)
#define MIME_ROWS_MAX  8192U

struct row {
    const char *extension;
    const char *type;
};

static struct row rows[MIME_ROWS_MAX];
static unsigned row_count;
static char *table; /* the file's text, which the rows point into */

static int
compare_rows(const void *a, const void *b)
{
    return strcasecmp(((const struct row *)a)->extension, ((const struct row *)b)->extension);
}

/* A type goes into a header as it is: visible characters only, and not too many. */
static bool
is_type(const char *type)
{
    const char *at = type;
    while (*at > ' ' && *at < 0x7f) {
        at++;
    }
    return *at == '\0' && at - type > 2 && at - type < 128 && type[0] != '#' &&
           strchr(type, '/') != NULL;
}

static void
add_line(char *line)
{
    char *at = line;
    const char *type = strsep(&at, " \t\r");
    if (type == NULL || !is_type(type)) {
        return;
    }
    while (at != NULL && row_count < MIME_ROWS_MAX) {
        const char *extension = strsep(&at, " \t\r");
        if (extension[0] != '\0') {
            rows[row_count++] = (struct row){.extension = extension, .type = type};
        }
    }
}

void
mime_load(const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL || row_count > 0) {
        if (file != NULL) {
            (void)fclose(file);
        }
        return;
    }
    mem_give(table);
    table = mem_take(MIME_BYTES_MAX + 1);
    table[fread(table, 1, MIME_BYTES_MAX, file)] = '\0';
    (void)fclose(file);
    char *at = table;
    while (at != NULL) {
        add_line(strsep(&at, "\n"));
    }
    qsort(rows, row_count, sizeof rows[0], compare_rows);
}

void
mime_forget(void)
{
    row_count = 0;
    table = mem_give(table);
}

const char *
mime_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *dot = strrchr(slash == NULL ? name : slash, '.');
    if (dot == NULL || dot[1] == '\0') {
        return "application/octet-stream";
    }
    struct row key = {.extension = dot + 1, .type = NULL};
    const struct row *row = bsearch(&key, rows, row_count, sizeof rows[0], compare_rows);
    return row == NULL ? "application/octet-stream" : row->type;
}

bool
mime_is_packed(const char *type)
{
    static const char *const begins[] = {
        "video/",
        "audio/mp",
        "audio/ogg",
        "audio/flac",
        "image/jp",
        "image/png",
        "image/gif",
        "image/webp",
        "image/avif",
        "image/hei",
        "font/woff",
        "application/zip",
        "application/gzip",
        "application/zstd",
        "application/x-xz",
        "application/x-bzip2",
        "application/x-7z",
        "application/vnd.rar",
        "application/java-archive",
        "application/vnd.openxmlformats",
        "application/vnd.oasis.opendocument",
    };
    for (unsigned i = 0; i < COUNT_OF(begins); i++) {
        if (strncasecmp(type, begins[i], strlen(begins[i])) == 0) {
            return true;
        }
    }
    size_t len = strlen(type);
    return len > 4 && strcmp(type + len - 4, "+zip") == 0;
}
