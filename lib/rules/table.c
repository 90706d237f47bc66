#include "lib/base/text.h"
#include "lib/rules/rows.h"

#include <string.h>

enum { MAX_NAMES = 128 };

const struct im_rule *im_rules(enum im_scope scope, size_t *count) {
    *count = scope == IM_SCOPE_ACCOUNT ? im_account_rule_count : 0;
    return scope == IM_SCOPE_ACCOUNT ? im_account_rules : NULL;
}

const struct im_rule *im_rule_find(const char *id) {
    for (size_t i = 0; i < im_account_rule_count; i++) {
        if (strcmp(im_account_rules[i].id, id) == 0)
            return &im_account_rules[i];
    }
    return NULL;
}

enum im_err im_rules_check_profile(const struct im_profile *profile, struct im_error *e) {
    const char *names[MAX_NAMES];
    size_t count = 0;
    for (; count < im_account_rule_count && count < MAX_NAMES; count++)
        names[count] = im_account_rules[count].id;
    for (size_t i = 0; i < profile->rule_count; i++) {
        const struct im_profile_place *place = &profile->rule_places[i];
        if (im_rule_find(profile->rules[i]))
            continue;
        const char *nearest = im_text_nearest(profile->rules[i], names, count);
        return im_error_set_at(e, IM_E_CONFIG, profile->source, place->line, place->column, "there is no rule \"%s\"%s%s%s",
                               profile->rules[i], nearest ? ": did you mean \"" : "", nearest ? nearest : "",
                               nearest ? "\"?" : "");
    }
    return IM_OK;
}

const char *im_severity_name(enum im_severity severity) {
    static const char *const names[] = {"info", "warning", "error"};
    return names[severity];
}

const char *im_scope_name(enum im_scope scope) {
    static const char *const names[] = {"account", "server", "dns", "http", "schema", "replication"};
    return names[scope];
}

static bool applies(const struct im_profile *profile, const struct im_rule *rule) {
    for (size_t i = 0; i < profile->rule_count; i++) {
        if (strcmp(profile->rules[i], rule->id) == 0)
            return true;
    }
    return false;
}

static enum im_err check(const struct im_facts *facts, const struct im_rule *rule, struct im_pool *pool,
                         struct im_finding *finding, bool *fires, struct im_error *e) {
    struct im_buf message = IM_BUF_INIT;
    struct im_buf remedy = IM_BUF_INIT;
    *fires = rule->check(facts, &message, &remedy) == IM_FIRES;
    *finding = (struct im_finding){
        .rule = rule,
        .message = im_pool_strdup(pool, im_buf_str(&message)),
        .remedy = remedy.len ? im_pool_strdup(pool, im_buf_str(&remedy)) : rule->remedy,
    };
    bool is_broken = message.failed || remedy.failed || !finding->message || !finding->remedy;
    im_buf_free(&message);
    im_buf_free(&remedy);
    return is_broken ? im_error_nomem(e) : IM_OK;
}

enum im_err im_rules_judge(const struct im_facts *facts, unsigned blocks, struct im_pool *pool, struct im_finding **findings,
                           size_t *count, struct im_error *e) {
    struct im_finding *list = im_pool_array(pool, im_account_rule_count, sizeof *list);
    size_t found = 0;
    if (!list)
        return im_error_nomem(e);
    for (size_t i = 0; i < im_account_rule_count; i++) {
        const struct im_rule *rule = &im_account_rules[i];
        bool fires;
        if (!(rule->blocks & blocks) || !applies(facts->context->profile, rule))
            continue;
        enum im_err err = check(facts, rule, pool, &list[found], &fires, e);
        if (err != IM_OK)
            return err;
        found += fires;
    }
    *findings = list;
    *count = found;
    return IM_OK;
}
