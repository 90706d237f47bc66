#include "lib/base/text.h"
#include "lib/rules/rows.h"

#include <string.h>

enum { MAX_NAMES = 128 };

const struct im_rule *im_rules(enum im_scope scope, size_t *count) {
    switch (scope) {
    case IM_SCOPE_ACCOUNT:
        *count = im_account_rule_count;
        return im_account_rules;
    case IM_SCOPE_SERVER:
        *count = im_server_rule_count;
        return im_server_rules;
    case IM_SCOPE_DNS:
        *count = im_dns_rule_count;
        return im_dns_rules;
    case IM_SCOPE_HTTP:
        *count = im_http_rule_count;
        return im_http_rules;
    case IM_SCOPE_SCHEMA:
        *count = im_schema_rule_count;
        return im_schema_rules;
    case IM_SCOPE_REPLICATION:
        *count = im_replication_rule_count;
        return im_replication_rules;
    case IM_SCOPE_COUNT:
        break;
    }
    *count = 0;
    return NULL;
}

const struct im_rule *im_rule_find(const char *id) {
    for (int scope = 0; scope < IM_SCOPE_COUNT; scope++) {
        size_t count;
        const struct im_rule *rows = im_rules((enum im_scope)scope, &count);
        for (size_t i = 0; i < count; i++) {
            if (strcmp(rows[i].id, id) == 0)
                return &rows[i];
        }
    }
    return NULL;
}

const char *im_rule_nearest(const char *id) {
    const char *names[MAX_NAMES];
    size_t listed = 0;
    for (int scope = 0; scope < IM_SCOPE_COUNT; scope++) {
        size_t count;
        const struct im_rule *rows = im_rules((enum im_scope)scope, &count);
        for (size_t i = 0; i < count && listed < MAX_NAMES; i++)
            names[listed++] = rows[i].id;
    }
    return im_text_nearest(id, names, listed);
}

static enum im_err no_such_rule(const char *id, const struct im_config_place *place, struct im_error *e) {
    const char *nearest = im_rule_nearest(id);
    return im_error_set_at(e, IM_E_CONFIG, place->file, place->line, place->column, "there is no rule \"%.80s\"%s%s%s", id,
                           nearest ? ": did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

/* A limit that nothing looks at would seem to be kept. */
static enum im_err no_limit(const struct im_config_rule *said, struct im_error *e) {
    const struct im_config_place *place = &said->limit_place;
    struct im_buf list = IM_BUF_INIT;
    for (int scope = 0; scope < IM_SCOPE_COUNT; scope++) {
        size_t count;
        const struct im_rule *rows = im_rules((enum im_scope)scope, &count);
        for (size_t i = 0; i < count; i++) {
            if (rows[i].takes_limit)
                im_buf_addf(&list, "%s%s", list.len ? ", " : "", rows[i].id);
        }
    }
    enum im_err err = im_error_set_at(e, IM_E_CONFIG, place->file, place->line, place->column,
                                      "rules: %.80s takes no limit; rules that do: %s", said->id, im_buf_str(&list));
    im_buf_free(&list);
    return err;
}

static enum im_err check_said(const struct im_config_rule *said, struct im_error *e) {
    const struct im_rule *rule = im_rule_find(said->id);
    if (!rule)
        return no_such_rule(said->id, &said->place, e);
    return said->limit && !rule->takes_limit ? no_limit(said, e) : IM_OK;
}

enum im_err im_rules_check_config(const struct im_config *config, struct im_error *e) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < config->rules.count; i++)
        err = check_said(&config->rules.items[i], e);
    for (size_t i = 0; err == IM_OK && i < config->silences.count; i++) {
        if (!im_rule_find(config->silences.items[i].rule))
            err = no_such_rule(config->silences.items[i].rule, &config->silences.items[i].place, e);
    }
    return err;
}

enum im_err im_rules_check_profile(const struct im_profile *profile, struct im_error *e) {
    for (size_t i = 0; i < profile->rule_count; i++) {
        const struct im_config_place place = {profile->source, profile->rule_places[i].line, profile->rule_places[i].column};
        if (!im_rule_find(profile->rules[i]))
            return no_such_rule(profile->rules[i], &place, e);
    }
    return IM_OK;
}

bool im_rule_needs_accounts(const struct im_rule *rule) {
    return rule->check || (rule->needs & IM_NEEDS_CENSUS) || rule->scope == IM_SCOPE_DNS || rule->scope == IM_SCOPE_HTTP;
}

const char *im_scope_name(enum im_scope scope) {
    static const char *const names[] = {"account", "server", "dns", "http", "schema", "replication"};
    return names[scope];
}

/* Begins at *at, where it leaves off behind what it found: profiles list rules in the order of the table, mostly. */
static bool is_listed(const struct im_profile *profile, const struct im_rule *rule, size_t *at) {
    for (size_t n = 0; n < profile->rule_count; n++) {
        size_t i = (*at + n) % profile->rule_count;
        if (strcmp(profile->rules[i], rule->id) == 0) {
            *at = i + 1;
            return true;
        }
    }
    return false;
}

bool im_rule_applies(const struct im_profile *profile, const struct im_rule *rule) {
    return is_listed(profile, rule, &(size_t){0});
}

const char *im_judgement_reason(const struct im_judgement *j, struct im_pool *pool) {
    const char *const *r = j->reason;
    return im_pool_printf(pool, "%s%s%s", r[0] ? r[0] : "", r[1] ? r[1] : "", r[2] ? r[2] : "");
}

enum im_err im_rule_judge(const struct im_rule *rule, const struct im_facts *facts, struct im_pool *pool,
                          struct im_finding *finding, enum im_verdict *verdict, struct im_error *e) {
    struct im_judgement j = {.message = IM_BUF_INIT, .remedy = IM_BUF_INIT, .severity = rule->severity};
    *verdict = rule->check(facts, &j);
    if (*verdict == IM_FINE)
        return IM_OK;
    *finding = (struct im_finding){
        .rule = rule,
        .severity = j.severity,
        .account = facts->account->name,
        .dn = facts->account->dn,
        .message = *verdict == IM_SKIPPED ? im_judgement_reason(&j, pool) : im_pool_strdup(pool, im_buf_str(&j.message)),
        .remedy = j.remedy.len ? im_pool_strdup(pool, im_buf_str(&j.remedy)) : rule->remedy,
    };
    bool is_broken = j.message.failed || j.remedy.failed || !finding->message || !finding->remedy;
    im_buf_free(&j.message);
    im_buf_free(&j.remedy);
    return is_broken ? im_error_nomem(e) : IM_OK;
}

/* Room for one more: few accounts have any. */
static struct im_finding *add_finding(struct im_pool *pool, struct im_finding *list, size_t count,
                                      const struct im_finding *found) {
    struct im_finding *more = im_pool_array(pool, count + 1, sizeof *more);
    if (!more)
        return NULL;
    if (count)
        memcpy(more, list, count * sizeof *more);
    more[count] = *found;
    return more;
}

enum im_err im_rules_judge(const struct im_facts *facts, unsigned blocks, struct im_pool *pool, struct im_finding **findings,
                           size_t *count, struct im_error *e) {
    struct im_finding *list = NULL;
    size_t listed = 0;
    size_t at = 0;
    for (size_t i = 0; i < im_account_rule_count; i++) {
        const struct im_rule *rule = &im_account_rules[i];
        struct im_finding found;
        enum im_verdict verdict;
        if (!(rule->blocks & blocks) || !is_listed(facts->context->profile, rule, &at))
            continue;
        enum im_err err = im_rule_judge(rule, facts, pool, &found, &verdict, e);
        if (err != IM_OK)
            return err;
        if (verdict == IM_FIRES && !(list = add_finding(pool, list, listed++, &found)))
            return im_error_nomem(e);
    }
    *findings = list;
    *count = listed;
    return IM_OK;
}
