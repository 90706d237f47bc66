/* What a command has to know first, in one round trip; and people who are looked for in the same one. */
#include "lib/directory/early.h"
#include "lib/directory/gather.h"

#include "lib/base/vec.h"
#include "lib/directory/resolve.h"
#include "lib/directory/schema.h"
#include "lib/directory/topology.h"
#include "tests/unit/memdir.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#define BASE "DC=corp,DC=example"
#define CONFIG "CN=Configuration," BASE
#define SCHEMA "CN=Schema," CONFIG
#define HOME "CN=1,CN=IM,CN=Protocols,CN=MAIL1,CN=Servers," CONFIG
#define ANN "CN=ann," BASE

#define ATTRIBUTE(name, oid)                                                                                                     \
    "dn: CN=" name "," SCHEMA "\nobjectClass: attributeSchema\ncn: " name "\nlDAPDisplayName: " name "\nattributeID: " oid       \
    "\nattributeSyntax: 2.5.5.12\noMSyntax: 64\nisSingleValued: TRUE\n\n"

static const char active_directory[] = MEMDIR_AD
    "dn: " BASE "\nobjectClass: domainDNS\n\n"
    "dn: " CONFIG "\nobjectClass: configuration\n\n"
    "dn: CN=Partitions," CONFIG "\nobjectClass: crossRefContainer\n\n"
    "dn: CN=CORP,CN=Partitions," CONFIG "\nobjectClass: crossRef\nnCName: " BASE "\nsystemFlags: 3\nnETBIOSName: CORP\n\n"
    "dn: " SCHEMA "\nobjectClass: dMD\n\n" ATTRIBUTE("userAccountControl", "1.2.840.113556.1.4.8") ATTRIBUTE(
        "objectSid",
        "1.2.840.113556.1.4.146") "dn: CN=User," SCHEMA "\nobjectClass: classSchema\ncn: User\nlDAPDisplayName: user\ngovernsID: "
                                  "1.2.840.113556.1.5.9\n\n"
                                  "dn: " HOME
                                  "\nobjectClass: msExchProtocolCfgIMVirtualServer\nmsExchIMServerName: im1.corp.example\n"
                                  "msExchIMServerHostsUsers: TRUE\n\n"
                                  "dn: " ANN "\nobjectClass: user\nsAMAccountName: ann\n\n";

static const char openldap[] =
    MEMDIR_OPENLDAP "dn: cn=Subschema\nobjectClass: subschema\n"
                    "attributeTypes: ( 2.5.4.3 NAME 'cn' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )\n"
                    "attributeTypes: ( 1.2.3.4 NAME 'sAMAccountName' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )\n"
                    "objectClasses: ( 2.5.6.6 NAME 'person' STRUCTURAL MAY cn )\n\n"
                    "dn: dc=corp,dc=example\nobjectClass: domain\n\n"
                    "dn: cn=home,dc=corp,dc=example\nobjectClass: msExchProtocolCfgIMVirtualServer\n"
                    "msExchIMServerName: im1.corp.example\nmsExchIMServerHostsUsers: TRUE\n\n"
                    "dn: cn=ann,dc=corp,dc=example\nobjectClass: person\ncn: ann\nsAMAccountName: ann\n\n";

static const struct memdir_attr attrs[] = {{"sAMAccountName", MEMDIR_NO_EQUALITY}, {NULL, 0}};

struct fixture {
    struct memdir *m;
    struct im_directory *d;
    struct im_profile *profile;
    struct im_config config;
    struct im_config_server record;
    struct im_pool *pool;
    struct im_gather g;
    struct im_gathered found;
    struct im_error e;
};

static struct fixture *open_fixture(const struct memdir_attr *known, const char *ldif) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->pool = im_pool_new();
    f->m = memdir_new(known, ldif);
    assert_int_equal(memdir_open(f->m, &f->d, &f->e), IM_OK);
    assert_int_equal(im_profile_load("exchange2000", &f->profile, &f->e), IM_OK);
    f->config.servers.items = &f->record;
    f->g = (struct im_gather){.directory = f->d, .config = &f->config, .profile = f->profile, .needs_servers = true};
    return f;
}

static int set_up_ad(void **state) {
    *state = open_fixture(NULL, active_directory);
    return 0;
}

static int set_up_openldap(void **state) {
    *state = open_fixture(attrs, openldap);
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_vec_free(&f->found.servers);
    im_directory_free(&f->d);
    memdir_free(&f->m);
    im_profile_free(&f->profile);
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

static void gathers(struct fixture *f) {
    if (im_gather(&f->g, f->pool, &f->found, &f->e) != IM_OK)
        fail_msg("%s", f->e.text);
}

static const struct im_server *server(const struct fixture *f, size_t i) {
    if (i >= f->found.servers.count || !f->found.servers.items) {
        fail_msg("there is no server %zu", i);
        abort(); /* fail_msg does not return, but its declaration does not say so */
    }
    return &f->found.servers.items[i];
}

static void configure(struct fixture *f, const char *dn, const char *host) {
    f->record = (struct im_config_server){.name = "ours", .host = host, .dn = dn, .hosts_users = true, .where = "imdir.yaml:1:1"};
    f->config.servers.count = 1;
}

static void one_round_trip(const struct fixture *f) {
    assert_int_equal(memdir_in_flight(f->m), memdir_count(f->m, MEMDIR_SEARCH));
}

/* ---- facts ---- */

static void everything_of_active_directory(void **state) {
    struct fixture *f = *state;
    gathers(f);
    one_round_trip(f);
    assert_non_null(im_schema_attr(&f->found.schema, "userAccountControl"));
    assert_non_null(im_schema_class(&f->found.schema, "user"));
    assert_string_equal(f->found.domains[0], BASE);
    assert_null(f->found.domains[1]);
    assert_string_equal(f->found.netbios, "CORP");
    assert_int_equal(f->found.servers.count, 1);
    assert_string_equal(server(f, 0)->name, "MAIL1");
}

static void everything_of_openldap(void **state) {
    struct fixture *f = *state;
    gathers(f);
    one_round_trip(f);
    assert_non_null(im_schema_attr(&f->found.schema, "cn"));
    assert_non_null(im_schema_class(&f->found.schema, "person"));
    assert_string_equal(f->found.domains[0], "dc=corp,dc=example");
    assert_null(f->found.netbios);
    assert_int_equal(f->found.servers.count, 1);
}

static void servers_only_where_needed(void **state) {
    struct fixture *f = *state;
    f->g.needs_servers = false;
    configure(f, "cn=nobody," BASE, NULL);
    gathers(f);
    assert_int_equal(f->found.servers.count, 0);
    assert_int_equal(memdir_count(f->m, MEMDIR_SEARCH), 3);
}

static void configured_servers(void **state) {
    struct fixture *f = *state;
    configure(f, HOME, NULL); /* the one that is there */
    gathers(f);
    one_round_trip(f);
    assert_int_equal(f->found.servers.count, 1);
    assert_string_equal(server(f, 0)->name, "ours");
    im_vec_free(&f->found.servers);
    configure(f, NULL, "im1.corp.example"); /* the same, by its host */
    gathers(f);
    assert_int_equal(f->found.servers.count, 1);
    if (f->found.servers.items)
        assert_string_equal(server(f, 0)->dn, HOME);
    im_vec_free(&f->found.servers);
    configure(f, ANN, "other.example"); /* another object, which is there */
    gathers(f);
    assert_int_equal(f->found.servers.count, 2);
}

static void a_configured_server_must_exist(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *dn, *says; /* no DN: no object has the host's name */
    } wrong[] = {{"CN=gone," BASE, "CN=gone,"}, {"not a name", "not a name"}, {NULL, "no \"dn\""}};
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        configure(f, wrong[i].dn, "gone.example");
        im_error_clear(&f->e);
        assert_int_equal(im_gather(&f->g, f->pool, &f->found, &f->e), IM_E_CONFIG);
        assert_string_equal(f->e.where, "imdir.yaml:1:1");
        assert_mentions(f->e.text, wrong[i].says);
    }
}

static void a_configured_server_may_be_gone(void **state) {
    struct fixture *f = *state;
    static const char *const gone[] = {"CN=gone," BASE, NULL};
    f->g.keeps_gone = true;
    for (size_t i = 0; i < LENGTH(gone); i++) {
        configure(f, gone[i], "gone.example");
        gathers(f);
        assert_int_equal(f->found.servers.count, 2);
        assert_false(server(f, 0)->is_gone);
        assert_true(server(f, 1)->is_gone);
        im_vec_free(&f->found.servers);
    }
    configure(f, ANN, "other.example"); /* an object that is there */
    gathers(f);
    assert_false(server(f, 1)->is_gone);
}

static void unreadable_is_not_none(void **state) {
    struct fixture *f = *state;
    gathers(f);
    size_t searches = memdir_count(f->m, MEMDIR_SEARCH);
    for (size_t i = 1; i <= searches; i++) {
        im_vec_free(&f->found.servers);
        size_t before = memdir_count(f->m, MEMDIR_SEARCH);
        memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = before + i, .code = 50});
        im_error_clear(&f->e);
        assert_int_equal(im_gather(&f->g, f->pool, &f->found, &f->e), IM_E_SERVER);
        im_error_clear(&f->e);
        gathers(f); /* nothing of the first attempt is left in flight */
        assert_int_equal(f->found.servers.count, 1);
    }
}

/* More entries than the server gives at once: they are asked for page by page. */
static void truncated_is_asked_again(void **state) {
    struct fixture *f = *state;
    gathers(f);
    size_t searches = memdir_count(f->m, MEMDIR_SEARCH);
    im_vec_free(&f->found.servers);
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = searches + 4, .code = 4, .entries = 1});
    gathers(f);
    assert_int_equal(f->found.servers.count, 1);
    assert_true(memdir_count(f->m, MEMDIR_SEARCH) > 2 * searches);
    im_vec_free(&f->found.servers);
    f->found.servers = (struct im_servers){.count = 0};
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 0, .code = 4});
    assert_int_equal(im_gather(&f->g, f->pool, &f->found, &f->e), IM_E_TRUNCATED);
}

static enum im_err attempt(void *user, struct im_error *e) {
    struct fixture *f = user;
    struct im_pool *pool = im_pool_new();
    struct im_gathered found = {.servers = {.count = 0}};
    enum im_err err = pool ? im_gather(&f->g, pool, &found, e) : im_error_nomem(e);
    im_vec_free(&found.servers);
    im_pool_free(&pool);
    return err;
}

static void out_of_memory(void **state) {
    struct fixture *f = *state;
    configure(f, NULL, "im1.corp.example");
    assert_true(oom_every_allocation(attempt, f) > 5);
}

/* ---- people in the same round trip ---- */

struct people {
    struct im_account_context context;
    struct im_resolver resolver;
    struct im_identity identity;
    struct im_lookups lookups, later;
    struct im_resolving *resolving;
    struct im_early early;
};

static void look_early(struct fixture *f, struct people *p, const char *name) {
    const struct im_rootdse *root = im_directory_rootdse(f->d);
    *p = (struct people){.context = {.profile = f->profile, .schema = &f->found.schema, .is_ad = root->is_ad}};
    p->resolver = (struct im_resolver){.directory = f->d, .context = &p->context, .base = root->default_nc};
    p->identity = (struct im_identity){.kind = IM_ID_NAME, .text = name};
    assert_int_equal(im_resolve_begin(&p->resolver, &p->identity, 1, f->pool, &p->lookups, &p->resolving, &f->e), IM_OK);
    assert_int_equal(im_early_begin(&p->early, &p->lookups, &f->e), IM_OK);
    f->g.also = &p->lookups;
}

static size_t look_later(struct fixture *f, struct people *p) {
    assert_int_equal(im_resolve_begin(&p->resolver, &p->identity, 1, f->pool, &p->later, &p->resolving, &f->e), IM_OK);
    assert_int_equal(im_early_take(&p->early, &p->later, &f->e), IM_OK);
    bool was_done = im_lookups_are_done(&p->later);
    size_t sent;
    assert_int_equal(im_lookups_send(&p->later, IM_LOOKUP_WINDOW, &sent, &f->e), IM_OK);
    assert_int_equal(sent == 0, was_done);
    while (p->later.in_flight) {
        struct im_event event;
        assert_int_equal(im_directory_next(f->d, &event, &f->e), IM_OK);
        struct im_token *token = event.token;
        assert_int_equal(token->take(token, &event, &f->e), IM_OK);
    }
    assert_int_equal(im_resolve_end(p->resolving)->count, 1);
    assert_string_equal(im_entry_string(im_resolve_end(p->resolving)->entries[0], "sAMAccountName"), "ann");
    im_lookups_free(&p->lookups);
    im_lookups_free(&p->later);
    im_early_free(&p->early);
    return was_done;
}

static void people_come_along(void **state) {
    struct fixture *f = *state;
    struct people p;
    look_early(f, &p, "ann");
    gathers(f);
    one_round_trip(f);
    size_t searches = memdir_count(f->m, MEMDIR_SEARCH);
    assert_true(look_later(f, &p));
    assert_int_equal(memdir_count(f->m, MEMDIR_SEARCH), searches);
}

/* Outside of Active Directory the schema may say that a filter has to name its rule: then it is another search. */
static void a_wrong_guess_is_asked_anew(void **state) {
    struct fixture *f = *state;
    struct people p;
    look_early(f, &p, "ann");
    gathers(f);
    one_round_trip(f);
    assert_false(look_later(f, &p));
}

static void busy_for_people_is_not_busy_for_all(void **state) {
    struct fixture *f = *state;
    struct people p;
    look_early(f, &p, "ann");
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 5, .code = 51});
    gathers(f);
    assert_true(p.lookups.is_busy);
    assert_false(look_later(f, &p));
}

static void what_failed_is_no_answer(void **state) {
    struct fixture *f = *state;
    struct people p;
    look_early(f, &p, "ann");
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 5, .code = 4});
    gathers(f);
    assert_false(look_later(f, &p));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_of_active_directory, set_up_ad, tear_down),
        cmocka_unit_test_setup_teardown(everything_of_openldap, set_up_openldap, tear_down),
        cmocka_unit_test_setup_teardown(servers_only_where_needed, set_up_ad, tear_down),
        cmocka_unit_test_setup_teardown(configured_servers, set_up_ad, tear_down),
        cmocka_unit_test_setup_teardown(a_configured_server_must_exist, set_up_ad, tear_down),
        cmocka_unit_test_setup_teardown(a_configured_server_may_be_gone, set_up_ad, tear_down),
        cmocka_unit_test_setup_teardown(unreadable_is_not_none, set_up_ad, tear_down),
        cmocka_unit_test_setup_teardown(truncated_is_asked_again, set_up_ad, tear_down),
        cmocka_unit_test_setup_teardown(out_of_memory, set_up_ad, tear_down),
        cmocka_unit_test_setup_teardown(people_come_along, set_up_ad, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_guess_is_asked_anew, set_up_openldap, tear_down),
        cmocka_unit_test_setup_teardown(busy_for_people_is_not_busy_for_all, set_up_ad, tear_down),
        cmocka_unit_test_setup_teardown(what_failed_is_no_answer, set_up_ad, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
