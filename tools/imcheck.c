/* imcheck: finds in advance what will not work: a preflight of selected accounts, or an audit of the whole directory. */
#include "tools/change.h"
#include "tools/check.h"

static const char *const severities[] = {"error", "warning", "info", "never", NULL};
static const char *const scopes[] = {"account", "server", "dns", "http", "schema", "replication", NULL};

static const struct im_option selection[] = {
    IM_OPTION_LIST,
    IM_OPTION_CSV,
    IM_OPTION_FILTER,
    IM_OPTION_GROUP,
    IM_OPTION_ALL,
    IM_OPTION_COLUMN,
    IM_OPTION_SEPARATOR,
    IM_OPTION_ENCODING,
    IM_OPTION_SKIP_BAD_ROWS,
    {.long_name = "home",
     .kind = IM_OPT_TEXT,
     .target = &im_change_options.home,
     .argument = "SERVER",
     .help = "judge as if they were to be enabled on this home server, or auto"},
    {.long_name = "domain",
     .kind = IM_OPT_TEXT,
     .target = &im_change_options.domain,
     .argument = "IMDOMAIN",
     .help = "judge as if they were to be enabled with this IM domain"},
    {.long_name = "address",
     .kind = IM_OPT_TEXT,
     .target = &im_change_options.address,
     .argument = "TEMPLATE",
     .help = "judge as if they were to be enabled with this address"},
    IM_OPTION_END,
};

static const struct im_option checks[] = {
    {.long_name = "scope",
     .kind = IM_OPT_TEXTS,
     .target = &im_check_options.scopes,
     .argument = "LIST",
     .choices = scopes,
     .complete = IM_COMPLETE_CHOICES,
     .help = "what is looked at; of an audit all but http, of selected accounts account and schema"},
    {.long_name = "rule",
     .kind = IM_OPT_TEXTS,
     .target = &im_check_options.rules,
     .argument = "RULES",
     .help = "only these rules"},
    {.long_name = "skip",
     .kind = IM_OPT_TEXTS,
     .target = &im_check_options.skip,
     .argument = "RULES",
     .help = "without these rules"},
    {.long_name = "probe",
     .kind = IM_OPT_FLAG,
     .target = &im_check_options.probe,
     .help = "also ask the web servers, without credentials: adds the scope http"},
    {.long_name = "dns-server",
     .kind = IM_OPT_TEXTS,
     .target = &im_check_options.dns_servers,
     .argument = "ADDR[:PORT]",
     .help = "ask this name server instead of the system's; of several, differences are a finding"},
    {.long_name = "external",
     .kind = IM_OPT_FLAG,
     .target = &im_check_options.external,
     .help = "judge answers as seen from outside of the organisation"},
    {.long_name = "replicas",
     .kind = IM_OPT_FLAG,
     .target = &im_check_options.replicas,
     .help = "compare the IM attributes on every domain controller or replica"},
    {.long_name = "scan-connections",
     .kind = IM_OPT_TEXT,
     .target = &im_check_options.scan_connections,
     .argument = "N",
     .help = "read the accounts over so many connections, each a part of the directory"},
    {.long_name = "fail-on",
     .kind = IM_OPT_TEXT,
     .target = &im_check_options.fail_on,
     .argument = "SEVERITY",
     .choices = severities,
     .complete = IM_COMPLETE_CHOICES,
     .help = "findings from here on make the exit status 1; without it, error"},
    {.long_name = "baseline",
     .kind = IM_OPT_TEXT,
     .target = &im_check_options.baseline,
     .argument = "FILE",
     .complete = IM_COMPLETE_FILE,
     .help = "an earlier result as JSON: say which findings are new, known or gone; new ones count"},
    {.long_name = "input",
     .kind = IM_OPT_TEXT,
     .target = &im_check_options.input,
     .argument = "FILE",
     .complete = IM_COMPLETE_FILE,
     .help = "show an earlier result, written as JSON, in another format; connects to nothing"},
    {.long_name = "report",
     .kind = IM_OPT_TEXT,
     .target = &im_check_options.report,
     .argument = "FILE",
     .complete = IM_COMPLETE_FILE,
     .help = "also write the result as one page of HTML"},
    {.long_name = "list-rules", .kind = IM_OPT_FLAG, .target = &im_check_options.list_rules, .help = "show the rules, and end"},
    {.long_name = "explain",
     .kind = IM_OPT_TEXT,
     .target = &im_check_options.explain,
     .argument = "RULE",
     .help = "say what a rule finds, why, and what mends it, and end"},
    IM_OPTION_PROGRESS,
    IM_OPTION_END,
};

static const struct im_option *const groups[] = {selection, checks, im_common_directory, im_common_check_output, NULL};
static const char *const titles[] = {"Selected accounts; without any, the whole directory", "Checks", "Directory",
                                     "Output and behaviour", NULL};
static const struct im_option_table table = {.groups = groups,
                                             .group_titles = titles,
                                             .command = "imcheck",
                                             .arguments = "[ACCOUNT...]",
                                             .summary = "Find in advance what will not work for instant messaging."};

int main(int argc, char **argv) {
    const bool is_plugin = im_check_is_plugin(argv);
    struct im_command c;
    int status;
    if (!im_command_begin(&c, &table, false, argc, argv, &status)) {
        return im_check_failed(status, is_plugin, "the command line or the configuration is wrong: see standard error");
    }
    status = im_command_end(&c, im_check_main(&c));
    return is_plugin && status > IM_CHECK_UNKNOWN ? IM_CHECK_UNKNOWN : status;
}
