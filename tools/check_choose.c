#include "tools/check_choose.h"

#include <string.h>

static enum im_err choose_scopes(struct im_command *c, bool is_selection, unsigned *out) {
    static const unsigned everything = (1u << IM_SCOPE_COUNT) - 1;
    static const unsigned preflight = 1u << IM_SCOPE_ACCOUNT | 1u << IM_SCOPE_SCHEMA;
    static const unsigned offline = preflight | 1u << IM_SCOPE_SERVER; /* what needs no server */
    enum im_err err = IM_OK;
    *out = is_selection ? preflight : im_offline_is_wanted(c->config) ? offline : everything & ~(1u << IM_SCOPE_HTTP);
    if (im_check_options.scopes.count > 0) {
        err = im_scopes_parse(&im_check_options.scopes, out, &c->error);
    }
    if (im_check_options.probe) {
        *out |= 1u << IM_SCOPE_HTTP;
    }
    if (im_check_options.replicas) {
        *out |= 1u << IM_SCOPE_REPLICATION;
    }
    return err;
}

/* Nothing to look at would pass as nothing found. */
static enum im_err check_choice(const struct im_choice *choice, struct im_error *e) {
    if (choice->count == 0) {
        return im_error_set(
            e, IM_E_USAGE,
            "no rule is left of those that --scope, --rule, --skip and the configuration choose: --list-rules shows "
            "what there is");
    }
    if (im_check_options.replicas && !im_choice_has_scope(choice, IM_SCOPE_REPLICATION)) {
        return im_error_set(e, IM_E_USAGE, "--replicas: no rule about replication is chosen: leave it out, or --rule");
    }
    if (im_check_options.probe && !im_choice_has_scope(choice, IM_SCOPE_HTTP)) {
        return im_error_set(e, IM_E_USAGE, "--probe: no rule about web servers is chosen: leave it out, or --rule");
    }
    return IM_OK;
}

static void weigh(const struct im_config *config, struct im_choice_row *row) {
    const struct im_config_rule said = im_config_rule(config, row->rule->id);
    if (said.severity >= 0) {
        row->has_severity = true;
        row->severity = (enum im_severity)said.severity;
    }
}

/* What the configuration says of the rules; who names one wants it although it is off. */
static void weigh_rules(const struct im_config *config, struct im_choice *choice) {
    for (size_t i = choice->count; i-- > 0;) {
        const char *id = choice->items[i].rule->id;
        weigh(config, &choice->items[i]);
        if (im_config_rule(config, id).is_off && im_check_options.rules.count == 0) {
            im_choice_drop(choice, id);
        }
    }
}

enum im_err im_check_choose(struct im_command *c, const struct im_profile *profile, bool is_selection, struct im_choice *out,
                            bool *is_partial) {
    struct im_choice_wanted wanted = {.only = im_check_options.rules, .without = im_check_options.skip};
    enum im_err err = choose_scopes(c, is_selection, &wanted.scopes);
    if (err == IM_OK) {
        err = im_choice_make(profile, &wanted, c->pool, out, &c->error);
    }
    if (err != IM_OK) {
        return err;
    }
    if (is_selection && im_check_options.rules.count == 0) {
        im_choice_drop(out, "account-not-enabled"); /* that is what a preflight is for */
    }
    weigh_rules(c->config, out);
    *is_partial = im_choice_is_partial(out, profile);
    return check_choice(out, &c->error);
}

static bool is_skipped(const char *id) {
    for (size_t i = 0; i < im_check_options.skip.count; i++) {
        if (strcmp(im_check_options.skip.items[i], id) == 0) {
            return true;
        }
    }
    return false;
}

bool im_check_choose_truncated(const struct im_config *config, struct im_choice *choice) {
    static const char id[] = "replication-result-truncated";
    if (!im_choice_has(choice, id) && !is_skipped(id) && !im_config_rule(config, id).is_off) {
        im_choice_add(choice, im_rule_find(id));
        weigh(config, im_choice_find(choice, im_rule_find(id)));
    }
    return im_choice_has(choice, id);
}
