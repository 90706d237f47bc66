/* The frame of a command: begin, messages, end. */
#include "tools/command.h"

#include "tools/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "the handler of signals sets it, and threads read it");
static atomic_int stop_flag;

static void on_signal(int signal_number) {
    (void)signal_number;
    if (stop_flag) { /* asked again: whatever holds us up does not look at the flag */
        _exit(4);
    }
    stop_flag = 1;
}

const atomic_int *im_command_stop(void) {
    return &stop_flag;
}

/* What was closed would be given to the next file or connection, and results be written there. Reading from or writing to these
 * fails as it does on a closed one. */
static void hold_streams(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    }
}

/* No SA_RESTART: waits are to end. What the caller ignores (nohup) stays ignored. */
static void catch_signals(void) {
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal}, old;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
        if (sigaction(stops[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
            sigaction(stops[i], &action, NULL);
        }
    }
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL); /* a journal that outgrows its limit is told, not died of */
}

/* ---- messages ---- */

/* Text may come from a directory or a file name: nothing in it may reach the terminal as a control sequence. */
static void say(const struct im_command *c, const char *text) {
    struct im_buf line = IM_BUF_INIT;
    im_buf_addf(&line, "%s: ", c->table->command);
    im_text_escape(text, strlen(text), &line);
    im_buf_addc(&line, '\n');
    im_progress_hide(c);
    fputs(im_buf_str(&line), stderr);
    im_buf_free(&line);
}

void im_command_log(void *user, int level, const char *text) {
    const struct im_command *c = user;
    if (level <= c->verbosity) {
        say(c, text);
    }
}

void im_command_note(const struct im_command *c, int level, const char *format, ...) {
    char text[2048];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length >= 0 && level <= c->verbosity) {
        say(c, text);
    }
}

/* How many words the option takes if it begins with this one: "--name=VALUE", or "--name" and "VALUE". */
static size_t words_of(const char *word, const char *option) {
    size_t len = strlen(option);
    if (strncmp(word, option, len) != 0) {
        return 0;
    }
    return word[len] == '=' ? 1 : word[len] == '\0' ? 2 : 0;
}

void im_command_note_again(const struct im_command *c, const char *except) {
    struct im_buf line = IM_BUF_INIT;
    bool is_over = false; /* behind "--" there are no options */
    for (char **word = c->argv; *word != NULL; word++) {
        is_over = is_over || strcmp(*word, "--") == 0;
        size_t left_out = is_over ? 0 : words_of(*word, except);
        if (left_out > 0) {
            word += left_out - 1;
            continue;
        }
        im_buf_adds(&line, word == c->argv ? "" : " ");
        im_text_quote(*word, &line);
    }
    if (!line.failed && c->verbosity >= 0) {
        say(c, "the same command again does the rest:");
        say(c, im_buf_str(&line));
    }
    im_buf_free(&line);
}

/* Only a closed pipe polls as an error. */
static bool stdout_is_closed_pipe(void) {
    struct pollfd fd = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&fd, 1, 0) == 1 && (fd.revents & POLLERR) != 0;
}

int im_command_fail(struct im_command *c) {
    enum im_err code = c->error.code == IM_OK ? IM_E_INTERNAL : c->error.code;
    int status = im_err_row(code)->exit_status;
    char text[sizeof c->error.where + sizeof c->error.text + 64];
    if (code == IM_E_OUTPUT && !c->changes && stdout_is_closed_pipe()) {
        return 0; /* the reader has seen enough */
    }
    im_error_format(&c->error, text, sizeof text);
    say(c, text[0] == '\0' ? im_err_row(code)->text : text);
    return c->wrote && code != IM_E_INTERNAL ? 4 : status;
}

/* ---- end ---- */

static void release(struct im_command *c) {
    im_progress_end(c);
    im_secret_free(&c->password);
    im_config_free(&c->config);
    im_pool_free(&c->pool);
    prctl(PR_SET_DUMPABLE, 1); /* see im_command_connect */
}

int im_command_end(struct im_command *c, int status) {
    bool told = c->error.code == IM_E_OUTPUT;
    errno = 0;
    bool is_broken = fflush(stdout) != 0;
    int why = errno;
    is_broken = ferror(stdout) != 0 || is_broken;
    if (is_broken && !c->changes && stdout_is_closed_pipe()) {
        is_broken = false;
    }
    if (is_broken) {
        im_error_clear(&c->error);
        im_error_set_errno(&c->error, IM_E_OUTPUT, why == 0 ? EIO : why, "standard output cannot be written");
        status = told ? im_err_row(IM_E_OUTPUT)->exit_status : im_command_fail(c);
    }
    release(c);
    return status;
}

/* ---- begin ---- */

static size_t terminal_width(void) {
    struct winsize size;
    bool is_known = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
    return is_known ? (size_t)size.ws_col : 0;
}

static bool wants_color(void) {
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    if (im_common.color != NULL && strcmp(im_common.color, "auto") != 0) {
        return strcmp(im_common.color, "always") == 0;
    }
    return isatty(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0') && terminal != NULL &&
           strcmp(terminal, "dumb") != 0;
}

/* "name", range or "", default or "": for the check of the manual. */
static void list_keys(void) {
    size_t count;
    const struct im_key *keys = im_keys(&count);
    for (size_t i = 0; i < count; i++) {
        char range[64] = "";
        if (keys[i].type == IM_KEY_INT) {
            snprintf(range, sizeof range, "%ld to %ld", keys[i].min, keys[i].max);
        }
        printf("%s\t%s\t%s\n", keys[i].name, range, keys[i].fallback == NULL ? "" : keys[i].fallback);
    }
}

/* Options that only show something. True: it is done. */
static bool show(struct im_command *c, enum im_err *err) {
    if (im_common.help) {
        im_options_help(c->table, c->width, stdout);
    } else if (im_common.version) {
        printf("%s (imdir) %s\n", c->table->command, IMDIR_VERSION);
    } else if (im_common.completion != NULL) {
        *err = im_options_completion(c->table, im_common.completion, stdout, &c->error);
    } else if (im_common.list_options) {
        im_options_list(c->table, stdout);
    } else if (im_common.list_keys) {
        list_keys();
    } else {
        return false;
    }
    return true;
}

static enum im_err load_config(struct im_command *c, const struct im_parsed *parsed) {
    const char *file = im_common.config_file != NULL ? im_common.config_file : getenv("IMDIR_CONFIG");
    const char *profile = getenv("IMDIR_PROFILE");
    enum im_err err = im_config_load_standard(c->config, &c->error);
    if (err == IM_OK && file != NULL && file[0] != '\0') {
        err = im_config_load(c->config, file, true, &c->error);
    }
    if (err == IM_OK && profile != NULL && profile[0] != '\0') {
        err = im_config_set(c->config, "profile", profile, "environment IMDIR_PROFILE", &c->error);
    }
    if (err == IM_OK) {
        err = im_options_apply(parsed, c->config, &c->error);
    }
    if (err == IM_OK) {
        err = im_common_apply(parsed, c->config, &c->error);
    }
    if (err == IM_OK) {
        err = im_rules_check_config(c->config, &c->error);
    }
    return err == IM_OK ? im_config_check(c->config, &c->error) : err;
}

static enum im_err print_config(struct im_command *c) {
    struct im_buf text = IM_BUF_INIT;
    enum im_err err = IM_OK;
    im_config_print(c->config, &text);
    if (text.failed) {
        err = im_error_nomem(&c->error);
    } else {
        fputs(im_buf_str(&text), stdout);
    }
    im_buf_free(&text);
    return err;
}

/* *is_done: there is nothing left for the command itself. */
static enum im_err prepare(struct im_command *c, int argc, char **argv, bool *is_done) {
    struct im_parsed parsed;
    enum im_err err;
    c->pool = im_pool_new();
    c->config = im_config_new();
    if (c->pool == NULL || c->config == NULL) {
        return im_error_nomem(&c->error);
    }
    err = im_options_parse(c->table, argc, argv, c->pool, &parsed, &c->error);
    c->width = terminal_width();
    if (err == IM_OK && (*is_done = show(c, &err))) {
        return err;
    }
    if (err == IM_OK) {
        err = im_common_check(&parsed, &c->error);
    }
    if (err == IM_OK) {
        err = load_config(c, &parsed);
    }
    if (err == IM_OK && im_common.print_config) {
        *is_done = true;
        return print_config(c);
    }
    c->arguments = parsed.arguments;
    c->verbosity = im_common.quiet ? -1 : im_common.verbose;
    c->output = im_common.output == NULL ? "text" : im_common.output;
    c->color = wants_color();
    return err;
}

bool im_command_begin(struct im_command *c, const struct im_option_table *table, bool changes, int argc, char **argv,
                      int *status) {
    bool is_done = false;
    enum im_err err;
    *c = (struct im_command){.table = table, .changes = changes, .argv = argv};
    hold_streams();
    catch_signals();
    setenv("LDAPNOINIT", "1", 1); /* ldaprc, ldap.conf and LDAP... variables are not ours: before libldap's first call */
    err = prepare(c, argc, argv, &is_done);
    if (err == IM_OK && !is_done) {
        return true;
    }
    c->changes = false;
    *status = im_command_end(c, err == IM_OK ? 0 : im_command_fail(c));
    return false;
}

struct im_out im_command_out(const struct im_command *c) {
    static char buffer[65536]; /* a report of 20,000 accounts is 25 MB: not 4 KiB at a time */
    if (c->width == 0) {
        (void)setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    }
    return (struct im_out){.stream = stdout, .color = c->color, .width = c->width, .verbose = c->verbosity > 0};
}
