/* The part of the small world that only imcheck's rules look at. */
#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "tests/unit/unit.h"
#include "tests/unit/world_impl.h"

enum { MAXIMUM_AGE = 42 * 86400 };

static bool is_unknown(struct world *w, const struct im_yaml_node *facts, const char *key) {
    const struct im_yaml_node *node = im_yaml_get(facts, key);
    return node && node->kind == IM_YAML_SCALAR && im_text_equal(world_text(w, facts, key), "unknown");
}

static void read_target(struct world *w, const struct im_yaml_node *facts) {
    static const char *const names[] = {"unknown", "host", "no-host", "no-server", "deleted", "missing"};
    const char *name = world_text(w, facts, "target");
    if (!name)
        return;
    size_t i = 0;
    while (i < LENGTH(names) && strcmp(names[i], name) != 0)
        i++;
    assert_true(i < LENGTH(names));
    w->target = (enum im_target)i;
    w->has_target = true;
}

static void read_policy(struct world *w, const struct im_yaml_node *facts) {
    static const char *const keys[] = {"max-password-age", "min-password-length", "reversible"};
    const struct im_yaml_node *map = im_yaml_get(facts, "policy");
    if (is_unknown(w, facts, "policy"))
        w->organisation.policy.why_not = "no right to read it";
    if (is_unknown(w, facts, "policy") || (!map && !w->schema.is_ad))
        return;
    world_only_keys(w, map, keys, LENGTH(keys));
    w->organisation.policy = (struct im_policy){
        .is_known = true,
        .max_password_age_s = world_long(w, map, "max-password-age", MAXIMUM_AGE),
        .min_password_length = world_long(w, map, "min-password-length", 7),
        .stores_reversible = world_bool(w, map, "reversible", false),
    };
}

static void add_target(struct world *w, const char *host, const struct im_strings *schemes) {
    struct im_http_target *target = &w->http.targets[w->http.target_count++];
    struct im_error e = {.code = IM_OK};
    *target = (struct im_http_target){.host = host, .roles = IM_HTTP_HOME};
    target->propfind.outcome = schemes->count ? IM_HTTP_ANSWERED : IM_HTTP_TIMEOUT;
    target->propfind.status = schemes->count ? 401 : 0;
    for (size_t i = 0; i < schemes->count; i++)
        world_must(im_http_add_challenges(&target->propfind, schemes->items[i], w->pool, &e), &e);
}

static void read_http(struct world *w, const struct im_yaml_node *facts) {
    static const char *ntlm[] = {"NTLM"};
    const struct im_strings plain = {.items = ntlm, .count = 1};
    const struct im_yaml_node *map = im_yaml_get(facts, "http");
    if (is_unknown(w, facts, "http"))
        return;
    w->survey.http = &w->http;
    w->http.targets = im_pool_array(w->pool, w->servers.count + (map ? map->count : 0), sizeof *w->http.targets);
    for (size_t i = 0; map && i < map->count; i++) {
        struct im_strings schemes = world_list(w, map, map->keys[i]->text);
        add_target(w, map->keys[i]->text, &schemes);
    }
    for (size_t i = 0; !map && i < w->servers.count; i++) {
        if (w->servers.items[i].hosts_users && w->servers.items[i].host)
            add_target(w, w->servers.items[i].host, &plain);
    }
}

static void read_srv(struct world *w, const struct im_yaml_node *facts) {
    static const struct im_dns_resolver resolver = {.name = "192.0.2.53", .address = "192.0.2.53", .is_given = true};
    const struct im_yaml_node *map = im_yaml_get(facts, "srv");
    struct im_error e = {.code = IM_OK};
    if (!map)
        return;
    world_must(im_dns_facts_begin(&w->dns, w->profile->srv, w->profile->srv_count, &resolver, 1, w->pool, &e), &e);
    w->survey.dns = &w->dns;
    for (size_t i = 0; i < map->count; i++) {
        const char *target = map->items[i]->text;
        struct im_dns_record *record = im_pool_alloc(w->pool, sizeof *record);
        assert_non_null(record);
        *record = (struct im_dns_record){.text = target, .port = 80};
        char name[IM_DNS_NAME_SIZE];
        assert_true(im_dns_srv_name(w->profile->srv[0].label, map->keys[i]->text, name));
        world_must(im_dns_facts_want(&w->dns, name, IM_DNS_SRV, false, &e), &e);
        struct im_dns_answer *answer = w->dns.answers.items[w->dns.answers.count - 1];
        answer->state = *target ? IM_DNS_FOUND : IM_DNS_NXDOMAIN;
        answer->records = record;
        answer->count = *target != '\0';
    }
}

void world_read_survey(struct world *w, const struct im_yaml_node *facts) {
    w->is_audit = world_bool(w, facts, "audit", false);
    w->is_named = world_bool(w, facts, "named", false);
    if (im_yaml_get(facts, "protected"))
        w->in_protected_group = world_bool(w, facts, "protected", false) ? IM_YES : IM_NO;
    w->context.is_check = true;
    w->survey = (struct im_survey){.profile = w->profile,
                                   .schema = &w->schema,
                                   .servers = &w->servers,
                                   .organisation = &w->organisation,
                                   .is_ad = w->schema.is_ad,
                                   .now = w->context.now};
    read_target(w, facts);
    read_policy(w, facts);
    read_http(w, facts);
    read_srv(w, facts);
}

/* What an engine would find: every object that is no server's is missing. */
static enum im_target look_up(struct world *w, const struct im_account *account) {
    const struct im_server *server = im_servers_by_dn(&w->servers, account->home);
    if (w->has_target || !account->home)
        return w->target;
    if (im_dn_is_deleted(account->home))
        return IM_TARGET_DELETED;
    return !server ? IM_TARGET_MISSING : server->hosts_users ? IM_TARGET_HOST : IM_TARGET_NO_HOST;
}

struct im_facts world_facts(struct world *w, const struct im_account *account, const struct im_want *want) {
    return (struct im_facts){.context = &w->context,
                             .account = account,
                             .want = want,
                             .servers = &w->servers,
                             .holders = w->holders,
                             .holder_count = w->holder_count,
                             .is_preflight = !w->is_audit,
                             .target = look_up(w, account),
                             .in_protected_group = w->in_protected_group,
                             .is_named = w->is_named,
                             .survey = &w->survey};
}
