/* imenable: brings accounts to the state "enabled for IM", every attribute written together. */
#include "tools/change.h"

static const struct im_option rows[] = {
    IM_OPTIONS_SOURCES,
    IM_OPTION_PROGRESS,
    IM_OPTION_YES,
    {.long_name = "home",
     .kind = IM_OPT_TEXT,
     .target = &im_change_options.home,
     .argument = "SERVER",
     .help = "home server: its name, host name or DN; auto = the least loaded one with room"},
    {.long_name = "domain",
     .kind = IM_OPT_TEXT,
     .target = &im_change_options.domain,
     .argument = "IMDOMAIN",
     .help = "IM domain, the right side of the address"},
    {.long_name = "address",
     .kind = IM_OPT_TEXT,
     .target = &im_change_options.address,
     .argument = "TEMPLATE",
     .help = "address, for example {alias}@{domain}"},
    IM_OPTION_ALLOW,
    IM_OPTIONS_CHANGING,
    IM_OPTION_END,
};
static const struct im_option *const groups[] = {rows, im_common_directory, im_common_output, NULL};
static const char *const titles[] = {"Enabling", "Directory", "Output and behaviour", NULL};
static const struct im_option_table table = {.groups = groups,
                                             .group_titles = titles,
                                             .command = "imenable",
                                             .arguments = "[ACCOUNT...]",
                                             .summary =
                                                 "Enable people for instant messaging: every attribute, written together."};

int main(int argc, char **argv) {
    struct im_command c;
    int status;
    if (!im_command_begin(&c, &table, true, argc, argv, &status)) {
        return status;
    }
    return im_command_end(&c, im_change_main(&c, IM_ENABLE));
}
