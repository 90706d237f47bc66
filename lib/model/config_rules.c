/* `rules:` and `silence:` of configuration files. Which rules there are is checked by im_rules_check_config. */
#include "lib/model/config_store.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/dn.h"
#include "lib/data/times.h"
#include "lib/model/finding.h"
#include "lib/model/identity.h"

#include <string.h>

enum { LIMIT_MAX = 100000000, ID_MAX = 63 };

#define NAMED "the account's name or its DN is needed; a name that looks like an address is written as sam:NAME"
#define LIKE "like { rule: account-disabled, account: jdoe, reason: ... }"
#define ABOUT "needs either an account or a subject (a server, a domain, a DNS name)"
#define SETTINGS "off, on, info, warning, error, or { severity: ..., limit: ... }"

static enum im_err place_of(const struct im_config_load *load, const struct im_yaml_node *node, struct im_config_place *out) {
    const char *file = im_pool_strdup(load->config->pool, im_yaml_name(load->doc));
    if (!file)
        return im_error_nomem(load->e);
    *out = (struct im_config_place){file, node->line, node->column};
    return IM_OK;
}

/* What looks like a rule's id; it is printed as it is. */
static enum im_err copy_id(const struct im_config_load *load, const struct im_yaml_node *node, const char *key,
                           const char **out) {
    bool is_id = node->kind == IM_YAML_SCALAR && node->text[0] >= 'a' && node->text[0] <= 'z' && strlen(node->text) <= ID_MAX &&
                 node->text[strspn(node->text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
    if (!is_id)
        return im_yaml_error(load->doc, node, load->e, "%s: the name of a rule is needed, like account-disabled", key);
    *out = im_pool_strdup(load->config->pool, node->text);
    return *out ? IM_OK : im_error_nomem(load->e);
}

/* ---- rules: ---- */

static enum im_err read_severity(const struct im_config_load *load, const struct im_yaml_node *node, const char *id,
                                 struct im_config_rule *out) {
    enum im_severity severity;
    if (node->kind != IM_YAML_SCALAR || !im_severity_find(node->text, &severity))
        return im_yaml_error(load->doc, node, load->e, "rules: %s: severity: allowed are info, warning and error", id);
    out->severity = (int)severity;
    return IM_OK;
}

static enum im_err read_settings(const struct im_config_load *load, const struct im_yaml_node *map, const char *id,
                                 struct im_config_rule *out) {
    static const char *const names[] = {"severity", "limit"};
    const struct im_yaml_node *severity = im_yaml_get(map, "severity");
    const struct im_yaml_node *limit = im_yaml_get(map, "limit");
    enum im_err err = im_yaml_only_keys(load->doc, map, names, 2, load->e);
    if (err == IM_OK && severity)
        err = read_severity(load, severity, id, out);
    if (err == IM_OK && limit)
        err = im_yaml_int(load->doc, limit, 1, LIMIT_MAX, &out->limit, load->e);
    if (err == IM_OK && limit)
        err = place_of(load, limit, &out->limit_place);
    return err;
}

static enum im_err read_rule(const struct im_config_load *load, const struct im_yaml_node *node, const char *id,
                             struct im_config_rule *out) {
    enum im_severity severity;
    if (node->kind == IM_YAML_MAP)
        return read_settings(load, node, id, out);
    if (node->kind == IM_YAML_SCALAR && im_text_equal(node->text, "off")) {
        out->is_off = true;
    } else if (node->kind == IM_YAML_SCALAR && im_severity_find(node->text, &severity)) {
        out->severity = (int)severity;
    } else if (node->kind != IM_YAML_SCALAR || !im_text_equal(node->text, "on")) {
        return im_yaml_error(load->doc, node, load->e, "rules: %s: allowed are " SETTINGS, id);
    }
    return IM_OK;
}

/* A later file replaces what was said of a rule, and keeps what was said of others. */
static struct im_config_rule *slot_of(struct im_config *config, const char *id) {
    for (size_t i = 0; i < config->rules.count; i++) {
        if (strcmp(config->rules.items[i].id, id) == 0)
            return &config->rules.items[i];
    }
    return im_vec_push(&config->rules);
}

static enum im_err load_rule(const struct im_config_load *load, const struct im_yaml_node *key,
                             const struct im_yaml_node *value) {
    struct im_config_rule rule = {.id = "", .severity = -1};
    enum im_err err = copy_id(load, key, "rules", &rule.id);
    if (err == IM_OK)
        err = place_of(load, key, &rule.place);
    if (err == IM_OK)
        err = read_rule(load, value, rule.id, &rule);
    if (err != IM_OK)
        return err;
    struct im_config_rule *slot = slot_of(load->config, rule.id);
    if (!slot)
        return im_error_nomem(load->e);
    *slot = rule;
    return IM_OK;
}

enum im_err im_config_load_rules(const struct im_config_load *load, const struct im_yaml_node *node) {
    enum im_err err = IM_OK;
    if (im_config_is_empty(node))
        return IM_OK;
    if (node->kind != IM_YAML_MAP)
        return im_yaml_error(load->doc, node, load->e, "rules: a map is needed, like \"account-disabled: warning\"");
    for (size_t i = 0; err == IM_OK && i < node->count; i++)
        err = load_rule(load, node->keys[i], node->items[i]);
    return err;
}

/* ---- silence: ---- */

static const char *const silence_keys[] = {"rule", "account", "subject", "reason", "until"};

static enum im_err copy_text(const struct im_config_load *load, const struct im_yaml_node *record, const char *key,
                             const char **out) {
    const struct im_yaml_node *node = im_yaml_get(record, key);
    if (!node)
        return IM_OK;
    if (node->kind != IM_YAML_SCALAR || im_config_is_empty(node) || !*node->text)
        return im_yaml_error(load->doc, node, load->e, "silence: %s: a text is needed", key);
    *out = im_pool_strdup(load->config->pool, node->text);
    return *out ? IM_OK : im_error_nomem(load->e);
}

static const char *normalized(struct im_pool *pool, const char *text, bool is_dn) {
    struct im_buf form = IM_BUF_INIT;
    if (is_dn) {
        form.failed = !im_dn_normalize(text, &form) || form.failed;
    } else {
        im_text_fold(text, strlen(text), &form);
    }
    const char *kept = form.failed ? NULL : im_pool_strdup(pool, im_buf_str(&form));
    im_buf_free(&form);
    return kept;
}

/* Findings name an account by its name and its DN, so that nothing else could ever match. */
static enum im_err read_account(const struct im_config_load *load, const struct im_yaml_node *record, struct im_silence *s) {
    const struct im_yaml_node *node = im_yaml_get(record, "account");
    struct im_identity identity;
    struct im_error why = {.code = IM_OK};
    if (!s->account)
        return IM_OK;
    enum im_err err = im_identity_parse(s->account, load->config->pool, &identity, &why);
    if (err == IM_E_NOMEM)
        return im_error_nomem(load->e);
    if (err != IM_OK)
        return im_yaml_error(load->doc, node, load->e, "silence: account: %s", why.text);
    if (identity.kind != IM_ID_DN && identity.kind != IM_ID_NAME)
        return im_yaml_error(load->doc, node, load->e, "silence: account: " NAMED);
    const char *form = normalized(load->config->pool, identity.text, identity.kind == IM_ID_DN);
    *(identity.kind == IM_ID_DN ? &s->account_dn : &s->account_name) = form;
    return form ? IM_OK : im_error_nomem(load->e);
}

static enum im_err read_until(const struct im_config_load *load, const struct im_yaml_node *record, struct im_silence *s) {
    const struct im_yaml_node *node = im_yaml_get(record, "until");
    if (!node || (node->kind == IM_YAML_SCALAR && im_date_from_text(node->text, &s->until) && s->until > 0))
        return IM_OK;
    return im_yaml_error(load->doc, node, load->e, "silence: until: a day is needed, like 2027-03-31");
}

static enum im_err check_complete(const struct im_config_load *load, const struct im_yaml_node *record,
                                  const struct im_silence *s) {
    if (!s->rule)
        return im_yaml_error(load->doc, record, load->e, "silence: rule: each record needs the name of a rule");
    if (!s->account == !s->subject)
        return im_yaml_error(load->doc, record, load->e, "silence: %s " ABOUT, s->rule);
    if (!s->reason)
        return im_yaml_error(load->doc, record, load->e, "silence: reason: each record needs a reason, for those who come later");
    return IM_OK;
}

static enum im_err load_silence(const struct im_config_load *load, const struct im_yaml_node *record) {
    struct im_silence s = {.rule = NULL};
    const struct im_yaml_node *rule = im_yaml_get(record, "rule");
    if (record->kind != IM_YAML_MAP)
        return im_yaml_error(load->doc, record, load->e, "silence: each item must be a record, " LIKE);
    enum im_err err = im_yaml_only_keys(load->doc, record, silence_keys, sizeof silence_keys / sizeof silence_keys[0], load->e);
    if (err == IM_OK && rule)
        err = copy_id(load, rule, "silence: rule", &s.rule);
    if (err == IM_OK)
        err = copy_text(load, record, "account", &s.account);
    if (err == IM_OK)
        err = copy_text(load, record, "subject", &s.subject);
    if (err == IM_OK)
        err = copy_text(load, record, "reason", &s.reason);
    if (err == IM_OK)
        err = read_until(load, record, &s);
    if (err == IM_OK)
        err = check_complete(load, record, &s);
    if (err == IM_OK)
        err = read_account(load, record, &s);
    if (err == IM_OK && s.subject && !(s.subject_name = normalized(load->config->pool, s.subject, false)))
        err = im_error_nomem(load->e);
    if (err == IM_OK)
        err = place_of(load, rule ? rule : record, &s.place);
    if (err != IM_OK)
        return err;
    struct im_silence *slot = im_vec_push(&load->config->silences);
    if (!slot)
        return im_error_nomem(load->e);
    *slot = s;
    return IM_OK;
}

enum im_err im_config_load_silences(const struct im_config_load *load, const struct im_yaml_node *node) {
    enum im_err err = IM_OK;
    load->config->silences.count = 0; /* a later file replaces the list */
    if (im_config_is_empty(node))
        return IM_OK;
    if (node->kind != IM_YAML_LIST)
        return im_yaml_error(load->doc, node, load->e, "silence: a list of records is needed");
    for (size_t i = 0; err == IM_OK && i < node->count; i++)
        err = load_silence(load, node->items[i]);
    return err;
}
