/* How fast a changing command goes, and how far: --window, --connections, --rate, --max-failures, --max-changes. */
#ifndef IMDIR_TOOLS_LIMITS_H
#define IMDIR_TOOLS_LIMITS_H

#include "tools/amount.h"
#include "tools/option.h"

/* Values of the options below, as they were given. */
struct im_limit_options {
    const char *window, *connections, *rate, *max_failures, *max_changes;
};
extern struct im_limit_options im_limit_options;

#define IM_OPTION_WINDOW                                                                                                         \
    {                                                                                                                            \
        .long_name = "window", .kind = IM_OPT_TEXT, .target = &im_limit_options.window, .argument = "N",                         \
        .help = "changes in flight on a connection, 1 to 512; without it, as many as the way to the server is worth"             \
    }
#define IM_OPTION_CONNECTIONS                                                                                                    \
    {                                                                                                                            \
        .long_name = "connections", .kind = IM_OPT_TEXT, .target = &im_limit_options.connections, .argument = "N",               \
        .help = "connections to write through, 1 to 16 (1)"                                                                      \
    }
#define IM_OPTION_RATE                                                                                                           \
    {                                                                                                                            \
        .long_name = "rate", .kind = IM_OPT_TEXT, .target = &im_limit_options.rate, .argument = "N",                             \
        .help = "at most N changes a second"                                                                                     \
    }
#define IM_OPTION_MAX_FAILURES                                                                                                   \
    {                                                                                                                            \
        .long_name = "max-failures", .kind = IM_OPT_TEXT, .target = &im_limit_options.max_failures, .argument = "N|P%",          \
        .help = "stop when so many accounts failed (50 or 5%, whichever is more, once 100 were tried)"                           \
    }
#define IM_OPTION_MAX_CHANGES                                                                                                    \
    {                                                                                                                            \
        .long_name = "max-changes", .kind = IM_OPT_TEXT, .target = &im_limit_options.max_changes, .argument = "N|P%",            \
        .help = "plan everything first, and write nothing where more accounts would change"                                      \
    }

struct im_limits {
    struct im_pace pace;
    struct im_amount max_changes;
    bool limits_changes;
};

/* IM_E_USAGE names the option and what it takes. */
enum im_err im_limits_parse(struct im_limits *out, struct im_error *e);

#endif
