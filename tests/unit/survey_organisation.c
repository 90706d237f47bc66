/* What the directory says of the organisation, for rules about servers and the schema. A text instead of a list or map is the
 * reason why it is not known; what is not there was not read.
 *
 * - organisation:
 *   - identity: NAME
 *   - machines: [{dn, host, version, described: bool, stores: bool}]; stores: REASON
 *   - computers: [{dn, host, disabled: bool, computer: bool, spns: [SPN]}]
 *   - settings: {containers: N, firewalls: [{dn, proxy-octets: N, proxy: bool, ranges: [TEXT], unreadable: N}]}
 *   - schema-master: {owner, host, here: bool}
 *   - gc: {ATTRIBUTE: bool}
 *   - domains: [{dn, sampled: N, can-enable: N, can-write: N, why-not: REASON}]
 *   - policy: {max-password-age: SECONDS, min-password-length: N, reversible: bool}
 * - schema-report: [{kind: attribute | class | attachment, name, oid, state: present | absent | conflicting, detail}]
 * - log-on: {HOST: [NTLM, Negotiate, Digest, Basic]}, of home servers */
#include "tests/unit/survey_world.h"

#include "lib/data/dn.h"
#include "lib/model/http_facts.h"
#include "lib/model/organisation.h"
#include "tests/unit/unit.h"

survey_read survey_read_organisation, survey_read_schema_report, survey_read_log_on;

static void *array(const struct survey_world *w, size_t count, size_t size) {
    void *items = im_pool_array(w->pool, count, size);
    assert_non_null(items);
    return items;
}

static const char *key_of(const struct survey_world *w, const char *dn) {
    struct im_buf text = IM_BUF_INIT;
    assert_true(im_dn_normalize(dn, &text));
    const char *key = im_pool_strdup(w->pool, im_buf_str(&text));
    im_buf_free(&text);
    return key;
}

/* True: it is known, and *node says what. */
static bool is_known(const struct survey_world *w, const struct im_yaml_node *facts, const char *key,
                     const struct im_yaml_node **node, const char **why_not) {
    *node = im_yaml_get(facts, key);
    if (*node && (*node)->kind == IM_YAML_SCALAR)
        *why_not = survey_text(w, facts, key);
    return *node && (*node)->kind != IM_YAML_SCALAR;
}

static void read_machines(const struct survey_world *w, const struct im_yaml_node *facts, struct im_organisation *o) {
    static const char *const keys[] = {"dn", "host", "version", "described", "stores"};
    const struct im_yaml_node *list;
    o->machines.is_known = is_known(w, facts, "machines", &list, &o->machines.why_not);
    o->stores.why_not = survey_text(w, facts, "stores");
    o->stores.is_known = o->machines.is_known && !o->stores.why_not;
    if (!o->machines.is_known)
        return;
    struct im_machine *items = array(w, list->count, sizeof *items);
    for (size_t i = 0; i < list->count; i++) {
        const struct im_yaml_node *record = list->items[i];
        struct im_buf name = IM_BUF_INIT;
        survey_only_keys(w, record, keys, LENGTH(keys));
        items[i] = (struct im_machine){.dn = survey_text(w, record, "dn"),
                                       .host = survey_text(w, record, "host"),
                                       .version = survey_text(w, record, "version"),
                                       .is_described = survey_bool(w, record, "described", true),
                                       .has_stores = survey_bool(w, record, "stores", false)};
        assert_true(im_dn_first_value(items[i].dn, &name));
        items[i].name = im_pool_strdup(w->pool, im_buf_str(&name));
        items[i].key = key_of(w, items[i].dn);
        im_buf_free(&name);
    }
    o->machines.items = items;
    o->machines.count = list->count;
}

static void read_computers(const struct survey_world *w, const struct im_yaml_node *facts, struct im_organisation *o) {
    static const char *const keys[] = {"dn", "host", "disabled", "computer", "spns"};
    const struct im_yaml_node *list;
    o->computers.is_known = is_known(w, facts, "computers", &list, &o->computers.why_not);
    if (!o->computers.is_known)
        return;
    struct im_computer *items = array(w, list->count, sizeof *items);
    for (size_t i = 0; i < list->count; i++) {
        const struct im_yaml_node *record = list->items[i];
        survey_only_keys(w, record, keys, LENGTH(keys));
        items[i] = (struct im_computer){.dn = survey_text(w, record, "dn"),
                                        .host = survey_text(w, record, "host"),
                                        .is_computer = survey_bool(w, record, "computer", true),
                                        .is_disabled = survey_bool(w, record, "disabled", false),
                                        .spns = survey_list(w, record, "spns")};
    }
    o->computers.items = items;
    o->computers.count = list->count;
}

static struct im_firewall read_firewall(const struct survey_world *w, const struct im_yaml_node *record) {
    static const char *const keys[] = {"dn", "proxy-octets", "proxy", "ranges", "unreadable"};
    survey_only_keys(w, record, keys, LENGTH(keys));
    struct im_firewall f = {.dn = survey_text(w, record, "dn"),
                            .has_proxy = survey_bool(w, record, "proxy", false),
                            .proxy_octets = (size_t)survey_long(w, record, "proxy-octets", 0),
                            .range_count = (size_t)survey_long(w, record, "unreadable", 0),
                            .ranges = survey_list(w, record, "ranges")};
    f.range_count += f.ranges.count;
    return f;
}

static void read_settings(const struct survey_world *w, const struct im_yaml_node *facts, struct im_organisation *o) {
    static const char *const keys[] = {"containers", "firewalls"};
    const struct im_yaml_node *map;
    o->settings.is_known = is_known(w, facts, "settings", &map, &o->settings.why_not);
    if (!o->settings.is_known)
        return;
    const struct im_yaml_node *list = im_yaml_get(map, "firewalls");
    struct im_firewall *items = array(w, list ? list->count : 0, sizeof *items);
    survey_only_keys(w, map, keys, LENGTH(keys));
    for (size_t i = 0; list && i < list->count; i++)
        items[i] = read_firewall(w, list->items[i]);
    o->settings.container_count = (size_t)survey_long(w, map, "containers", 1);
    o->settings.firewalls = items;
    o->settings.count = list ? list->count : 0;
}

static void read_schema_facts(const struct survey_world *w, const struct im_yaml_node *facts, struct im_organisation *o) {
    static const char *const keys[] = {"owner", "host", "here"};
    struct im_error e = {.code = IM_OK};
    const struct im_yaml_node *node;
    o->schema_role.is_known = is_known(w, facts, "schema-master", &node, &o->schema_role.why_not);
    if (o->schema_role.is_known) {
        survey_only_keys(w, node, keys, LENGTH(keys));
        o->schema_role.owner = survey_text(w, node, "owner");
        o->schema_role.host = survey_text(w, node, "host");
        o->schema_role.is_here = survey_bool(w, node, "here", false);
    }
    o->gc.is_known = is_known(w, facts, "gc", &node, &o->gc.why_not);
    if (!o->gc.is_known)
        return;
    struct im_gc_attr *items = array(w, node->count, sizeof *items);
    for (size_t i = 0; i < node->count; i++) {
        const char *name = node->keys[i]->text;
        items[i].name = name;
        items[i].dn = im_pool_printf(w->pool, "CN=%s,CN=Schema,CN=Configuration,DC=corp,DC=example", name);
        survey_must(im_yaml_bool(w->doc, node->items[i], &items[i].is_in_gc, &e), &e);
    }
    o->gc.items = items;
    o->gc.count = node->count;
}

static void read_domains(const struct survey_world *w, const struct im_yaml_node *list, struct im_organisation *o) {
    static const char *const keys[] = {"dn", "sampled", "can-enable", "can-write", "why-not"};
    struct im_domain_rights *items = array(w, list ? list->count : 0, sizeof *items);
    for (size_t i = 0; list && i < list->count; i++) {
        const struct im_yaml_node *record = list->items[i];
        const char *why_not = survey_text(w, record, "why-not");
        survey_only_keys(w, record, keys, LENGTH(keys));
        items[i] = (struct im_domain_rights){.domain = survey_text(w, record, "dn"),
                                             .is_known = !why_not,
                                             .why_not = why_not,
                                             .sampled = (size_t)survey_long(w, record, "sampled", 8),
                                             .can_enable = (size_t)survey_long(w, record, "can-enable", 0),
                                             .can_write = (size_t)survey_long(w, record, "can-write", 0)};
    }
    o->domains = items;
    o->domain_count = list ? list->count : 0;
}

static void read_policy(const struct survey_world *w, const struct im_yaml_node *facts, struct im_organisation *o) {
    static const char *const keys[] = {"max-password-age", "min-password-length", "reversible"};
    const struct im_yaml_node *map;
    o->policy.is_known = is_known(w, facts, "policy", &map, &o->policy.why_not);
    if (!o->policy.is_known)
        return;
    survey_only_keys(w, map, keys, LENGTH(keys));
    o->policy.max_password_age_s = survey_long(w, map, "max-password-age", 0);
    o->policy.min_password_length = survey_long(w, map, "min-password-length", 0);
    o->policy.stores_reversible = survey_bool(w, map, "reversible", false);
}

void survey_read_organisation(struct survey_world *w, const struct im_yaml_node *node) {
    static const char *const keys[] = {"identity",      "machines", "stores",  "computers", "settings",
                                       "schema-master", "gc",       "domains", "policy"};
    struct im_organisation *o = array(w, 1, sizeof *o);
    const char *identity = survey_text(w, node, "identity");
    survey_only_keys(w, node, keys, LENGTH(keys));
    o->identity = identity ? identity : "CORP\\imadmin";
    read_machines(w, node, o);
    read_computers(w, node, o);
    read_settings(w, node, o);
    read_schema_facts(w, node, o);
    read_domains(w, im_yaml_get(node, "domains"), o);
    read_policy(w, node, o);
    w->survey.organisation = o;
}

/* ---- schema ---- */

static enum im_schema_state state_of(const struct im_def_finding *items, size_t count) {
    size_t states[3] = {0};
    for (size_t i = 0; i < count; i++)
        states[items[i].state]++;
    if (states[IM_DEF_CONFLICTING])
        return IM_SCHEMA_CONFLICTING;
    if (!states[IM_DEF_ABSENT])
        return IM_SCHEMA_COMPLETE;
    return states[IM_DEF_PRESENT] ? IM_SCHEMA_PARTLY : IM_SCHEMA_ABSENT;
}

void survey_read_schema_report(struct survey_world *w, const struct im_yaml_node *list) {
    static const char *const keys[] = {"kind", "name", "oid", "state", "detail"};
    static const char *const kinds[] = {"attribute", "class", "attachment"};
    static const char *const states[] = {"present", "absent", "conflicting"};
    struct im_def_finding *items = array(w, list->count, sizeof *items);
    struct im_schema_report *report = array(w, 1, sizeof *report);
    for (size_t i = 0; i < list->count; i++) {
        const struct im_yaml_node *record = list->items[i];
        survey_only_keys(w, record, keys, LENGTH(keys));
        items[i] = (struct im_def_finding){
            .kind = (enum im_def_kind)survey_choice(w, record, "kind", kinds, LENGTH(kinds), IM_DEF_ATTRIBUTE),
            .name = survey_text(w, record, "name"),
            .oid = survey_text(w, record, "oid"),
            .state = (enum im_def_state)survey_choice(w, record, "state", states, LENGTH(states), IM_DEF_PRESENT),
            .detail = survey_text(w, record, "detail"),
        };
    }
    *report = (struct im_schema_report){.items = items, .count = list->count, .state = state_of(items, list->count)};
    w->survey.schema_report = report;
}

/* ---- ways to log on ---- */

void survey_read_log_on(struct survey_world *w, const struct im_yaml_node *map) {
    struct im_http_facts *facts = array(w, 1, sizeof *facts);
    struct im_error e = {.code = IM_OK};
    facts->targets = array(w, map->count, sizeof *facts->targets);
    for (size_t i = 0; i < map->count; i++) {
        struct im_strings schemes = survey_list(w, map, map->keys[i]->text);
        struct im_http_target *target = &facts->targets[facts->target_count++];
        *target = (struct im_http_target){.host = map->keys[i]->text, .roles = IM_HTTP_HOME};
        target->propfind = (struct im_http_answer){.outcome = IM_HTTP_ANSWERED, .status = 401};
        for (size_t k = 0; k < schemes.count; k++)
            survey_must(im_http_add_challenges(&target->propfind, schemes.items[k], w->pool, &e), &e);
    }
    w->survey.http = facts;
}
