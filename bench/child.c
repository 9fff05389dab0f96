#include "bench/child.h"

#include "base/fd.h"
#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_BYTES_MAX 256U

NO_RETURN static void
be_server(const struct server_options *options, int out_fd)
{
    struct err err = ERR_NONE;
    /* An interrupt from the terminal is for the parent, which then ends us. */
    (void)setpgid(0, 0);
    enum err_code code = server_run(options, out_fd, &err);
    if (code != ERR_OK) {
        AUTO_TEXT line = TEXT_INIT;
        text_addf(&line, "%s\n", err.text);
        ssize_t wrote = write(out_fd, text_str(&line), line.len);
        (void)wrote;
    }
    _exit((int)err_exit(code));
}

/* The first line: "listening on PORT", or why not. */
static enum err_code
read_port(int fd, unsigned *ret_port, struct err *err)
{
    static const char words[] = "listening on ";
    char line[LINE_BYTES_MAX];
    size_t len = 0;
    uint64_t port = 0;
    while (len < sizeof line - 1) {
        ssize_t got = read(fd, line + len, 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0 || line[len] == '\n') {
            break;
        }
        len++;
    }
    line[len] = '\0';
    if (strncmp(line, words, sizeof words - 1) != 0 ||
        units_parse_u64(line + sizeof words - 1, &port, err) != ERR_OK) {
        return err_set(err, ERR_SYSTEM, "the benchmark's server did not start: %s", line);
    }
    *ret_port = (unsigned)port;
    return ERR_OK;
}

enum err_code
child_start(const struct server_options *options, struct child *ret_child, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return err_set_sys(err, ERR_SYSTEM, errno, "could not make a pipe");
    }
    struct child child = {.pid = fork(), .out_fd = ends[0]};
    if (child.pid == 0) {
        (void)close(ends[0]);
        be_server(options, ends[1]);
    }
    (void)close(ends[1]);
    if (child.pid < 0) {
        (void)close(ends[0]);
        return err_set_sys(err, ERR_SYSTEM, errno, "could not start a process");
    }
    enum err_code code = read_port(child.out_fd, &child.port, err);
    if (code != ERR_OK) {
        child_stop(&child);
        return code;
    }
    *ret_child = child;
    return ERR_OK;
}

void
child_stop(struct child *child)
{
    if (child->pid <= 0) {
        return;
    }
    (void)kill(child->pid, SIGTERM);
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    fd_close(&child->out_fd);
    child->pid = 0;
}
