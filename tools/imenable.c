/* imenable: brings accounts to the state "enabled for IM", every attribute written together. */
#include "tools/change.h"
#include "tools/limits.h"
#include "tools/recording.h"

static const struct im_option rows[] = {
    IM_OPTION_LIST,
    IM_OPTION_CSV,
    IM_OPTION_FILTER,
    IM_OPTION_GROUP,
    IM_OPTION_ALL,
    IM_OPTION_COLUMN,
    IM_OPTION_SEPARATOR,
    IM_OPTION_ENCODING,
    IM_OPTION_SKIP_BAD_ROWS,
    IM_OPTION_REJECTS,
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
    {.long_name = "allow",
     .kind = IM_OPT_TEXTS,
     .target = &im_change_options.allow,
     .argument = "RULES",
     .help = "go on although these rules would refuse the account; it is reported all the same"},
    IM_OPTION_WINDOW,
    IM_OPTION_CONNECTIONS,
    IM_OPTION_RATE,
    IM_OPTION_MAX_FAILURES,
    IM_OPTION_MAX_CHANGES,
    IM_OPTION_CHANGES,
    IM_OPTION_DRY_RUN,
    IM_OPTION_JOURNAL,
    IM_OPTION_NO_JOURNAL,
    IM_OPTION_PLAN,
    {.long_name = NULL},
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
