#include "lib/rules/choice.h"

#include "lib/base/text.h"

#include <string.h>

static bool lists(const struct im_strings *names, const char *id) {
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], id) == 0)
            return true;
    }
    return false;
}

enum im_err im_choice_check_rule(const char *id, const char *option, struct im_error *e) {
    const char *nearest = im_rule_nearest(id);
    if (im_rule_find(id))
        return IM_OK;
    if (!nearest)
        return im_error_set(e, IM_E_USAGE, "%s: there is no rule \"%s\"; --list-rules shows all", option, id);
    return im_error_set(e, IM_E_USAGE, "%s: there is no rule \"%s\"; did you mean \"%s\"? --list-rules shows all", option, id,
                        nearest);
}

static enum im_err check_names(const struct im_strings *names, const char *option, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < names->count; i++)
        err = im_choice_check_rule(names->items[i], option, e);
    return err;
}

/* A rule that the profile leaves out would never fire, and so seem to pass. */
static enum im_err check_profile(const struct im_strings *names, const struct im_profile *profile, struct im_error *e) {
    for (size_t i = 0; i < names->count; i++) {
        if (!im_rule_applies(profile, im_rule_find(names->items[i])))
            return im_error_set(e, IM_E_USAGE, "--rule: the profile \"%s\" leaves out %s", profile->name, names->items[i]);
    }
    return IM_OK;
}

static bool is_wanted(const struct im_choice_wanted *wanted, const struct im_profile *profile, const struct im_rule *rule) {
    if (lists(&wanted->without, rule->id) || !im_rule_applies(profile, rule))
        return false;
    return wanted->only.count ? lists(&wanted->only, rule->id) : (wanted->scopes >> rule->scope & 1u) != 0;
}

static size_t count_rows(void) {
    size_t all = 0;
    for (int scope = 0; scope < IM_SCOPE_COUNT; scope++) {
        size_t count;
        (void)im_rules((enum im_scope)scope, &count);
        all += count;
    }
    return all;
}

static void choose_scope(const struct im_choice_wanted *wanted, const struct im_profile *profile, enum im_scope scope,
                         struct im_choice *out) {
    size_t count;
    const struct im_rule *rows = im_rules(scope, &count);
    for (size_t i = 0; i < count; i++) {
        if (is_wanted(wanted, profile, &rows[i]))
            out->items[out->count++] = (struct im_choice_row){.rule = &rows[i], .severity = rows[i].severity};
    }
}

enum im_err im_choice_make(const struct im_profile *profile, const struct im_choice_wanted *wanted, struct im_pool *pool,
                           struct im_choice *out, struct im_error *e) {
    *out = (struct im_choice){.items = im_pool_array(pool, count_rows(), sizeof *out->items)};
    enum im_err err = out->items ? check_names(&wanted->only, "--rule", e) : im_error_nomem(e);
    if (err == IM_OK)
        err = check_names(&wanted->without, "--skip", e);
    if (err == IM_OK)
        err = check_profile(&wanted->only, profile, e);
    for (int scope = 0; err == IM_OK && scope < IM_SCOPE_COUNT; scope++)
        choose_scope(wanted, profile, (enum im_scope)scope, out);
    return err;
}

void im_choice_drop(struct im_choice *choice, const char *id) {
    size_t kept = 0;
    for (size_t i = 0; i < choice->count; i++) {
        if (strcmp(choice->items[i].rule->id, id) != 0)
            choice->items[kept++] = choice->items[i];
    }
    choice->count = kept;
}

void im_choice_add(struct im_choice *choice, const struct im_rule *rule) {
    if (!im_choice_find(choice, rule))
        choice->items[choice->count++] = (struct im_choice_row){.rule = rule, .severity = rule->severity};
}

struct im_choice_row *im_choice_find(const struct im_choice *choice, const struct im_rule *rule) {
    for (size_t i = 0; i < choice->count; i++) {
        if (choice->items[i].rule == rule)
            return &choice->items[i];
    }
    return NULL;
}

bool im_choice_has(const struct im_choice *choice, const char *id) {
    const struct im_rule *rule = im_rule_find(id);
    return rule && im_choice_find(choice, rule);
}

bool im_choice_has_scope(const struct im_choice *choice, enum im_scope scope) {
    for (size_t i = 0; i < choice->count; i++) {
        if (choice->items[i].rule->scope == scope)
            return true;
    }
    return false;
}

bool im_choice_needs_accounts(const struct im_choice *choice) {
    for (size_t i = 0; i < choice->count; i++) {
        if (im_rule_needs_accounts(choice->items[i].rule))
            return true;
    }
    return false;
}

bool im_choice_is_partial(const struct im_choice *choice, const struct im_profile *profile) {
    size_t count;
    const struct im_rule *rows = im_rules(IM_SCOPE_ACCOUNT, &count);
    for (size_t i = 0; i < count; i++) {
        bool says_no = rows[i].severity == IM_ERROR || (rows[i].blocks & IM_BLOCKS_ENABLE);
        if (says_no && im_rule_applies(profile, &rows[i]) && !im_choice_find(choice, &rows[i]))
            return true;
    }
    return false;
}

static void cut(struct im_choice_row *row, const char *reason) {
    row->checked = 0;
    row->skipped++;
    row->reason = reason;
}

void im_choice_cut_accounts(struct im_choice *choice, const char *reason) {
    for (size_t i = 0; i < choice->count; i++) {
        if (choice->items[i].rule->check)
            cut(&choice->items[i], reason);
    }
}

void im_choice_cut_rest(struct im_choice *choice, const char *reason) {
    for (size_t i = 0; i < choice->count; i++) {
        struct im_choice_row *row = &choice->items[i];
        if (row->rule->survey && row->checked == 0 && row->skipped == 0)
            cut(row, reason);
    }
}

enum im_err im_scopes_parse(const struct im_strings *names, unsigned *scopes, struct im_error *e) {
    unsigned found = 0;
    for (size_t i = 0; i < names->count; i++) {
        int scope = 0;
        while (scope < IM_SCOPE_COUNT && strcmp(im_scope_name((enum im_scope)scope), names->items[i]) != 0)
            scope++;
        if (scope == IM_SCOPE_COUNT) {
            return im_error_set(e, IM_E_USAGE,
                                "--scope: there is no scope \"%s\": it takes account, server, dns, http, schema, replication",
                                names->items[i]);
        }
        found |= 1u << scope;
    }
    *scopes = found;
    return IM_OK;
}
