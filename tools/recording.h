/* Where a run writes down what it changes, before it does: --journal; and a dry run what it would change: --plan. */
#ifndef IMDIR_TOOLS_RECORDING_H
#define IMDIR_TOOLS_RECORDING_H

#include "tools/command.h"

/* Values of the options below. */
struct im_recording_options {
    const char *journal, *plan;
    bool no_journal;
};
extern struct im_recording_options im_recording_options;

#define IM_OPTION_JOURNAL                                                                                                        \
    {                                                                                                                            \
        .long_name = "journal", .kind = IM_OPT_TEXT, .target = &im_recording_options.journal, .argument = "FILE",                \
        .complete = IM_COMPLETE_FILE, .help = "write what is changed, and what was there before, to this file"                   \
    }
#define IM_OPTION_NO_JOURNAL                                                                                                     \
    {                                                                                                                            \
        .long_name = "no-journal", .kind = IM_OPT_FLAG, .target = &im_recording_options.no_journal,                              \
        .help = "keep no journal: the run cannot be undone"                                                                      \
    }
#define IM_OPTION_PLAN                                                                                                           \
    {                                                                                                                            \
        .long_name = "plan", .kind = IM_OPT_TEXT, .target = &im_recording_options.plan, .argument = "FILE",                      \
        .complete = IM_COMPLETE_FILE, .help = "with --dry-run: save the plan, which imapply carries out later"                   \
    }

/* Before connecting: IM_E_USAGE where the options contradict each other. */
enum im_err im_recording_check(struct im_command *c);
/* And where the file cannot be created: that is not to turn up when everything is planned and agreed to. */
enum im_err im_recording_check_place(struct im_command *c);
/* Before the first account: fills head->kind, ->command, ->version and ->profile, and opens the file; *out NULL where none is
 * wanted. */
enum im_err im_recording_open(struct im_command *c, struct im_journal_head *head, struct im_journal **out);
/* At the end, also after an error, and where *journal is NULL: closes the file and tells where it is where the run was not
 * finished. An error is returned, and set in c->error where there is none. */
enum im_err im_recording_close(struct im_command *c, struct im_journal **journal, const struct im_summary *summary,
                               bool is_complete);

#endif
