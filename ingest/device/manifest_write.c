/* The writer of a manifest's lines, and the name of a manifest. */
#include "base/digest.h"
#include "base/utf8.h"
#include "ingest/device/manifest.h"

#include <string.h>

#define GROUP_BYTES ((size_t)768) /* of Base64 at a time: a multiple of 3 */

/* Bytes of the character here that XML can hold as it is, 0 if it cannot. at has len bytes. */
static unsigned
plain_length(const char *at, size_t len)
{
    unsigned char c = (unsigned char)at[0];
    if (c < 0x80) {
        return c >= 0x20 && c != 0x7f && c != '\\' ? 1 : 0;
    }
    unsigned wanted = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    unsigned got = wanted > len ? 0 : utf8_length(at);
    bool is_control = got == 2 && c == 0xc2 && (unsigned char)at[1] < 0xa0;
    bool is_no_character =
        got == 3 && c == 0xef && (unsigned char)at[1] == 0xbf && (unsigned char)at[2] >= 0xbe;
    return is_control || is_no_character ? 0 : got;
}

static bool
is_plain(const char *path, size_t len)
{
    for (size_t i = 0; i < len;) {
        unsigned got = plain_length(path + i, len - i);
        if (got == 0) {
            return false;
        }
        i += got;
    }
    return true;
}

static void
add_plain(struct text *out, const char *path, size_t len)
{
    size_t begin = 0;
    for (size_t i = 0; i < len; i++) {
        const char *word = path[i] == '/'   ? "\\"
                           : path[i] == '&' ? "&amp;"
                           : path[i] == '<' ? "&lt;"
                           : path[i] == '>' ? "&gt;"
                                            : NULL;
        if (word != NULL) {
            text_add(out, path + begin, i - begin);
            text_add_str(out, word);
            begin = i + 1;
        }
    }
    text_add(out, path + begin, len - begin);
}

/* The leading slash says that backslashes are part of names. */
static void
add_base64(struct text *out, const char *path, size_t len)
{
    char group[GROUP_BYTES];
    char base64[BASE64_ROOM(GROUP_BYTES)];
    size_t done = 0;
    size_t filled = 1;
    group[0] = '/';
    do {
        size_t more = MIN_OF(len - done, GROUP_BYTES - filled);
        memcpy(group + filled, path + done, more);
        text_add_str(out, base64_encode(group, filled + more, base64));
        done += more;
        filled = 0;
    } while (done < len);
}

void
manifest_write_line(struct text *out, const char *path, size_t path_len, uint64_t size_bytes,
                    uint64_t crc64)
{
    bool plain = is_plain(path, path_len);
    text_addf(out, "<file size=\"%llu\" crc64=\"0x%016llx\"%s", (unsigned long long)size_bytes,
              (unsigned long long)crc64, plain ? ">\\" : " name_encoding=\"Base64\">");
    if (plain) {
        add_plain(out, path, path_len);
    } else {
        add_base64(out, path, path_len);
    }
    text_add_str(out, "</file>\n");
}

void
manifest_file_name(const char *share_name, enum share_kind kind, struct text *out)
{
    static const char *const endings[SHARE_KIND_COUNT] = {
        [SHARE_NONE] = ".txt",      [SHARE_BLOCK] = ".txt",     [SHARE_PAGE] = ".txt",
        [SHARE_FILES] = "-BOM.txt", [SHARE_DISKS] = "-BOM.txt",
    };
    text_clear(out);
    text_addf(out, "%s%s", share_name, endings[kind]);
}
