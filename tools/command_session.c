/* Connecting, and asking the person at the terminal. */
#include "tools/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static bool is_simple(const struct im_config *config) {
    return config->bind_method == IM_BIND_SIMPLE || (config->bind_method == IM_BIND_DEFAULT && config->bind_dn != NULL);
}

static enum im_err ask_password(struct im_command *c, const char *who) {
    struct im_buf prompt = IM_BUF_INIT;
    enum im_err err;
    if (*im_command_stop()) {
        return im_error_set(&c->error, IM_E_INTERRUPTED, "interrupted before anything was written");
    }
    im_buf_adds(&prompt, "Password");
    if (who != NULL) {
        im_buf_adds(&prompt, " of ");
        im_text_escape(who, strlen(who), &prompt);
    }
    im_buf_adds(&prompt, ": ");
    err = prompt.failed ? im_error_nomem(&c->error) : im_secret_from_terminal(im_buf_str(&prompt), &c->password, &c->error);
    im_buf_free(&prompt);
    return err;
}

/* While a password is in memory, no core dump and no debugger of the same user may show it. */
static enum im_err get_password(struct im_command *c) {
    const struct im_config *config = c->config;
    const char *who = config->bind_dn != NULL ? config->bind_dn : config->sasl_user;
    enum im_err err = IM_OK;
    prctl(PR_SET_DUMPABLE, 0);
    if (config->ask_password) {
        err = ask_password(c, who);
    } else if (config->password_file != NULL) {
        err = im_secret_from_file(config->password_file, &c->password, &c->error);
    }
    if (err != IM_OK || !is_simple(config)) {
        return err;
    }
    if (c->password == NULL) {
        return im_error_set(&c->error, IM_E_USAGE, "a simple bind as %s needs a password: give -W to be asked, or -y FILE", who);
    }
    if (im_secret_value(c->password).bv_len == 0) {
        return im_error_set(&c->error, IM_E_USAGE,
                            "the password is empty, and a server would take the bind as %s for an anonymous one", who);
    }
    return IM_OK;
}

enum im_err im_command_connect(struct im_command *c, struct im_directory **out) {
    bool is_offline = im_offline_is_wanted(c->config);
    enum im_err err = is_offline ? IM_OK : get_password(c);
    if (err != IM_OK) {
        return err;
    }
    c->live = (struct im_live_options){.config = c->config,
                                       .password = c->password,
                                       .stop = im_command_stop(),
                                       .log = im_command_log,
                                       .log_user = c,
                                       .verbosity = c->verbosity,
                                       .will_change = c->changes};
    err = is_offline ? im_offline_open(&c->live, out, &c->error)
                     : im_live_open_several(&c->live, c->connections > 0 ? c->connections : 1, out, &c->error);
    if (err == IM_OK && is_offline) {
        im_command_note(c, 1, "working on the export %s", im_directory_uri(*out));
    } else if (err == IM_OK) {
        im_command_note(c, 1, "working on %s as %s", im_directory_uri(*out), im_directory_identity(*out));
    }
    return err;
}

/* ---- the question ---- */

static int open_terminal(void) {
    return open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

enum im_err im_command_can_ask(struct im_command *c) {
    int fd;
    if (im_common.yes) {
        return IM_OK;
    }
    fd = open_terminal();
    if (fd < 0) {
        return im_error_set(
            &c->error, IM_E_USAGE,
            "this run would ask before it writes, and there is no terminal to ask on: give --yes, or look first with "
            "--dry-run");
    }
    close(fd);
    return IM_OK;
}

/* A signal between looking at the flag and waiting must not be lost, so signals are only let in by ppoll. */
static enum im_err wait_for_input(struct im_command *c, int fd) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    sigset_t all, before;
    int ready = -1;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    while (!*im_command_stop() && ready < 0) {
        ready = ppoll(&poll_fd, 1, NULL, &before);
        if (ready < 0 && errno != EINTR) {
            break;
        }
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return ready > 0 ? IM_OK : im_error_set(&c->error, IM_E_INTERRUPTED, "interrupted before anything was written");
}

enum im_err im_command_confirm(struct im_command *c, const char *question, bool *yes) {
    char answer[64] = "";
    struct im_buf text = IM_BUF_INIT;
    ssize_t got = 0;
    enum im_err err = im_command_can_ask(c);
    int fd;
    if (err != IM_OK || im_common.yes) {
        *yes = err == IM_OK;
        return err;
    }
    fd = open_terminal();
    im_text_escape(question, strlen(question), &text);
    im_buf_adds(&text, " [y/N] ");
    fflush(stdout);
    if (fd < 0 || write(fd, im_buf_str(&text), text.len) < 0) {
        err = im_error_set_errno(&c->error, IM_E_USAGE, errno, "cannot ask on /dev/tty");
    } else {
        err = wait_for_input(c, fd);
    }
    if (err == IM_OK) {
        got = read(fd, answer, sizeof answer - 1);
        answer[got < 0 ? 0 : got] = '\0';
        size_t len = strcspn(answer, " \t\r\n");
        *yes = im_text_equal_n(answer, len, "y", 1) || im_text_equal_n(answer, len, "yes", 3);
    }
    if (fd >= 0 && memchr(answer, '\n', sizeof answer) == NULL) {
        (void)!write(fd, "\n", 1); /* the end of a file, or a signal: what is told next begins a line */
    }
    if (fd >= 0) {
        close(fd);
    }
    im_buf_free(&text);
    return err;
}
