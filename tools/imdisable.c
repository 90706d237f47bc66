/* imdisable: brings accounts to the state "not enabled", every IM attribute removed together. */
#include "tools/change.h"

static const struct im_option rows[] = {
    IM_OPTIONS_SOURCES,
    IM_OPTION_PROGRESS,
    IM_OPTION_YES,
    {.long_name = "keep-acl", .kind = IM_OPT_FLAG, .target = &im_change_options.keep_acl, .help = "keep the privacy list"},
    {.long_name = "suspend",
     .kind = IM_OPT_FLAG,
     .target = &im_change_options.suspend,
     .help = "the profile's suspended state, where it has one: everything else is kept"},
    IM_OPTIONS_CHANGING,
    IM_OPTION_END,
};
static const struct im_option *const groups[] = {rows, im_common_directory, im_common_output, NULL};
static const char *const titles[] = {"Disabling", "Directory", "Output and behaviour", NULL};
static const struct im_option_table table = {.groups = groups,
                                             .group_titles = titles,
                                             .command = "imdisable",
                                             .arguments = "[ACCOUNT...]",
                                             .summary =
                                                 "Disable people for instant messaging: every attribute, removed together."};

int main(int argc, char **argv) {
    struct im_command c;
    int status;
    if (!im_command_begin(&c, &table, true, argc, argv, &status)) {
        return status;
    }
    return im_command_end(&c, im_change_main(&c, IM_DISABLE));
}
