/*
 * An address as a user types it: taken apart and put together again it is the same, and neither a
 * refusal nor what is shown ever holds the query, which may be a signature.
 */
#include "base/arena.h"
#include "base/config.h"
#include "storage/backend.h"
#include "storage/http/url.h"
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

#define SIGNATURE "sig=THE-SIGNATURE"

static void
check_again(const struct url *url)
{
    AUTO_TEXT address = TEXT_INIT;
    struct url again;
    struct err err = ERR_NONE;
    text_addf(&address, "%s://%s", url->scheme, url->host);
    if (url->port != 0) {
        text_addf(&address, ":%u", url->port);
    }
    url_encode(&address, url->path, true);
    if (url->query != NULL) {
        text_addf(&address, "?%s", url->query);
    }
    if (address.len > URL_BYTES_MAX) {
        return;
    }
    FUZZ_MUST(url_parse(text_str(&address), &again, &err) == ERR_OK);
    FUZZ_MUST(strcmp(again.scheme, url->scheme) == 0);
    FUZZ_MUST(strcmp(again.host, url->host) == 0);
    FUZZ_MUST(strcmp(again.path, url->path) == 0);
    FUZZ_MUST(again.port == url->port);
    FUZZ_MUST((again.query == NULL) == (url->query == NULL));
    FUZZ_MUST(url->query == NULL || strcmp(again.query, url->query) == 0);
    url_done(&again);
}

/* Does text show the signature, which the address has in its query alone? */
static bool
is_shown(const char *text, const char *address)
{
    const char *in_address = strstr(address, SIGNATURE);
    const char *query = strchr(address, '?');
    return in_address != NULL && query != NULL && in_address > query &&
           strstr(text, SIGNATURE) != NULL;
}

static void
check_url(const char *address)
{
    struct url url;
    struct err err = ERR_NONE;
    AUTO_TEXT shown = TEXT_INIT;
    if (url_parse(address, &url, &err) == ERR_OK) {
        FUZZ_MUST(strlen(url.host) <= 257);
        FUZZ_MUST(url.path[0] == '/' || url.path[0] == '\0');
        url_display(&url, &shown);
        FUZZ_MUST(!is_shown(text_str(&shown), address));
        check_again(&url);
        url_done(&url);
    } else {
        FUZZ_MUST(err.code == ERR_USAGE);
        FUZZ_MUST(!is_shown(err.text, address));
    }
}

/* The same through the door that all addresses come in by. */
static void
check_end(const char *address)
{
    struct config config;
    struct err err = ERR_NONE;
    struct end *end = NULL;
    config_init(&config);
    bool is_remote = strncmp(address, "http://", 7) == 0 || strncmp(address, "https://", 8) == 0;
    const struct end_options options = {
        .role = END_SOURCE, .config = &config, .clock = &clock_system};
    if (end_open(address, &options, &end, &err) == ERR_OK) {
        FUZZ_MUST(!is_remote || !is_shown(end->display, address));
        end_close(end);
    } else {
        FUZZ_MUST(err.code == ERR_USAGE || err.code == ERR_UNSUPPORTED || err.code == ERR_CONFIG ||
                  err.code == ERR_SYSTEM);
        FUZZ_MUST(!is_remote || !is_shown(err.text, address));
    }
    config_done(&config);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *address = fuzz_text(data, size);
    AUTO_TEXT with_signature = TEXT_INIT;
    check_url(address);
    check_end(address);
    text_addf(&with_signature, "%s?%s", address, SIGNATURE);
    check_url(text_str(&with_signature));
    check_end(text_str(&with_signature));
    mem_give(address);
    return 0;
}
