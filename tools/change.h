/* What the commands share that change accounts. */
#ifndef IMDIR_TOOLS_CHANGE_H
#define IMDIR_TOOLS_CHANGE_H

#include "tools/limits.h"
#include "tools/recording.h"
#include "tools/replicas.h"
#include "tools/sources.h"

/* Values of the options below. */
struct im_change_options {
    const char *home, *domain, *address, *changes;
    struct im_strings allow;
    bool keep_acl, suspend;
};
extern struct im_change_options im_change_options;

#define IM_OPTION_CHANGES                                                                                                        \
    {                                                                                                                            \
        .long_name = "changes", .kind = IM_OPT_TEXT, .target = &im_change_options.changes, .argument = "FILE",                   \
        .help = "write the modifications as LDIF change records; with --dry-run nothing else happens",                           \
        .complete = IM_COMPLETE_FILE                                                                                             \
    }

#define IM_OPTION_ALLOW                                                                                                          \
    {                                                                                                                            \
        .long_name = "allow", .kind = IM_OPT_TEXTS, .target = &im_change_options.allow, .argument = "RULES",                     \
        .help = "go on although these rules would refuse the account; it is reported all the same"                               \
    }
/* How fast, how far, and what is written down of it: rows that every command has which changes the accounts that it is told. */
#define IM_OPTIONS_CHANGING                                                                                                      \
    IM_OPTION_WINDOW, IM_OPTION_CONNECTIONS, IM_OPTION_RATE, IM_OPTION_MAX_FAILURES, IM_OPTION_MAX_CHANGES, IM_OPTION_CHANGES,   \
        IM_OPTION_DRY_RUN, IM_OPTION_JOURNAL, IM_OPTION_NO_JOURNAL, IM_OPTION_PLAN, IM_OPTION_REPLICATE, IM_OPTION_WAIT

struct im_facts_gathered;

/* --address and the configuration's template are checked before anybody is asked. */
enum im_err im_change_check_templates(struct im_command *c);
/* Some account is to be homed by load. sources may be NULL. */
bool im_change_wants_auto(const struct im_command *c, const struct im_sources *sources);
/* What the options and the configuration ask for, with what they name found among the servers. */
enum im_err im_change_request(struct im_command *c, const struct im_sources *sources, const struct im_facts_gathered *facts,
                              enum im_action action, struct im_request *out);

/* The whole command after its options are read; returns the exit status. */
int im_change_main(struct im_command *c, enum im_action action);
/* The same where the sources are open already; they are taken. */
int im_change_main_take(struct im_command *c, enum im_action action, struct im_sources *sources);

#endif
