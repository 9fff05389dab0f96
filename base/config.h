/*
 * base/config.h - settings that are not command-line options: one row each, from an INI file.
 *
 * Files: /etc/sallyport/sallyport.conf, then /etc/sallyport/conf.d/?*.conf in order, then --config
 * FILE. Sections and keys are the ones of CONFIG_MAP; an unknown one is an error with its line.
 * `sallyport doctor` shows the values and where each came from.
 *
 *   shape    a file has at most CONFIG_BYTES_MAX bytes; UTF-8; "key = value" under "[section]",
 *            198 bytes a line
 *   units    in the row; the text forms of base/units.h are accepted
 *   errors   ERR_CONFIG: names file, line, key, the wrong value and the right range
 *   owner    the struct is the caller's; texts are owned by it until config_done()
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define CONFIG_BYTES_MAX ((size_t)1024 * 1024)

enum config_unit { CONFIG_NUMBER, CONFIG_SIZE, CONFIG_RATE, CONFIG_DURATION };

// clang-format off
#define CONFIG_MAP(X)                                                                                                     \
/*    section  key                field                default           min            max                unit      help */ \
    X(retry,   give-up-after,     retry_give_up_ns,    120000000000,     0,             86400000000000,    DURATION, "a store without any success for so long is given up; also bounds Retry-After") \
    X(retry,   delay-min,         retry_delay_min_ns,  250000000,        1000000,       60000000000,       DURATION, "wait before the second try; doubles with each further one, with jitter") \
    X(retry,   delay-max,         retry_delay_max_ns,  15000000000,      1000000,       3600000000000,     DURATION, "longest wait between tries where the store does not say how long") \
    X(http,    connect-timeout,   connect_timeout_ns,  10000000000,      100000000,     600000000000,      DURATION, "longest wait for a connection") \
    X(http,    idle-timeout,      idle_timeout_ns,     20000000000,      100000000,     3600000000000,     DURATION, "a request on which no byte moves for so long has failed") \
    X(copy,    stall-timeout,     stall_timeout_ns,    180000000000,     1000000000,    86400000000000,    DURATION, "a copy on which nothing moves for so long stops, resumable") \
    X(copy,    failures-max,      failures_max,        10000,            0,             1000000000,        NUMBER,   "failed items after which a copy stops, resumable") \
    X(copy,    local-sync,        local_sync_ns,       2000000000,       10000000,      60000000000,       DURATION, "longest time between two syncs of a local target")
#define CONFIG_TEXT_MAP(X)                                                                                                \
/*    section  key                field                help */                                                            \
    X(azure,   key-file,          azure_key_file,      "file with the account key, mode 0600") \
    X(azure,   sas-file,          azure_sas_file,      "file with a shared access signature, mode 0600") \
    X(azure,   token-file,        azure_token_file,    "file with a bearer token, mode 0600; read again before it expires") \
    X(http,    transport,         transport,           "what carries HTTP: wire or curl; SALLYPORT_TRANSPORT and --transport go before it (default: wire, but curl where the environment names a proxy)") \
    X(http,    ca-file,           ca_file,             "an extra certificate authority, PEM; SALLYPORT_CA_FILE goes before it")
// clang-format on

#define CONFIG_AS_FIELD(section, key, field, def, min, max, unit, help) int64_t field;
#define CONFIG_AS_TEXT(section, key, field, help)                       char *field;
#define CONFIG_AS_ID(section, key, field, def, min, max, unit, help)    CONFIG_ID_##field,
#define CONFIG_TEXT_AS_ID(section, key, field, help)                    CONFIG_ID_##field,
#define CONFIG_AS_CHECK(section, key, field, def, min, max, unit, help)                            \
    _Static_assert((min) <= (def) && (def) <= (max), #field ": default is outside its limits");
CONFIG_MAP(CONFIG_AS_CHECK)

enum config_id { CONFIG_MAP(CONFIG_AS_ID) CONFIG_TEXT_MAP(CONFIG_TEXT_AS_ID) CONFIG_ID_COUNT };

struct config {
    CONFIG_MAP(CONFIG_AS_FIELD)
    CONFIG_TEXT_MAP(CONFIG_AS_TEXT)
    char *origin[CONFIG_ID_COUNT]; /* "FILE:LINE", NULL for the default */
};

void config_init(struct config *config); /* defaults */
MUST_USE enum err_code config_read_text(struct config *config, const char *name, const char *text,
                                        size_t len, struct err *err);
/* path NULL: only the system's files, which may be missing; otherwise path must exist. */
MUST_USE enum err_code config_load(struct config *config, const char *path, struct err *err);
void config_done(struct config *config);

struct config_row {
    const char *section;
    const char *key;
    const char *help;
    enum config_unit unit; /* of numbers */
    int64_t initial, min, max;
    size_t offset;
    int is_text;
};
extern const struct config_row config_rows[CONFIG_ID_COUNT];

#endif
