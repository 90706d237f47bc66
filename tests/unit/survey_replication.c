/* The key `replication`: the server that was asked, and what others say.
 *
 * - replication: {server, truncated, bound-to-gc: bool, domains: N, compared: bool, unlisted: REASON, left-out: N,
 *   servers: [{name, kind, no-inbound: bool, trouble}], differences: [{server, account, dn, attribute, here, there, when-here,
 *   when-there}]}
 * - kind: configured (default), writable, read-only, catalog. server: default ldap://dc1.corp.example. Without servers, compared
 *   and unlisted the others were not looked for. A difference without an attribute: the account is not there. */
#include "lib/base/vec.h"
#include "lib/model/replica_facts.h"
#include "tests/unit/survey_world.h"
#include "tests/unit/unit.h"

survey_read survey_read_replication;

static void *array(const struct survey_world *w, size_t count, size_t size) {
    void *items = im_pool_array(w->pool, count + 1, size);
    assert_non_null(items);
    return items;
}

static void read_server(const struct survey_world *w, const struct im_yaml_node *record, struct im_replica *out,
                        const char **trouble) {
    static const char *const keys[] = {"name", "kind", "no-inbound", "trouble"};
    static const char *const kinds[] = {"configured", "writable", "read-only", "catalog"};
    survey_only_keys(w, record, keys, LENGTH(keys));
    *out = (struct im_replica){
        .name = survey_text(w, record, "name"),
        .kind = (enum im_replica_kind)survey_choice(w, record, "kind", kinds, LENGTH(kinds), IM_REPLICA_CONFIGURED),
        .no_inbound = survey_bool(w, record, "no-inbound", false),
    };
    assert_non_null(out->name);
    out->uri = out->name;
    *trouble = survey_text(w, record, "trouble");
}

static size_t find_server(const struct im_replica_facts *facts, const char *name) {
    for (size_t i = 0; name && i < facts->replicas.count; i++) {
        if (strcmp(facts->replicas.items[i].name, name) == 0)
            return i;
    }
    fail_msg("differences: \"%s\" is none of the servers", name ? name : "");
    return 0;
}

static void read_difference(const struct survey_world *w, const struct im_yaml_node *record, struct im_replica_facts *facts,
                            struct im_replica_difference *out) {
    static const char *const keys[] = {"server", "account", "dn", "attribute", "here", "there", "when-here", "when-there"};
    survey_only_keys(w, record, keys, LENGTH(keys));
    *out = (struct im_replica_difference){
        .replica = find_server(facts, survey_text(w, record, "server")),
        .account = survey_text(w, record, "account"),
        .dn = survey_text(w, record, "dn"),
        .attribute = survey_text(w, record, "attribute"),
        .here = survey_text(w, record, "here"),
        .there = survey_text(w, record, "there"),
        .when_here = survey_text(w, record, "when-here"),
        .when_there = survey_text(w, record, "when-there"),
    };
    assert_non_null(out->dn);
}

static struct im_replica_facts *read_facts(const struct survey_world *w, const struct im_yaml_node *node) {
    const struct im_yaml_node *servers = im_yaml_get(node, "servers");
    const struct im_yaml_node *differences = im_yaml_get(node, "differences");
    size_t count = servers ? servers->count : 0;
    struct im_replica_facts *facts = array(w, 1, sizeof *facts);
    facts->is_compared = survey_bool(w, node, "compared", false);
    facts->unlisted = survey_text(w, node, "unlisted");
    facts->left_out = (size_t)survey_long(w, node, "left-out", 0);
    facts->replicas.items = array(w, count, sizeof *facts->replicas.items);
    facts->troubles = array(w, count, sizeof *facts->troubles);
    for (size_t i = 0; i < count; i++)
        read_server(w, servers->items[i], &facts->replicas.items[facts->replicas.count++], &facts->troubles[i]);
    count = differences ? differences->count : 0;
    facts->differences.items = array(w, count, sizeof *facts->differences.items);
    for (size_t i = 0; i < count; i++)
        read_difference(w, differences->items[i], facts, &facts->differences.items[facts->differences.count++]);
    return facts;
}

void survey_read_replication(struct survey_world *w, const struct im_yaml_node *node) {
    static const char *const keys[] = {"server",   "truncated", "bound-to-gc", "domains",    "compared",
                                       "unlisted", "left-out",  "servers",     "differences"};
    const char *server = survey_text(w, node, "server");
    survey_only_keys(w, node, keys, LENGTH(keys));
    w->survey.server = server ? server : "ldap://dc1.corp.example";
    w->survey.truncated = survey_text(w, node, "truncated");
    w->survey.is_bound_to_gc = survey_bool(w, node, "bound-to-gc", false);
    w->survey.domain_count = (size_t)survey_long(w, node, "domains", 0);
    if (im_yaml_get(node, "servers") || im_yaml_get(node, "compared") || im_yaml_get(node, "unlisted"))
        w->survey.replicas = read_facts(w, node);
}
