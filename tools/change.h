/* What the commands share that change accounts. */
#ifndef IMDIR_TOOLS_CHANGE_H
#define IMDIR_TOOLS_CHANGE_H

#include "tools/sources.h"

/* Values of the options below. */
struct im_change_options {
    const char *home, *domain, *address, *changes;
    struct im_strings allow;
    bool keep_acl;
};
extern struct im_change_options im_change_options;

#define IM_OPTION_CHANGES                                                                                                        \
    {                                                                                                                            \
        .long_name = "changes", .kind = IM_OPT_TEXT, .target = &im_change_options.changes, .argument = "FILE",                   \
        .help = "write the modifications as LDIF change records; with --dry-run nothing else happens",                           \
        .complete = IM_COMPLETE_FILE                                                                                             \
    }

/* The whole command after its options are read; returns the exit status. */
int im_change_main(struct im_command *c, enum im_action action);

#endif
