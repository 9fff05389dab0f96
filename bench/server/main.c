/* bench_server: the benchmark's sink and source as a program of its own, for tests. */
#include "base/option.h"
#include "bench/server/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

struct values {
    const char *host;
    uint64_t port;
    uint64_t threads;
    bool wants_discard;
    bool wants_keep;
    const char *root;
    const char *cert;
    const char *key;
    struct option_list faults;
};

// clang-format off
#define AT(field) offsetof(struct values, field)
static const struct option options[] = {
    {.name = "host",    .kind = OPTION_TEXT,   .offset = AT(host),          .value = "ADDRESS", .initial = "127.0.0.1", .help = "IPv4 address to listen on"},
    {.name = "port",    .kind = OPTION_NUMBER, .offset = AT(port),          .value = "PORT",    .max = 65535, .initial = "0", .help = "port to listen on; 0: any that is free"},
    {.name = "threads", .kind = OPTION_NUMBER, .offset = AT(threads),       .value = "N",       .min = 1, .max = SERVER_THREADS_MAX, .initial = "1", .help = "threads that serve connections"},
    {.name = "discard", .kind = OPTION_FLAG,   .offset = AT(wants_discard),                     .help = "forget bodies, remember lengths and checksums (the default)"},
    {.name = "keep",    .kind = OPTION_FLAG,   .offset = AT(wants_keep),                        .help = "keep bodies in memory, so that they can be read back"},
    {.name = "root",    .kind = OPTION_TEXT,   .offset = AT(root),          .value = "DIR",     .help = "serve the files DIR/CONTAINER/NAME, take nothing"},
    {.name = "cert",    .kind = OPTION_TEXT,   .offset = AT(cert),          .value = "FILE",    .help = "TLS with this certificate chain (PEM)"},
    {.name = "key",     .kind = OPTION_TEXT,   .offset = AT(key),           .value = "FILE",    .help = "its private key (PEM)"},
    {.name = "fault",   .kind = OPTION_LIST,   .offset = AT(faults),        .value = "KIND[:every=N][:after=N][:count=N][:status=S][:seconds=S][:verb=V]", .help = "misbehave; may be repeated"},
};
static const struct command command = {
    .path = "bench_server",
    .summary = "Take or serve blobs for benchmarks and tests",
    .options = options,
    .option_count = COUNT_OF(options),
    .values_bytes = sizeof(struct values),
};
// clang-format on

static int
fail(const struct err *err)
{
    (void)fprintf(stderr, "bench_server: %s: %s\n", err_name(err->code), err->text);
    return (int)err_exit(err->code);
}

int
main(int argc, char **argv)
{
    struct values values = {0};
    struct err err = ERR_NONE;
    struct rlimit files;
    bool wants_help = false;
    if (option_parse(&command, NULL, 0, argc - 1, argv + 1, &values, NULL, &wants_help, &err) !=
        ERR_OK) {
        return fail(&err);
    }
    if (wants_help) {
        AUTO_TEXT help = TEXT_INIT;
        option_help(&command, NULL, 0, &help);
        (void)fputs(text_str(&help), stdout);
        return 0;
    }
    if (values.wants_discard && values.wants_keep) {
        (void)err_set(&err, ERR_USAGE, "--discard and --keep exclude each other");
        return fail(&err);
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    const struct server_options server = {
        .host = values.host,
        .port = (unsigned)values.port,
        .threads = (unsigned)values.threads,
        .mode = values.wants_keep ? STORE_KEEP : STORE_DISCARD,
        .root = values.root,
        .cert_file = values.cert,
        .key_file = values.key,
        // NOLINTBEGIN(concurrency-mt-unsafe): one thread yet
        .account_key = getenv("BENCH_SERVER_KEY"),
        .token = getenv("BENCH_SERVER_TOKEN"),
        .sas = getenv("BENCH_SERVER_SAS"),
        // NOLINTEND(concurrency-mt-unsafe)
        .faults = values.faults.values,
        .fault_count = values.faults.count,
    };
    return server_run(&server, STDOUT_FILENO, &err) == ERR_OK ? 0 : fail(&err);
}
