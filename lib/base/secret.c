#include "lib/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { SECRET_MAX = 4096 };

struct im_secret {
    size_t len;
    char bytes[SECRET_MAX];
};

void im_secret_free(struct im_secret **s) {
    if (!s || !*s)
        return;
    explicit_bzero(*s, sizeof **s);
    free(*s);
    *s = NULL;
}

struct berval im_secret_value(const struct im_secret *s) {
    const char *bytes = s ? s->bytes : "";
    struct berval value = {.bv_len = s ? s->len : 0};
    memcpy(&value.bv_val, &bytes, sizeof value.bv_val); /* berval has no const; nobody writes through it */
    return value;
}

/* Reads up to the end of the first line; further lines are not part of the secret. */
static enum im_err read_line(int fd, struct im_secret *s, const char *name, struct im_error *e) {
    for (;;) {
        char c;
        ssize_t got = read(fd, &c, 1);
        if (got < 0 && errno == EINTR)
            return im_error_set(e, IM_E_INTERRUPTED, "stopped while reading the password");
        if (got < 0)
            return im_error_set_errno(e, IM_E_IO, errno, "cannot read the password from %s", name);
        if (got == 0 || c == '\n')
            break;
        if (s->len == SECRET_MAX - 1) {
            return im_error_set(e, IM_E_INPUT, "the first line of %s is longer than %d bytes: not a password", name,
                                SECRET_MAX - 1);
        }
        s->bytes[s->len++] = c;
    }
    if (s->len && s->bytes[s->len - 1] == '\r')
        s->bytes[--s->len] = '\0';
    return IM_OK;
}

static enum im_err check_file(int fd, const char *path, struct im_error *e) {
    struct stat st;
    if (fstat(fd, &st) != 0)
        return im_error_set_errno(e, IM_E_IO, errno, "cannot look at the password file %s", path);
    if (S_ISDIR(st.st_mode))
        return im_error_set(e, IM_E_INPUT, "the password file %s is a directory", path);
    if (S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO))) {
        return im_error_set(e, IM_E_INPUT, "the password file %s can be read by others (mode %03o): chmod 600 %s", path,
                            (unsigned)(st.st_mode & 0777), path);
    }
    return IM_OK;
}

enum im_err im_secret_from_file(const char *path, struct im_secret **out, struct im_error *e) {
    struct im_secret *s = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return im_error_set_errno(e, IM_E_IO, errno, "cannot open the password file %s", path);
    enum im_err err = check_file(fd, path, e);
    if (err != IM_OK)
        goto out;
    s = calloc(1, sizeof *s);
    err = s ? read_line(fd, s, path, e) : im_error_nomem(e);
    if (err == IM_OK && s && s->len == 0)
        err = im_error_set(e, IM_E_INPUT, "the first line of the password file %s is empty", path);
out:
    (void)close(fd);
    if (err == IM_OK) {
        *out = s;
    } else {
        im_secret_free(&s);
    }
    return err;
}

/* A signal that comes between the prompt and the read must end the read as well: signals are only let in while waiting. */
static enum im_err wait_for_line(int fd, const sigset_t *signals, struct im_error *e) {
    struct pollfd terminal = {.fd = fd, .events = POLLIN};
    if (ppoll(&terminal, 1, NULL, signals) > 0) {
        return IM_OK;
    }
    return errno == EINTR ? im_error_set(e, IM_E_INTERRUPTED, "stopped while reading the password")
                          : im_error_set_errno(e, IM_E_IO, errno, "cannot wait for the terminal");
}

enum im_err im_secret_from_terminal(const char *prompt, struct im_secret **out, struct im_error *e) {
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return im_error_set(e, IM_E_USAGE, "cannot ask for the password: there is no terminal; use --password-file");
    enum im_err err = IM_OK;
    struct termios old;
    struct im_secret *s = calloc(1, sizeof *s);
    if (!s) {
        err = im_error_nomem(e);
        goto out;
    }
    if (tcgetattr(fd, &old) != 0) {
        err = im_error_set_errno(e, IM_E_IO, errno, "cannot use the terminal");
        goto out;
    }
    struct termios silent = old;
    sigset_t all;
    sigset_t before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    (void)tcsetattr(fd, TCSAFLUSH, &silent);
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    (void)dprintf(fd, "%s", prompt);
    err = wait_for_line(fd, &before, e);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (err == IM_OK) {
        err = read_line(fd, s, "the terminal", e);
    }
    (void)tcsetattr(fd, TCSAFLUSH, &old);
    (void)dprintf(fd, "\n");
out:
    (void)close(fd);
    if (err == IM_OK) {
        *out = s;
    } else {
        im_secret_free(&s);
    }
    return err;
}
