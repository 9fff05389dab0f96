#include "ingest/copy/mime.h"

#include "base/arena.h"

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

static int
compare_rows(const void *a, const void *b)
{
    return strcasecmp(((const struct row *)a)->extension, ((const struct row *)b)->extension);
}

static void
add_line(char *line)
{
    char *at = line;
    const char *type = strsep(&at, " \t");
    if (type == NULL || type[0] == '#' || strchr(type, '/') == NULL || strlen(type) > 127) {
        return;
    }
    while (at != NULL && row_count < MIME_ROWS_MAX) {
        const char *extension = strsep(&at, " \t");
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
    char *bytes = mem_take(MIME_BYTES_MAX + 1);
    size_t len = fread(bytes, 1, MIME_BYTES_MAX, file);
    bytes[len] = '\0';
    (void)fclose(file);
    char *at = bytes;
    while (at != NULL) {
        add_line(strsep(&at, "\n"));
    }
    qsort(rows, row_count, sizeof rows[0], compare_rows);
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
