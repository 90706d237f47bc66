/* Option rows: one table a command serves parsing, --help, completion and the check of its manual. Hides popt and its traps. */
#ifndef IMDIR_TOOLS_OPTION_H
#define IMDIR_TOOLS_OPTION_H

#include "lib/imdir.h"

enum im_option_kind {
    IM_OPT_KEY,   /* takes a value (or none, where the key is a boolean): sets the configuration key `key` */
    IM_OPT_FLAG,  /* *(bool *)target = true */
    IM_OPT_COUNT, /* ++*(int *)target */
    IM_OPT_TEXT,  /* *(const char **)target: the last one given; lives as long as the pool of the parse */
    IM_OPT_TEXTS, /* appended to *(struct im_strings *)target; commas separate, but not in "quotes" */
};

/* What the shell offers after the option. */
enum im_complete { IM_COMPLETE_NONE, IM_COMPLETE_FILE, IM_COMPLETE_CHOICES, IM_COMPLETE_HOST };

struct im_option {
    const char *long_name;
    const char *key;      /* IM_OPT_KEY */
    void *target;         /* the others */
    const char *argument; /* name in --help; NULL: takes none */
    /* NULL: the value must be given. Else the value where the option stands alone, and another one is given as --NAME=VALUE. */
    const char *without_value;
    const char *help;
    /* NULL-terminated. IM_COMPLETE_CHOICES: also checked, but for keys, which have rules of their own. IM_COMPLETE_FILE: offered
     * beside files. */
    const char *const *choices;
    enum im_option_kind kind;
    enum im_complete complete;
    char short_name; /* '\0' = none */
    bool hidden;
};

/* Closes a group of rows. */
#define IM_OPTION_END                                                                                                            \
    { .long_name = NULL }

struct im_option_table {
    const struct im_option *const *groups; /* each ends with a row whose long_name is NULL; NULL-terminated */
    const char *const *group_titles;
    const char *command, *arguments; /* "imenable"; "[ACCOUNT...]", or NULL: takes none */
    const char *summary;
};

/* What a command line says. Everything is in the pool of the parse. */
struct im_parsed {
    struct im_strings arguments; /* positional */
    struct im_parsed_key {
        const struct im_option *row;
        const char *value;
    } * keys; /* the IM_OPT_KEY rows that were given, in order */
    size_t key_count;
};

/* Parses argv: fills the rows' targets and *parsed. IM_E_USAGE names the option; unknown ones get "did you mean". */
enum im_err im_options_parse(const struct im_option_table *table, int argc, char **argv, struct im_pool *pool,
                             struct im_parsed *parsed, struct im_error *e);
/* Sets the keys in config, with origin "option --NAME". Apart from parsing, because --config names a file that ranks below. */
enum im_err im_options_apply(const struct im_parsed *parsed, struct im_config *config, struct im_error *e);
bool im_options_given(const struct im_parsed *parsed, const char *key);

/* width: columns of the terminal; 0 = 80. */
void im_options_help(const struct im_option_table *table, size_t width, FILE *stream);
/* The completion script for "bash", "zsh" or "fish"; IM_E_USAGE for another shell. */
enum im_err im_options_completion(const struct im_option_table *table, const char *shell, FILE *stream, struct im_error *e);
/* One line a row that is not hidden: "--NAME", "-X" or "", and argument or "", separated by tabs. For the check of the manual. */
void im_options_list(const struct im_option_table *table, FILE *stream);

#endif
