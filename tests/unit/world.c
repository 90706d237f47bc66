#include "tests/unit/world_impl.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"
#include "lib/data/ldif.h"
#include "tests/unit/unit.h"

enum { NOW = 1795600000 };

#define DEFAULT_SERVERS                                                                                                          \
    "- { name: imhome1, host: imhome1.corp.example,\n"                                                                           \
    "    dn: 'CN=1,CN=IM,CN=Protocols,CN=IMHOME1,CN=Servers,DC=corp,DC=example' }\n"                                             \
    "- { name: router1, host: im.corp.example, hosts-users: false,\n"                                                            \
    "    dn: 'CN=1,CN=IM,CN=Protocols,CN=ROUTER1,CN=Servers,DC=corp,DC=example' }\n"

/* ---- reading ---- */

void world_must(enum im_err err, const struct im_error *e) {
    char text[1400];
    if (err == IM_OK)
        return;
    im_error_format(e, text, sizeof text);
    fail_msg("%s", text);
}

const char *world_text(struct world *w, const struct im_yaml_node *map, const char *key) {
    struct im_error e = {.code = IM_OK};
    const char *text = NULL;
    const struct im_yaml_node *node = im_yaml_get(map, key);
    if (node)
        world_must(im_yaml_text(w->doc, node, &text, &e), &e);
    return text;
}

long world_long(struct world *w, const struct im_yaml_node *map, const char *key, long fallback) {
    struct im_error e = {.code = IM_OK};
    const struct im_yaml_node *node = im_yaml_get(map, key);
    if (node)
        world_must(im_yaml_int(w->doc, node, 0, INT32_MAX, &fallback, &e), &e);
    return fallback;
}

bool world_bool(struct world *w, const struct im_yaml_node *map, const char *key, bool fallback) {
    struct im_error e = {.code = IM_OK};
    const struct im_yaml_node *node = im_yaml_get(map, key);
    if (node)
        world_must(im_yaml_bool(w->doc, node, &fallback, &e), &e);
    return fallback;
}

struct im_strings world_list(struct world *w, const struct im_yaml_node *map, const char *key) {
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

static bool holds(struct im_strings list, const char *name) {
    for (size_t i = 0; i < list.count; i++) {
        if (im_text_equal(list.items[i], name))
            return true;
    }
    return false;
}

void world_only_keys(struct world *w, const struct im_yaml_node *map, const char *const *names, size_t count) {
    struct im_error e = {.code = IM_OK};
    if (map)
        world_must(im_yaml_only_keys(w->doc, map, names, count, &e), &e);
}

/* ---- schema ---- */

static const char *const known_by_ad[] = {
    "objectClass", "objectSid",   "sIDHistory",         "userAccountControl",     "pwdLastSet",
    "objectGUID",  "lockoutTime", "lastLogonTimestamp", "msExchMasterAccountSid", "adminCount"};
static const char *const known_by_openldap[] = {"objectClass", "entryUUID", "uid", "mail"};

/* Structural classes of either directory: each stands below the one before it. */
static const char *const chain_of_ad[] = {"top", "person", "organizationalPerson", "user"};
static const char *const chain_of_openldap[] = {"top", "person", "organizationalPerson", "inetOrgPerson"};

static void define_attributes(struct world *w, const struct im_yaml_node *facts) {
    struct im_strings knows = world_list(w, facts, "knows");
    struct im_strings lacks = world_list(w, facts, "lacks");
    struct im_strings bare = world_list(w, facts, "without-equality");
    struct im_strings many = world_list(w, facts, "many-valued");
    const struct im_schema_defs *defs = &w->profile->schema;
    const char *const *fixed = w->schema.is_ad ? known_by_ad : known_by_openldap;
    size_t fixed_count = w->schema.is_ad ? LENGTH(known_by_ad) : LENGTH(known_by_openldap);
    w->schema.attrs = im_pool_array(w->pool, defs->attr_count + fixed_count + knows.count, sizeof *w->schema.attrs);
    for (size_t i = 0; i < defs->attr_count; i++) {
        const struct im_syntax_row *row = im_syntax_row(defs->attrs[i].syntax);
        const char *other = world_text(w, im_yaml_get(facts, "syntaxes"), defs->attrs[i].name);
        bool has_rule = !w->schema.is_ad && !holds(bare, defs->attrs[i].name);
        w->schema.attrs[w->schema.attr_count++] = (struct im_schema_attr){
            .name = defs->attrs[i].name,
            .oid = defs->attrs[i].oid,
            .syntax = other             ? other
                      : w->schema.is_ad ? row->ad_syntax
                                        : row->oid,
            .single = defs->attrs[i].single && !holds(many, defs->attrs[i].name),
            .equality = has_rule ? row->equality : NULL,
        };
    }
    for (size_t i = 0; i < fixed_count + knows.count; i++) {
        const char *name = i < fixed_count ? fixed[i] : knows.items[i - fixed_count];
        if (holds(lacks, name))
            continue;
        w->schema.attrs[w->schema.attr_count++] =
            (struct im_schema_attr){.name = name, .oid = name, .syntax = "", .equality = ""};
    }
}

static void define_classes(struct world *w, const struct im_yaml_node *facts) {
    const char *attached = world_text(w, facts, "class");
    const struct im_class_def *aux = &w->profile->schema.classes[0];
    const char *const *chain = w->schema.is_ad ? chain_of_ad : chain_of_openldap;
    if (!attached)
        attached = w->schema.is_ad ? "static" : "dynamic";
    struct im_schema_class *classes = im_pool_array(w->pool, LENGTH(chain_of_ad) + 1, sizeof *classes);
    for (size_t i = 0; i < LENGTH(chain_of_ad); i++) {
        const char **sup = im_pool_array(w->pool, 1, sizeof *sup);
        sup[0] = i ? chain[i - 1] : chain[i];
        classes[i] = (struct im_schema_class){.name = chain[i], .oid = chain[i], .sup = sup, .sup_count = i > 0};
    }
    struct im_schema_class *person = &classes[LENGTH(chain_of_ad) - 1];
    if (strcmp(attached, "static") == 0) {
        person->aux = im_pool_array(w->pool, 1, sizeof *person->aux);
        person->aux[0] = aux->name;
        person->aux_count = 1;
    } else if (strcmp(attached, "content-rule") == 0) {
        person->rule_may = aux->may;
        person->rule_may_count = aux->may_count;
    } else {
        assert_true(strcmp(attached, "dynamic") == 0 || strcmp(attached, "missing") == 0);
    }
    w->schema.classes = classes;
    w->schema.class_count = LENGTH(chain_of_ad);
    if (strcmp(attached, "missing") == 0)
        return;
    classes[w->schema.class_count++] =
        (struct im_schema_class){.name = aux->name, .oid = aux->oid, .may = aux->may, .may_count = aux->may_count};
}

/* ---- servers, request, holders ---- */

static void add_servers(struct world *w, const struct im_yaml_node *list) {
    static const char *const keys[] = {"name", "host", "dn", "domains", "hosts-users", "capacity", "users"};
    for (size_t i = 0; list && i < list->count; i++) {
        const struct im_yaml_node *record = list->items[i];
        struct im_server *server = im_vec_push(&w->servers);
        world_only_keys(w, record, keys, LENGTH(keys));
        assert_non_null(server);
        *server = (struct im_server){
            .name = world_text(w, record, "name"),
            .host = world_text(w, record, "host"),
            .dn = world_text(w, record, "dn"),
            .domains = world_list(w, record, "domains"),
            .hosts_users = world_bool(w, record, "hosts-users", true),
            .capacity = world_long(w, record, "capacity", 0),
            .users = world_long(w, record, "users", -1),
            .where = "directory",
        };
    }
}

static enum im_action action_of(const char *name) {
    static const struct {
        const char *name;
        enum im_action action;
    } rows[] = {{"enable", IM_ENABLE}, {"disable", IM_DISABLE}, {"move", IM_MOVE}, {"suspend", IM_DISABLE}};
    for (size_t i = 0; name && i < LENGTH(rows); i++) {
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].action;
    }
    assert_null(name);
    return IM_ENABLE;
}

/* One target is `home`. */
static void read_targets(struct world *w, struct im_strings names) {
    bool *is_target = im_pool_array(w->pool, w->servers.count, sizeof *is_target);
    for (size_t i = 0; i < names.count; i++) {
        struct im_error e = {.code = IM_OK};
        const struct im_server *server;
        world_must(im_servers_find(&w->servers, names.items[i], &server, &e), &e);
        is_target[server - w->servers.items] = true;
    }
    w->request.is_target = names.count ? is_target : NULL;
}

static void read_request(struct world *w, const struct im_yaml_node *map) {
    static const char *const keys[] = {"action",       "home",           "domain",          "address", "keep-acl",
                                       "default-home", "default-domain", "default-address", "to"};
    const char *action = world_text(w, map, "action");
    const char *home = world_text(w, map, "home");
    struct im_error e = {.code = IM_OK};
    world_only_keys(w, map, keys, LENGTH(keys));
    w->request = (struct im_request){
        .action = action_of(action),
        .suspends = action && strcmp(action, "suspend") == 0,
        .home_auto = home && strcmp(home, "auto") == 0,
        .domain = world_text(w, map, "domain"),
        .address = world_text(w, map, "address"),
        .keep_opaque = world_bool(w, map, "keep-acl", false),
        .default_home = world_text(w, map, "default-home"),
        .default_domain = world_text(w, map, "default-domain"),
        .default_address = world_text(w, map, "default-address"),
    };
    if (home && !w->request.home_auto)
        world_must(im_servers_find(&w->servers, home, &w->request.home, &e), &e);
    read_targets(w, world_list(w, map, "to"));
}

static void read_holders(struct world *w, const struct im_yaml_node *list) {
    w->holder_count = list ? list->count : 0;
    w->holders = im_pool_array(w->pool, w->holder_count, sizeof *w->holders);
    for (size_t i = 0; i < w->holder_count; i++) {
        w->holders[i] = (struct im_holder){.dn = world_text(w, list->items[i], "dn"),
                                           .attribute = world_text(w, list->items[i], "attribute"),
                                           .value = world_text(w, list->items[i], "value")};
    }
}

/* ---- all of it ---- */

static void default_servers(struct world *w) {
    struct im_error e = {.code = IM_OK};
    struct im_yaml *facts = w->doc;
    static const char text[] = DEFAULT_SERVERS;
    w->doc = NULL;
    world_must(im_yaml_load_text("default servers", text, sizeof text - 1, &w->doc, &e), &e);
    add_servers(w, im_yaml_root(w->doc));
    for (size_t i = 0; i < w->servers.count; i++) { /* the document goes, the texts stay */
        struct im_server *s = &w->servers.items[i];
        s->name = im_pool_strdup(w->pool, s->name);
        s->host = im_pool_strdup(w->pool, s->host);
        s->dn = im_pool_strdup(w->pool, s->dn);
    }
    im_yaml_free(&w->doc);
    w->doc = facts;
}

static struct world *build(struct world *w) {
    static const char *const keys[] = {
        "directory",    "class",  "without-equality", "many-valued", "syntaxes", "knows",   "lacks",   "assertion",
        "asked-rights", "now",    "max-password-age", "servers",     "request",  "holders", "profile", "audit",
        "named",        "target", "protected",        "policy",      "http",     "srv"};
    const struct im_yaml_node *facts = im_yaml_root(w->doc);
    const char *directory = world_text(w, facts, "directory");
    struct im_error e = {.code = IM_OK};
    world_only_keys(w, facts, keys, LENGTH(keys));
    const char *profile = world_text(w, facts, "profile");
    world_must(im_profile_load(profile ? profile : "exchange2000", &w->profile, &e), &e);
    w->schema.is_ad = !directory || strcmp(directory, "ad") == 0;
    assert_true(w->schema.is_ad || strcmp(directory, "openldap") == 0);
    define_attributes(w, facts);
    define_classes(w, facts);
    w->context = (struct im_account_context){
        .profile = w->profile,
        .schema = &w->schema,
        .is_ad = w->schema.is_ad,
        .asked_rights = world_bool(w, facts, "asked-rights", false),
        .now = world_long(w, facts, "now", NOW),
        .max_password_age_s = world_long(w, facts, "max-password-age", 0),
    };
    w->has_assertion = world_bool(w, facts, "assertion", false);
    if (im_yaml_get(facts, "servers")) {
        add_servers(w, im_yaml_get(facts, "servers"));
    } else {
        default_servers(w);
    }
    read_request(w, im_yaml_get(facts, "request"));
    read_holders(w, im_yaml_get(facts, "holders"));
    world_read_survey(w, facts);
    return w;
}

static struct world *new_world(void) {
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->pool = im_pool_new();
    assert_non_null(w->pool);
    return w;
}

struct world *world_from_file(const char *path) {
    struct world *w = new_world();
    struct im_error e = {.code = IM_OK};
    world_must(im_yaml_load_file(path, &w->doc, &e), &e);
    return build(w);
}

struct world *world_from_text(const char *yaml) {
    struct world *w = new_world();
    struct im_error e = {.code = IM_OK};
    world_must(im_yaml_load_text("facts", yaml, strlen(yaml), &w->doc, &e), &e);
    return build(w);
}

void world_free(struct world **w) {
    if (!w || !*w)
        return;
    im_dns_facts_free(&(*w)->dns);
    im_vec_free(&(*w)->servers);
    im_profile_free(&(*w)->profile);
    im_yaml_free(&(*w)->doc);
    im_pool_free(&(*w)->pool);
    free(*w);
    *w = NULL;
}

static struct im_entry *only_entry(struct world *w, FILE *stream, const char *name) {
    struct im_ldif_reader *reader = NULL;
    struct im_entry *entry = NULL;
    struct im_entry *second = NULL;
    struct im_error e = {.code = IM_OK};
    if (!stream)
        fail_msg("%s cannot be opened", name);
    world_must(im_ldif_reader_new(stream, name, &reader, &e), &e);
    enum im_err err = im_ldif_read(reader, w->pool, &entry, &e);
    if (err == IM_OK && entry)
        err = im_ldif_read(reader, w->pool, &second, &e);
    im_ldif_reader_free(&reader);
    fclose(stream);
    world_must(err, &e);
    if (!entry || second)
        fail_msg("%s must hold one entry", name);
    return entry;
}

struct im_entry *world_entry_from_file(struct world *w, const char *path) {
    return only_entry(w, fopen(path, "re"), path);
}

struct im_entry *world_entry(struct world *w, const char *ldif) {
    char *text = im_pool_strdup(w->pool, ldif);
    assert_non_null(text);
    return only_entry(w, fmemopen(text, strlen(text), "r"), "entry");
}

struct im_account world_account(struct world *w, const struct im_entry *entry) {
    struct im_account account = {0};
    struct im_error e = {.code = IM_OK};
    struct im_account_reader *reader = im_account_reader_new(&w->context, w->pool);
    assert_non_null(reader);
    world_must(im_account_decode(reader, entry, w->pool, &account, &e), &e);
    return account;
}

struct im_want world_want(struct world *w, const struct im_account *account) {
    struct im_want want = {0};
    struct im_error e = {.code = IM_OK};
    world_must(im_want_build(&w->context, account, &w->request, &w->servers, w->pool, &want, &e), &e);
    return want;
}

struct im_want world_present(struct world *w, const struct im_account *account) {
    struct im_want want = {0};
    struct im_error e = {.code = IM_OK};
    world_must(im_want_present(&w->context, account, &w->servers, w->pool, &want, &e), &e);
    return want;
}

struct im_plan world_plan(struct world *w, const struct im_entry *entry) {
    struct im_account account = world_account(w, entry);
    struct im_want want = world_want(w, &account);
    struct im_plan plan = {0};
    struct im_error e = {.code = IM_OK};
    world_must(im_plan_make(&w->context, &account, &want, w->request.keep_opaque, w->has_assertion, w->pool, &plan, &e), &e);
    return plan;
}
