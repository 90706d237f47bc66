/* The options that every command has, as groups of rows, and where their values go. */
#ifndef IMDIR_TOOLS_COMMON_OPTIONS_H
#define IMDIR_TOOLS_COMMON_OPTIONS_H

#include "tools/option.h"

/* Values of options that are not configuration keys. */
struct im_common {
    const char *config_file, *output, *color, *completion;
    const char *progress; /* only where the command has the row */
    bool simple, ask_password, quiet, help, version, print_config, list_options, list_keys;
    int verbose;
    bool dry_run, yes; /* only where the command has these rows */
};

extern struct im_common im_common;

/* Groups for a command's table, after its own: titles "Directory" and "Output and behaviour". */
extern const struct im_option im_common_directory[], im_common_output[];
extern const struct im_option im_common_check_output[]; /* instead of the latter: with the formats of imcheck */

/* Rows for the groups of commands that change something. */
#define IM_OPTION_DRY_RUN                                                                                                        \
    {                                                                                                                            \
        .long_name = "dry-run", .short_name = 'n', .kind = IM_OPT_FLAG, .target = &im_common.dry_run,                            \
        .help = "read, check and show exactly what would be written; write nothing"                                              \
    }
#define IM_OPTION_YES                                                                                                            \
    { .long_name = "yes", .kind = IM_OPT_FLAG, .target = &im_common.yes, .help = "do not ask before writing" }

#define IM_OPTION_PROGRESS                                                                                                       \
    {                                                                                                                            \
        .long_name = "progress", .kind = IM_OPT_TEXT, .target = &im_common.progress, .argument = "WHEN",                         \
        .complete = IM_COMPLETE_CHOICES, .choices = im_common_whens,                                                             \
        .help = "a line on standard error that says how far the run is"                                                          \
    }
extern const char *const im_common_whens[]; /* auto, always, never */

/* Contradictions between the options given, in words: IM_E_USAGE. */
enum im_err im_common_check(const struct im_parsed *parsed, struct im_error *e);
/* Sets in config what the options imply: -x, -D and -Y the bind method, -W the prompt. After im_options_apply. */
enum im_err im_common_apply(const struct im_parsed *parsed, struct im_config *config, struct im_error *e);

#endif
