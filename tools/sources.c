#include "tools/sources.h"

#include "tools/list.h"
#include "tools/table.h"

#include <stdlib.h>
#include <string.h>

struct im_source_options im_source_options;

/* In the order in which they are gone through. */
enum part { ARGUMENTS, LIST, TABLE, CHOSEN, PARTS };

struct im_sources {
    struct im_strings arguments; /* of the command */
    size_t argument;             /* the next one */
    struct im_list *list;
    struct im_table *table;
    struct im_condition condition;
    struct im_filter filter;
    struct im_chosen *chosen;
    struct im_chosen_place place;
    enum part part;
    bool has_domain_names;
};

/* ---- the words of the options ---- */

enum im_err im_sources_check(struct im_command *c) {
    const struct im_source_options *o = &im_source_options;
    const struct {
        bool given;
        const char *words;
    } contradictions[] = {
        {o->list != NULL && o->csv != NULL && strcmp(o->list, "-") == 0 && strcmp(o->csv, "-") == 0,
         "--list and --csv cannot both be standard input: give a file for one of them"},
        {o->all && o->filter != NULL, "--all chooses every account and --filter some of them: leave out one"},
        {o->all && o->group != NULL, "--all chooses every account and --group some of them: leave out one"},
        {o->from != NULL && (c->arguments.count > 0 || o->list || o->csv || o->filter || o->group || o->all),
         "--from chooses everybody who is homed on a server: name no accounts beside it"},
        {o->csv == NULL && o->columns.count > 0, "--column says how --csv is read: give --csv FILE"},
        {o->csv == NULL && o->separator != NULL, "--separator says how --csv is read: give --csv FILE"},
        {o->csv == NULL && o->encoding != NULL, "--encoding says how --csv is read: give --csv FILE"},
        {o->csv == NULL && o->skip_bad_rows, "--skip-bad-rows is about the rows of --csv: give --csv FILE"},
        {o->csv == NULL && o->rejects != NULL, "--rejects takes rows of --csv: give --csv FILE"},
        {o->group != NULL && !im_dn_is_valid(o->group),
         "--group takes the DN of a group, such as CN=Sales,OU=Groups,DC=corp,DC=example"},
    };
    for (size_t i = 0; i < sizeof contradictions / sizeof contradictions[0]; i++) {
        if (contradictions[i].given) {
            return im_error_set(&c->error, IM_E_USAGE, "%s", contradictions[i].words);
        }
    }
    return IM_OK;
}

static enum im_err read_conditions(struct im_command *c, struct im_sources *s) {
    const struct im_source_options *o = &im_source_options;
    s->condition = (struct im_condition){.group = o->group, .all = o->all, .remark = im_command_log, .user = c};
    if (o->filter == NULL) {
        return IM_OK;
    }
    s->condition.filter = &s->filter;
    enum im_err err = im_filter_parse(o->filter, c->pool, &s->filter, &c->error);
    if (err == IM_E_USAGE) {
        im_error_context(&c->error, "--filter");
    }
    return err;
}

static enum im_err check_arguments(struct im_command *c, struct im_sources *s) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < s->arguments.count; i++) {
        struct im_identity identity;
        err = im_identity_parse(s->arguments.items[i], c->pool, &identity, &c->error);
        s->has_domain_names = s->has_domain_names || (err == IM_OK && identity.kind == IM_ID_DOMAIN_NAME);
    }
    return err;
}

/* "tab" and "\\t" are what people write for it. */
static enum im_err read_separator(struct im_command *c, char *out) {
    const char *text = im_source_options.separator;
    *out = '\0';
    if (text == NULL) {
        return IM_OK;
    }
    bool is_tab = im_text_equal(text, "tab") || strcmp(text, "\\t") == 0;
    if (!is_tab && (strlen(text) != 1 || *text == '"' || *text == '\r' || *text == '\n' || (unsigned char)*text > 0x7e)) {
        return im_error_set(&c->error, IM_E_USAGE, "--separator takes one character, such as ; or |, or tab, not \"%s\"", text);
    }
    *out = is_tab ? '\t' : *text;
    return IM_OK;
}

static enum im_err open_table(struct im_command *c, enum im_columns_meant columns, struct im_sources *s) {
    const struct im_source_options *o = &im_source_options;
    struct im_table_options options = {.path = o->csv,
                                       .encoding = o->encoding,
                                       .columns = o->columns,
                                       .skip_bad_rows = o->skip_bad_rows,
                                       .names_only = columns == IM_COLUMNS_NAMES,
                                       .homes_only = columns == IM_COLUMNS_HOMES,
                                       .note = im_command_log,
                                       .user = c};
    enum im_err err = read_separator(c, &options.separator);
    if (err == IM_OK) {
        err = im_table_open(&options, &s->table, &c->error);
    }
    if (err == IM_OK) {
        s->has_domain_names = s->has_domain_names || im_table_has_domain_names(s->table);
    }
    return err;
}

static enum im_err read_named(struct im_command *c, enum im_columns_meant columns, struct im_sources *s) {
    enum im_err err = check_arguments(c, s);
    if (err == IM_OK && im_source_options.list != NULL) {
        err = im_list_open(im_source_options.list, &s->list, &c->error);
    }
    if (err == IM_OK && s->list != NULL) {
        s->has_domain_names = s->has_domain_names || im_list_has_domain_names(s->list);
    }
    if (err == IM_OK && im_source_options.csv != NULL) {
        err = open_table(c, columns, s);
    }
    if (err == IM_OK && s->arguments.count == 0 && s->list == NULL && s->table == NULL && !im_sources_are_by_condition(s)) {
        err = im_error_set(&c->error, IM_E_USAGE,
                           "no account is named: give ACCOUNT arguments, --list, --csv, --filter, --group or --all");
    }
    return err;
}

bool im_sources_are_given(const struct im_command *c) {
    const struct im_source_options *o = &im_source_options;
    return c->arguments.count > 0 || o->list || o->csv || o->filter || o->group || o->all || o->from;
}

enum im_err im_sources_open(struct im_command *c, enum im_columns_meant columns, struct im_sources **out) {
    struct im_sources *s = calloc(1, sizeof *s);
    enum im_err err = s != NULL ? im_sources_check(c) : im_error_nomem(&c->error);
    if (err == IM_OK) {
        s->arguments = c->arguments;
        err = read_conditions(c, s);
    }
    if (err == IM_OK) {
        err = read_named(c, columns, s);
    }
    if (err == IM_OK) {
        *out = s;
    } else {
        im_sources_free(&s);
    }
    return err;
}

void im_sources_free(struct im_sources **sources) {
    if (sources == NULL || *sources == NULL) {
        return;
    }
    im_list_free(&(*sources)->list);
    im_table_free(&(*sources)->table);
    im_chosen_free(&(*sources)->chosen);
    free(*sources);
    *sources = NULL;
}

bool im_sources_are_by_condition(const struct im_sources *sources) {
    return sources->condition.filter != NULL || sources->condition.group != NULL || sources->condition.all ||
           im_source_options.from != NULL;
}

bool im_sources_have_domain_names(const struct im_sources *sources) {
    return sources->has_domain_names;
}

enum im_err im_sources_choose(struct im_command *c, struct im_sources *sources, const struct im_resolver *r) {
    if (!im_sources_are_by_condition(sources)) {
        return IM_OK;
    }
    im_chosen_free(&sources->chosen);
    sources->place = (struct im_chosen_place){.block = NULL};
    enum im_err err = im_choose(r, &sources->condition, &sources->chosen, &c->error);
    if (err == IM_OK) {
        im_command_note(c, 1, "accounts that fulfil the condition: %zu", im_chosen_count(sources->chosen));
    }
    return err;
}

void im_sources_set_home(struct im_sources *sources, const struct im_home_match *home) {
    sources->condition.home = home;
}

struct im_table *im_sources_table(const struct im_sources *sources) {
    return sources->table;
}

size_t im_sources_count(const struct im_sources *sources) {
    return sources->arguments.count + (sources->list ? im_list_count(sources->list) : 0) +
           (sources->table ? im_table_count(sources->table) : 0) + (sources->chosen ? im_chosen_count(sources->chosen) : 0);
}

/* ---- as one stream ---- */

static enum im_err next_argument(struct im_sources *s, struct im_pool *pool, struct im_input *out, bool *is_end,
                                 struct im_error *e) {
    *is_end = s->argument == s->arguments.count;
    if (*is_end) {
        return IM_OK;
    }
    *out = (struct im_input){.text = s->arguments.items[s->argument++]};
    return im_identity_parse(out->text, pool, &out->identity, e);
}

static enum im_err next_chosen(struct im_sources *s, struct im_pool *pool, struct im_input *out, bool *is_end,
                               struct im_error *e) {
    *out = (struct im_input){.text = NULL};
    *is_end = s->chosen == NULL;
    return *is_end ? IM_OK : im_chosen_next(s->chosen, &s->place, pool, &out->identity, is_end, e);
}

static enum im_err next_of_part(struct im_sources *s, struct im_pool *pool, struct im_input *out, bool *is_end,
                                struct im_error *e) {
    struct im_inputs inner = {.user = NULL};
    switch (s->part) {
    case ARGUMENTS:
        return next_argument(s, pool, out, is_end, e);
    case LIST:
        inner = s->list != NULL ? im_list_inputs(s->list) : inner;
        break;
    case TABLE:
        inner = s->table != NULL ? im_table_inputs(s->table) : inner;
        break;
    case CHOSEN:
        return next_chosen(s, pool, out, is_end, e);
    case PARTS:
        break;
    }
    *is_end = inner.user == NULL;
    return *is_end ? IM_OK : inner.next(inner.user, pool, out, is_end, e);
}

static enum im_err next_input(void *user, struct im_pool *pool, struct im_input *out, bool *is_end, struct im_error *e) {
    struct im_sources *s = user;
    enum im_err err = IM_OK;
    *is_end = true;
    while (err == IM_OK && *is_end && s->part != PARTS) {
        err = next_of_part(s, pool, out, is_end, e);
        if (*is_end) {
            s->part++;
        }
    }
    return err;
}

static enum im_err rewind_inputs(void *user, struct im_error *e) {
    struct im_sources *s = user;
    s->part = ARGUMENTS;
    s->argument = 0;
    s->place = (struct im_chosen_place){.block = NULL};
    enum im_err err = IM_OK;
    if (s->list != NULL) {
        struct im_inputs list = im_list_inputs(s->list);
        err = list.rewind(list.user, e);
    }
    if (err == IM_OK && s->table != NULL) {
        struct im_inputs table = im_table_inputs(s->table);
        err = table.rewind(table.user, e);
    }
    return err;
}

struct im_inputs im_sources_inputs(struct im_sources *sources) {
    return (struct im_inputs){.user = sources, .next = next_input, .rewind = rewind_inputs};
}
