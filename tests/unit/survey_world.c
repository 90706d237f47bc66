#include "tests/unit/survey_world.h"

#include "lib/base/vec.h"
#include "tests/unit/golden.h"
#include "tests/unit/oom.h"
#include "tests/unit/survey_dns.h"
#include "tests/unit/unit.h"

#include <stdio.h>

/* One row a key; functions of other files are declared here. */
static survey_read read_census;
survey_read survey_read_http, survey_read_organisation, survey_read_schema_report, survey_read_log_on;
survey_read survey_read_replication;

static const struct survey_part parts[] = {
    {"census", read_census},
    {"organisation", survey_read_organisation},
    {"schema-report", survey_read_schema_report},
    {"log-on", survey_read_log_on},
    {"dns", survey_read_dns},
    {"http", survey_read_http},
    {"replication", survey_read_replication},
};

static const char *const plain_keys[] = {"directory", "profile", "now", "external", "offline", "config", "limits", "servers"};

/* ---- for parts ---- */

void survey_must(enum im_err err, const struct im_error *e) {
    char text[1400];
    if (err == IM_OK)
        return;
    im_error_format(e, text, sizeof text);
    fail_msg("%s", text);
}

const char *survey_text(const struct survey_world *w, const struct im_yaml_node *map, const char *key) {
    struct im_error e = {.code = IM_OK};
    const char *text = NULL;
    const struct im_yaml_node *node = im_yaml_get(map, key);
    if (node)
        survey_must(im_yaml_text(w->doc, node, &text, &e), &e);
    return text;
}

long survey_long(const struct survey_world *w, const struct im_yaml_node *map, const char *key, long fallback) {
    struct im_error e = {.code = IM_OK};
    const struct im_yaml_node *node = im_yaml_get(map, key);
    if (node)
        survey_must(im_yaml_int(w->doc, node, INT32_MIN, INT32_MAX, &fallback, &e), &e);
    return fallback;
}

bool survey_bool(const struct survey_world *w, const struct im_yaml_node *map, const char *key, bool fallback) {
    struct im_error e = {.code = IM_OK};
    const struct im_yaml_node *node = im_yaml_get(map, key);
    if (node)
        survey_must(im_yaml_bool(w->doc, node, &fallback, &e), &e);
    return fallback;
}

struct im_strings survey_list(const struct survey_world *w, const struct im_yaml_node *map, const char *key) {
    const struct im_yaml_node *node = im_yaml_get(map, key);
    struct im_strings list = {.count = node ? node->count : 0};
    if (!node)
        return list;
    assert_int_equal(node->kind, IM_YAML_LIST);
    list.items = im_pool_array(w->pool, list.count, sizeof *list.items);
    for (size_t i = 0; i < list.count; i++)
        list.items[i] = node->items[i]->text;
    return list;
}

int survey_choice(const struct survey_world *w, const struct im_yaml_node *map, const char *key, const char *const *words,
                  size_t count, int fallback) {
    const char *text = survey_text(w, map, key);
    for (size_t i = 0; text && i < count; i++) {
        if (strcmp(text, words[i]) == 0)
            return (int)i;
    }
    if (text)
        fail_msg("%s: \"%s\" is no choice", key, text);
    return fallback;
}

void survey_only_keys(const struct survey_world *w, const struct im_yaml_node *map, const char *const *keys, size_t count) {
    struct im_error e = {.code = IM_OK};
    if (map)
        survey_must(im_yaml_only_keys(w->doc, map, keys, count, &e), &e);
}

/* ---- census ---- */

static struct im_census_domain *read_domains(const struct survey_world *w, const struct im_yaml_node *map, size_t *count) {
    struct im_error e = {.code = IM_OK};
    *count = map ? map->count : 0;
    struct im_census_domain *domains = im_pool_array(w->pool, *count, sizeof *domains);
    for (size_t i = 0; i < *count; i++) {
        long users = 0;
        survey_must(im_yaml_int(w->doc, map->items[i], 0, INT32_MAX, &users, &e), &e);
        domains[i] = (struct im_census_domain){.name = map->keys[i]->text, .users = (size_t)users};
    }
    return domains;
}

static struct im_census_home read_home(const struct survey_world *w, const struct im_yaml_node *node) {
    static const char *const keys[] = {"dn", "users", "target", "host"};
    static const char *const targets[] = {"unknown", "host", "no-host", "no-server", "deleted", "missing"};
    survey_only_keys(w, node, keys, LENGTH(keys));
    const char *dn = survey_text(w, node, "dn");
    return (struct im_census_home){
        .dn = dn,
        .users = (size_t)survey_long(w, node, "users", 1),
        .target = (enum im_target)survey_choice(w, node, "target", targets, LENGTH(targets), IM_TARGET_HOST),
        .server = im_servers_by_dn(w->survey.servers, dn),
        .host = survey_text(w, node, "host"),
    };
}

static void read_census(struct survey_world *w, const struct im_yaml_node *node) {
    static const char *const keys[] = {"whole", "accounts", "enabled", "homes", "im-domains", "mail-domains"};
    const struct im_yaml_node *homes = im_yaml_get(node, "homes");
    struct im_census *c = &w->census;
    survey_only_keys(w, node, keys, LENGTH(keys));
    *c = (struct im_census){.is_whole = survey_bool(w, node, "whole", true), .home_count = homes ? homes->count : 0};
    c->homes = im_pool_array(w->pool, c->home_count, sizeof *c->homes);
    size_t users = 0;
    for (size_t i = 0; i < c->home_count; i++) {
        c->homes[i] = read_home(w, homes->items[i]);
        users += c->homes[i].users;
    }
    c->im_domains = read_domains(w, im_yaml_get(node, "im-domains"), &c->im_domain_count);
    c->mail_domains = read_domains(w, im_yaml_get(node, "mail-domains"), &c->mail_domain_count);
    c->enabled = (size_t)survey_long(w, node, "enabled", (long)users);
    c->accounts = (size_t)survey_long(w, node, "accounts", (long)c->enabled);
    w->survey.census = c;
}

/* ---- the plain keys ---- */

static void check_keys(const struct survey_world *w, const struct im_yaml_node *facts) {
    const char *keys[LENGTH(plain_keys) + LENGTH(parts)];
    for (size_t i = 0; i < LENGTH(keys); i++)
        keys[i] = i < LENGTH(plain_keys) ? plain_keys[i] : parts[i - LENGTH(plain_keys)].key;
    survey_only_keys(w, facts, keys, LENGTH(keys));
}

static void read_servers(struct survey_world *w, const struct im_yaml_node *list) {
    static const char *const keys[] = {"name", "host", "dn", "domains", "hosts-users", "capacity", "users", "where"};
    for (size_t i = 0; i < list->count; i++) {
        const struct im_yaml_node *record = list->items[i];
        const char *where = survey_text(w, record, "where");
        struct im_server *server = im_vec_push(&w->servers);
        survey_only_keys(w, record, keys, LENGTH(keys));
        assert_non_null(server);
        *server = (struct im_server){
            .name = survey_text(w, record, "name"),
            .host = survey_text(w, record, "host"),
            .dn = survey_text(w, record, "dn"),
            .domains = survey_list(w, record, "domains"),
            .hosts_users = survey_bool(w, record, "hosts-users", true),
            .capacity = survey_long(w, record, "capacity", 0),
            .users = survey_long(w, record, "users", -1),
            .where = where ? where : "directory",
        };
        assert_non_null(server->name);
    }
}

static void read_config(struct survey_world *w, const struct im_yaml_node *map) {
    struct im_error e = {.code = IM_OK};
    w->config = im_config_new();
    assert_non_null(w->config);
    for (size_t i = 0; map && i < map->count; i++) {
        const char *value = NULL;
        survey_must(im_yaml_text(w->doc, map->items[i], &value, &e), &e);
        survey_must(im_config_set(w->config, map->keys[i]->text, value, "facts", &e), &e);
    }
}

static void read_limits(struct survey_world *w, const struct im_yaml_node *map) {
    struct im_error e = {.code = IM_OK};
    for (size_t i = 0; map && i < map->count; i++) {
        struct im_config_rule *rule = im_vec_push(&w->config->rules);
        assert_non_null(rule);
        *rule = (struct im_config_rule){.id = map->keys[i]->text, .severity = -1};
        survey_must(im_yaml_int(w->doc, map->items[i], 1, INT32_MAX, &rule->limit, &e), &e);
    }
}

static const struct im_profile *read_profile(struct survey_world *w, const char *name) {
    struct im_error e = {.code = IM_OK};
    if (!name)
        return w->base->profile;
    survey_must(im_profile_load(name, &w->profile, &e), &e);
    return w->profile;
}

static struct survey_world *build(struct survey_world *w) {
    static const char *const directories[] = {"directory: ad", "directory: openldap"};
    static const char *const words[] = {"ad", "openldap"};
    const struct im_yaml_node *facts = im_yaml_root(w->doc);
    const struct im_yaml_node *servers = im_yaml_get(facts, "servers");
    check_keys(w, facts);
    w->base = world_from_text(directories[survey_choice(w, facts, "directory", words, LENGTH(words), 0)]);
    read_config(w, im_yaml_get(facts, "config"));
    read_limits(w, im_yaml_get(facts, "limits"));
    if (servers)
        read_servers(w, servers);
    w->survey = (struct im_survey){
        .config = w->config,
        .profile = read_profile(w, survey_text(w, facts, "profile")),
        .schema = &w->base->schema,
        .servers = servers ? &w->servers : &w->base->servers,
        .is_ad = w->base->schema.is_ad,
        .is_offline = survey_bool(w, facts, "offline", false),
        .is_external = survey_bool(w, facts, "external", false),
        .now = survey_long(w, facts, "now", (long)w->base->context.now),
    };
    for (size_t i = 0; i < LENGTH(parts); i++) {
        const struct im_yaml_node *node = im_yaml_get(facts, parts[i].key);
        if (node)
            parts[i].read(w, node);
    }
    return w;
}

static struct survey_world *new_world(void) {
    struct survey_world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->pool = im_pool_new();
    assert_non_null(w->pool);
    return w;
}

struct survey_world *survey_world_from_file(const char *path) {
    struct survey_world *w = new_world();
    struct im_error e = {.code = IM_OK};
    survey_must(im_yaml_load_file(path, &w->doc, &e), &e);
    return build(w);
}

struct survey_world *survey_world_from_text(const char *yaml) {
    struct survey_world *w = new_world();
    struct im_error e = {.code = IM_OK};
    survey_must(im_yaml_load_text("facts", yaml, strlen(yaml), &w->doc, &e), &e);
    return build(w);
}

void survey_world_free(struct survey_world **w) {
    if (!w || !*w)
        return;
    survey_free_dns(*w);
    im_vec_free(&(*w)->servers);
    im_profile_free(&(*w)->profile);
    im_config_free(&(*w)->config);
    world_free(&(*w)->base);
    im_yaml_free(&(*w)->doc);
    im_pool_free(&(*w)->pool);
    free(*w);
    *w = NULL;
}

/* ---- what the rules say ---- */

static void tell_finding(const struct im_finding *f, struct im_buf *out) {
    assert_non_null(f->subject);
    assert_true(f->message && *f->message && f->remedy && *f->remedy);
    im_buf_addf(out, "fires %s [%s] %s: %s\n", f->rule->id, im_severity_name(f->severity), f->subject, f->message);
    for (size_t i = 0; i < f->evidence_count; i++)
        im_buf_addf(out, "evidence %s: %s\n", f->evidence[i].name, f->evidence[i].value);
    im_buf_addf(out, "remedy %s\n", f->remedy);
}

static void ask_rule(const struct im_rule *rule, const struct survey_world *w, const struct im_survey *survey,
                     struct im_buf *out) {
    struct im_sink sink = {.pool = w->pool, .rule = rule};
    enum im_verdict verdict = rule->survey(survey, &sink);
    assert_false(sink.failed);
    if ((verdict == IM_FIRES) != (sink.count > 0) || (verdict == IM_SKIPPED && !sink.reason))
        fail_msg("%s: the verdict is %d with %zu findings", rule->id, (int)verdict, sink.count);
    for (size_t i = 0; i < sink.count; i++)
        tell_finding(&sink.items[i], out);
    if (sink.reason)
        im_buf_addf(out, "skipped %s: %s\n", rule->id, sink.reason);
    im_sink_free(&sink);
}

/* Accounts are not read for a rule that says that it does not need them: it must say the same without. */
static void tell_rule(const struct im_rule *rule, const struct survey_world *w, struct im_buf *out) {
    struct im_survey alone = w->survey;
    struct im_buf with = IM_BUF_INIT;
    struct im_buf without = IM_BUF_INIT;
    alone.census = NULL;
    alone.truncated = NULL;
    ask_rule(rule, w, &w->survey, &with);
    if (!im_rule_needs_accounts(rule))
        ask_rule(rule, w, &alone, &without);
    if (!im_rule_needs_accounts(rule) && strcmp(im_buf_str(&with), im_buf_str(&without)) != 0)
        fail_msg("%s needs accounts, and its row does not say so: without them it says\n%s", rule->id, im_buf_str(&without));
    im_buf_adds(out, im_buf_str(&with));
    im_buf_free(&with);
    im_buf_free(&without);
}

void survey_tell(enum im_scope scope, const struct survey_world *w, struct im_buf *out) {
    size_t count;
    const struct im_rule *rules = im_rules(scope, &count);
    for (size_t i = 0; i < count; i++) {
        if (rules[i].survey)
            tell_rule(&rules[i], w, out);
    }
}

static bool starve_rule(const struct im_rule *rule, const struct survey_world *w, size_t nth) {
    struct im_sink sink = {.pool = im_pool_new(), .rule = rule};
    assert_non_null(sink.pool);
    oom_fail_at(nth);
    (void)rule->survey(&w->survey, &sink);
    bool was_hit = oom_pause() == 0;
    if (was_hit && !sink.failed)
        fail_msg("%s does not notice that allocation %zu failed", rule->id, nth);
    im_pool_free(&sink.pool);
    im_sink_free(&sink);
    return was_hit;
}

void survey_starve(enum im_scope scope, const struct survey_world *w) {
    size_t count;
    const struct im_rule *rules = im_rules(scope, &count);
    for (size_t i = 0; i < count; i++) {
        for (size_t nth = 1; rules[i].survey && starve_rule(&rules[i], w, nth); nth++)
            assert_true(nth < 1000);
    }
}

static void check_row(const struct im_rule *rule, enum im_scope scope, const struct im_profile *profile) {
    if (rule->scope != scope || strncmp(rule->id, im_scope_name(scope), strlen(im_scope_name(scope))) != 0)
        fail_msg("%s: not of the scope %s", rule->id, im_scope_name(scope));
    if (!*rule->title || !*rule->cause || !*rule->remedy || !*rule->source || !rule->check == !rule->survey)
        fail_msg("%s: the row is not complete", rule->id);
    assert_ptr_equal(im_rule_find(rule->id), rule);
    if (!im_rule_applies(profile, rule))
        fail_msg("%s: the profile does not list it", rule->id);
}

void survey_check_rules(enum im_scope scope, const char *top) {
    struct im_profile *profile = NULL;
    struct im_error e = {.code = IM_OK};
    size_t count;
    const struct im_rule *rules = im_rules(scope, &count);
    assert_true(count > 0);
    survey_must(im_profile_load("exchange2000", &profile, &e), &e);
    for (size_t i = 0; i < count; i++) {
        char fires[80];
        check_row(&rules[i], scope, profile);
        if (!rules[i].survey)
            continue;
        snprintf(fires, sizeof fires, "fires %s ", rules[i].id);
        if (golden_count(top, rules[i].id) < 3)
            fail_msg("%s has less than three folders", rules[i].id);
        if (!golden_has(top, rules[i].id, fires, true))
            fail_msg("%s fires in no folder of its own", rules[i].id);
        if (!golden_has(top, rules[i].id, fires, false))
            fail_msg("%s is silent in no folder of its own", rules[i].id);
    }
    im_profile_free(&profile);
}
