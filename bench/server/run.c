/* A server process: signals in, lines out. */
#include "bench/server/server.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool
put_all(int fd, const struct text *line)
{
    const char *at = text_str(line);
    size_t left = line->len;
    while (left > 0) {
        ssize_t wrote = write(fd, at, left);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return false;
        }
        at += wrote;
        left -= (size_t)wrote;
    }
    return true;
}

static void
serve(struct server *server, const sigset_t *signals, int out_fd)
{
    AUTO_TEXT line = TEXT_INIT;
    text_addf(&line, "listening on %u\n", server_port(server));
    bool is_open = put_all(out_fd, &line);
    while (is_open) {
        int number = 0;
        if (sigwait(signals, &number) != 0 || number == SIGTERM || number == SIGINT) {
            return;
        }
        text_clear(&line);
        if (number == SIGUSR2) {
            server_renew(server);
            text_add_str(&line, "renewed\n");
        } else {
            server_report(server, &line);
        }
        is_open = put_all(out_fd, &line);
    }
}

enum err_code
server_run(const struct server_options *options, int out_fd, struct err *err)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1, SIGUSR2};
    struct server *server = NULL;
    sigset_t signals;
    pid_t parent = getppid();
    (void)sigemptyset(&signals);
    for (unsigned i = 0; i < COUNT_OF(numbers); i++) {
        (void)sigaddset(&signals, numbers[i]);
    }
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    enum err_code code = server_start(options, &server, err);
    if (code == ERR_OK) {
        /* The parent may have gone before it could have been noticed. */
        if (getppid() == parent) {
            serve(server, &signals, out_fd);
        }
        (void)server_stop(server);
    }
    return code;
}
