/* Whom a command is about: arguments, a list, a table and conditions, one after the other as one stream of inputs. */
#ifndef IMDIR_TOOLS_SOURCES_H
#define IMDIR_TOOLS_SOURCES_H

#include "tools/command.h"

/* Values of the options below. */
struct im_source_options {
    const char *list, *csv, *filter, *group, *from, *separator, *encoding, *rejects;
    struct im_strings columns;
    bool all, skip_bad_rows;
};
extern struct im_source_options im_source_options;

#define IM_OPTION_LIST                                                                                                           \
    {                                                                                                                            \
        .long_name = "list", .kind = IM_OPT_TEXT, .target = &im_source_options.list, .argument = "FILE",                         \
        .complete = IM_COMPLETE_FILE, .help = "accounts from a file, one a line; - is standard input"                            \
    }
#define IM_OPTION_CSV                                                                                                            \
    {                                                                                                                            \
        .long_name = "csv", .kind = IM_OPT_TEXT, .target = &im_source_options.csv, .argument = "FILE",                           \
        .complete = IM_COMPLETE_FILE, .help = "accounts from a CSV file with a header; - is standard input"                      \
    }
#define IM_OPTION_FILTER                                                                                                         \
    {                                                                                                                            \
        .long_name = "filter", .kind = IM_OPT_TEXT, .target = &im_source_options.filter, .argument = "FILTER",                   \
        .help = "accounts that this LDAP filter matches"                                                                         \
    }
#define IM_OPTION_GROUP                                                                                                          \
    {                                                                                                                            \
        .long_name = "group", .kind = IM_OPT_TEXT, .target = &im_source_options.group, .argument = "DN",                         \
        .help = "members of a group, and of the groups in it"                                                                    \
    }
#define IM_OPTION_ALL                                                                                                            \
    { .long_name = "all", .kind = IM_OPT_FLAG, .target = &im_source_options.all, .help = "every account below the base" }
#define IM_OPTION_FROM                                                                                                           \
    {                                                                                                                            \
        .long_name = "from", .kind = IM_OPT_TEXT, .target = &im_source_options.from, .argument = "SERVER",                       \
        .help = "everybody homed on this server, be it dead, deleted, or only a name in URLs"                                    \
    }
#define IM_OPTION_COLUMN                                                                                                         \
    {                                                                                                                            \
        .long_name = "column", .kind = IM_OPT_TEXTS, .target = &im_source_options.columns, .argument = "NAME=HEADER",            \
        .help = "the CSV column of this header is meant by NAME, for example account=EmployeeLogin"                              \
    }
#define IM_OPTION_SEPARATOR                                                                                                      \
    {                                                                                                                            \
        .long_name = "separator", .kind = IM_OPT_TEXT, .target = &im_source_options.separator, .argument = "CHAR",               \
        .help = "between the cells of the CSV file: one character, or tab; without it, found out from the header"                \
    }
#define IM_OPTION_ENCODING                                                                                                       \
    {                                                                                                                            \
        .long_name = "encoding", .kind = IM_OPT_TEXT, .target = &im_source_options.encoding, .argument = "NAME",                 \
        .help = "of the CSV file, for example windows-1252; without it, found out from the file"                                 \
    }
#define IM_OPTION_SKIP_BAD_ROWS                                                                                                  \
    {                                                                                                                            \
        .long_name = "skip-bad-rows", .kind = IM_OPT_FLAG, .target = &im_source_options.skip_bad_rows,                           \
        .help = "go on without the rows of the CSV file that cannot be used"                                                     \
    }
#define IM_OPTION_REJECTS                                                                                                        \
    {                                                                                                                            \
        .long_name = "rejects", .kind = IM_OPT_TEXT, .target = &im_source_options.rejects, .argument = "FILE",                   \
        .complete = IM_COMPLETE_FILE, .help = "write the rows of the CSV file that were not done, with outcome and reason"       \
    }

/* Who is meant: rows that every command has which is about people. */
#define IM_OPTIONS_SOURCES                                                                                                       \
    IM_OPTION_LIST, IM_OPTION_CSV, IM_OPTION_FILTER, IM_OPTION_GROUP, IM_OPTION_ALL, IM_OPTION_COLUMN, IM_OPTION_SEPARATOR,      \
        IM_OPTION_ENCODING, IM_OPTION_SKIP_BAD_ROWS, IM_OPTION_REJECTS

struct im_sources;
struct im_table;

/* What the columns address, home and domain mean to a command; where they mean nothing they are the user's own. */
enum im_columns_meant { IM_COLUMNS_ALL, IM_COLUMNS_NAMES, IM_COLUMNS_HOMES };

/* Does the command line name or choose accounts at all? */
bool im_sources_are_given(const struct im_command *c);
/* Options that contradict each other, or are about a table that is not there: im_sources_open looks for them itself. IM_E_USAGE.
 */
enum im_err im_sources_check(struct im_command *c);

/* Before connecting: reads and checks what is named, and the words of the conditions. IM_E_USAGE: nobody is named, or options
 * contradict each other. IM_E_INPUT names file, line and column. */
enum im_err im_sources_open(struct im_command *c, enum im_columns_meant columns, struct im_sources **out);
void im_sources_free(struct im_sources **sources);

/* Accounts are chosen that nobody named: consent is needed. */
bool im_sources_are_by_condition(const struct im_sources *sources);
/* Something is named as DOMAIN\name: see im_resolver_learn_domain. */
bool im_sources_have_domain_names(const struct im_sources *sources);

/* After connecting: finds out who fulfils the conditions; nothing where there are none. Who is left out of a group is said on
 * standard error. Errors as im_choose, in c->error. */
enum im_err im_sources_choose(struct im_command *c, struct im_sources *sources, const struct im_resolver *r);
/* What --from means, before im_sources_choose. */
void im_sources_set_home(struct im_sources *sources, const struct im_home_match *home);
struct im_table *im_sources_table(const struct im_sources *sources); /* of --csv; NULL: there is none */
size_t im_sources_count(const struct im_sources *sources);           /* inputs; of conditions, once they are chosen */
/* All of them; valid as long as the sources. */
struct im_inputs im_sources_inputs(struct im_sources *sources);

#endif
