/* imundo: takes back what a journal says was written. */
#include "tools/change.h"
#include "tools/limits.h"
#include "tools/recording.h"

static const struct im_option rows[] = {
    IM_OPTION_DRY_RUN, IM_OPTION_PROGRESS,    IM_OPTION_JOURNAL, IM_OPTION_NO_JOURNAL,   IM_OPTION_PLAN,
    IM_OPTION_WINDOW,  IM_OPTION_CONNECTIONS, IM_OPTION_RATE,    IM_OPTION_MAX_FAILURES, IM_OPTION_MAX_CHANGES,
    IM_OPTION_CHANGES, IM_OPTION_REPLICATE,   IM_OPTION_WAIT,    IM_OPTION_END,
};
static const struct im_option *const groups[] = {rows, im_common_directory, im_common_output, NULL};
static const char *const titles[] = {"Taking back", "Directory", "Output and behaviour", NULL};
static const struct im_option_table table = {.groups = groups,
                                             .group_titles = titles,
                                             .command = "imundo",
                                             .arguments = "JOURNAL",
                                             .summary =
                                                 "Take back what a journal says was written, where nobody changed it since."};

int main(int argc, char **argv) {
    struct im_command c;
    int status;
    if (!im_command_begin(&c, &table, true, argc, argv, &status)) {
        return status;
    }
    return im_command_end(&c, im_change_main(&c, IM_UNDO));
}
