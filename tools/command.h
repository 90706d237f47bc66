/* The frame of every command: options, configuration, signals, connection, messages and exit status.
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct im_command c;
 *         int status;
 *         if (!im_command_begin(&c, &table, true, argc, argv, &status)) {
 *             return status;
 *         }
 *         ... im_command_connect(&c, &directory), work; on an error: status = im_command_fail(&c)
 *         return im_command_end(&c, status);
 *     }
 */
#ifndef IMDIR_TOOLS_COMMAND_H
#define IMDIR_TOOLS_COMMAND_H

#include "tools/common_options.h"

#include <stdatomic.h>

struct im_command {
    const struct im_option_table *table;
    struct im_pool *pool;
    struct im_config *config;
    struct im_strings arguments; /* positional */
    char **argv;                 /* as called */
    bool changes;                /* this command writes to the directory */
    bool wrote;                  /* set by the command: something was or may have been written; decides the status of a failure */
    int verbosity;               /* -1 quiet, 0, 1 = -v, 2 = -vv */
    const char *output;          /* name of the format */
    bool color;                  /* on standard output */
    size_t width;                /* columns of standard output; 0 = not a terminal */
    struct im_secret *password;
    size_t connections;           /* to the server, set before im_command_connect; 0 = 1 */
    struct im_live_options live;  /* filled by im_command_connect; also for im_live_open_gc */
    struct im_progress *progress; /* the line on standard error (tools/progress.h), or NULL */
    struct im_error error;        /* the command's error: pass &c.error to what may fail */
};

/* Parses options, reads the configuration files, merges, validates, sets up signals. Does --help, --version, --completion,
 * --print-config itself. False: all is done or wrong, everything is freed, return *status. */
bool im_command_begin(struct im_command *c, const struct im_option_table *table, bool changes, int argc, char **argv,
                      int *status);

/* Asks for or reads the password where one is needed, and connects; c->changes refuses global catalog ports. */
enum im_err im_command_connect(struct im_command *c, struct im_directory **out);

/* Before connecting: IM_E_USAGE where a question would have to be asked but there is neither --yes nor a terminal. */
enum im_err im_command_can_ask(struct im_command *c);
/* Asks on /dev/tty, never on standard input; --yes answers. IM_E_INTERRUPTED where the signal came instead of an answer. */
enum im_err im_command_confirm(struct im_command *c, const char *question, bool *yes);

/* Set by SIGINT, SIGTERM and SIGHUP. */
const atomic_int *im_command_stop(void);

/* A line on standard error, "imenable: text", control characters escaped. level 0 = warning (not with -q), 1 = -v, 2 = -vv. */
void im_command_note(const struct im_command *c, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* im_log_fn; user is the struct im_command. */
void im_command_log(void *user, int level, const char *text);

/* A line that says how the command was called, quoted for a shell: it does the rest when it is run again. Without the option
 * `except`, such as "--journal", and its value. */
void im_command_note_again(const struct im_command *c, const char *except);

/* Where reports go. */
struct im_out im_command_out(const struct im_command *c);

/* Prints c->error as "imenable: file:line:column: text" and returns the exit status: the error's own, or 4 once c->wrote is set.
 */
int im_command_fail(struct im_command *c);
/* Flushes standard output (a failure is status 4; a closed pipe is quiet in commands that only read), frees, returns the status.
 */
int im_command_end(struct im_command *c, int status);

#endif
