/* Other servers with the same accounts: which they are. */
#include "lib/directory/replicas.h"

#include "lib/base/vec.h"
#include "tests/unit/memdir.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#define BASE "DC=corp,DC=example"
#define CHILD "DC=sub," BASE
#define CONFIG "CN=Configuration," BASE
#define SERVERS "CN=Servers,CN=Default-First-Site-Name,CN=Sites," CONFIG
#define SETTINGS(name) "CN=NTDS Settings,CN=" name "," SERVERS

#define ROOT(context)                                                                                                            \
    "dn:\nobjectClass: top\nnamingContexts: " BASE "\nnamingContexts: " CHILD "\nnamingContexts: " CONFIG                        \
    "\ndefaultNamingContext: " context "\nrootDomainNamingContext: " BASE "\nconfigurationNamingContext: " CONFIG                \
    "\nschemaNamingContext: CN=Schema," CONFIG "\ndnsHostName: dc1.corp.example\ndsServiceName: " SETTINGS(                      \
        "DC1") "\n"                                                                                                              \
               "supportedCapabilities: 1.2.840.113556.1.4.800\nsupportedControl: 1.2.840.113556.1.4.319\n\n"

#define SERVER(name, more) "dn: CN=" name "," SERVERS "\nobjectClass: server\n" more "\n"
#define DSA(name, more) "dn: " SETTINGS(name) "\nobjectClass: nTDSDSA\n" more "\n"
#define HOST(name) "dNSHostName: " name "\n"
#define HOLDS(context) "msDS-hasMasterNCs: " context "\nmsDS-hasMasterNCs: " CONFIG "\n"

static const char forest[] =
    ROOT(BASE) "dn: CN=Sites," CONFIG "\nobjectClass: sitesContainer\n\n" SERVER("DC1", HOST("dc1.corp.example"))
        DSA("DC1", HOLDS(BASE)) SERVER("DC2", HOST("dc2.corp.example")) DSA("DC2", HOLDS(BASE) "options: 3\n")
            SERVER("OLD", HOST("old.corp.example")) DSA("OLD", "hasMasterNCs: dc=CORP, dc=example\noptions: 4\n")
                SERVER("RO", HOST("ro.corp.example"))
                    DSA("RO", "objectClass: nTDSDSARO\nmsDS-hasFullReplicaNCs: " BASE "\nhasPartialReplicaNCs: " CHILD "\n")
                        SERVER("CHILD", HOST("dc1.sub.corp.example"))
                            DSA("CHILD", HOLDS(CHILD) "hasPartialReplicaNCs: " BASE "\n") SERVER("HALF", "")
                                DSA("HALF", HOLDS(BASE)) SERVER("PLANNED", HOST("planned.corp.example"));

struct fixture {
    struct memdir *m;
    struct im_directory *d;
    struct im_config config;
    struct im_pool *pool;
    struct im_replicas found;
    struct im_error e;
};

static void open_on(struct fixture *f, const char *ldif) {
    im_directory_free(&f->d);
    memdir_free(&f->m);
    f->m = memdir_new(NULL, ldif);
    assert_int_equal(memdir_open(f->m, &f->d, &f->e), IM_OK);
}

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->pool = im_pool_new();
    open_on(f, forest);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_vec_free(&f->found);
    im_directory_free(&f->d);
    memdir_free(&f->m);
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

static enum im_err list(struct fixture *f, const char *base) {
    im_vec_free(&f->found);
    im_error_clear(&f->e);
    return im_replicas_list(f->d, &f->config, base, f->pool, &f->found, &f->e);
}

static const struct im_replica *find(const struct fixture *f, const char *name) {
    for (size_t i = 0; i < f->found.count; i++) {
        if (strcmp(f->found.items[i].name, name) == 0)
            return &f->found.items[i];
    }
    fail_msg("%s is not listed", name);
    return NULL;
}

/* ---- listing ---- */

static void controllers_of_the_domain(void **state) {
    struct fixture *f = *state;
    assert_int_equal(list(f, "OU=People," BASE), IM_OK);
    assert_int_equal(f->found.count, 3);
    const struct im_replica *r = find(f, "dc2.corp.example");
    assert_string_equal(r->uri, "ldap://dc2.corp.example");
    assert_string_equal(r->dsa, SETTINGS("DC2"));
    assert_int_equal(r->kind, IM_REPLICA_WRITABLE);
    assert_true(r->no_inbound && !r->no_outbound);
    r = find(f, "old.corp.example");
    assert_true(!r->no_inbound && r->no_outbound);
    assert_int_equal(find(f, "ro.corp.example")->kind, IM_REPLICA_READ_ONLY);
}

/* A child's domain lies below its parent's by name, but the parent's controllers do not hold it. */
static void controllers_of_a_child(void **state) {
    struct fixture *f = *state;
    assert_int_equal(list(f, "OU=People," CHILD), IM_OK);
    assert_int_equal(f->found.count, 1);
    assert_string_equal(f->found.items[0].name, "dc1.sub.corp.example");
}

static void places_that_nobody_holds(void **state) {
    struct fixture *f = *state;
    assert_int_equal(list(f, "DC=elsewhere"), IM_OK);
    assert_int_equal(f->found.count, 0);
    assert_int_equal(list(f, NULL), IM_OK);
    assert_int_equal(f->found.count, 0);
}

static void names_that_would_mean_more_in_a_uri(void **state) {
    static const char *const bad[] = {"dc2.corp.example:1389", "dc2/x", "a b", "dc2?x", "[::1]"};
    struct fixture *f = *state;
    for (size_t i = 0; i < LENGTH(bad); i++) {
        memdir_set(f->m, "CN=DC2," SERVERS, "dNSHostName", bad[i]);
        assert_int_equal(list(f, BASE), IM_E_PROTOCOL);
        assert_mentions(f->e.text, bad[i]);
    }
}

static void what_cannot_be_read_is_an_error(void **state) {
    struct fixture *f = *state;
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 1, .code = 50});
    assert_int_equal(list(f, BASE), IM_E_SERVER);
    assert_mentions(f->e.text, "listing the domain controllers");
}

static void configured_ones_are_all(void **state) {
    static const char *uris[] = {"ldaps://a.example", "ldap://b.example:1389", NULL};
    struct fixture *f = *state;
    uris[2] = im_directory_uri(f->d);
    f->config.replicas = (struct im_strings){.items = uris, .count = 3};
    assert_int_equal(list(f, BASE), IM_OK);
    assert_int_equal(f->found.count, 2);
    assert_string_equal(f->found.items[0].uri, "ldaps://a.example");
    assert_string_equal(f->found.items[1].name, "ldap://b.example:1389");
    assert_int_equal(f->found.items[1].kind, IM_REPLICA_CONFIGURED);
    assert_null(f->found.items[1].dsa);
    assert_int_equal(memdir_count(f->m, MEMDIR_SEARCH), 0);
}

static void others_than_active_directory_name_nobody(void **state) {
    struct fixture *f = *state;
    open_on(f, MEMDIR_OPENLDAP "dn: dc=corp,dc=example\nobjectClass: domain\n\n");
    assert_int_equal(list(f, "dc=corp,dc=example"), IM_OK);
    assert_int_equal(f->found.count, 0);
}

static enum im_err starve(void *user, struct im_error *e) {
    struct fixture *f = user;
    im_vec_free(&f->found);
    return im_replicas_list(f->d, &f->config, BASE, f->pool, &f->found, e);
}

static void listing_without_memory(void **state) {
    struct fixture *f = *state;
    assert_true(oom_every_allocation(starve, f) > 10);
    assert_int_equal(f->found.count, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(controllers_of_the_domain),
        TEST(controllers_of_a_child),
        TEST(places_that_nobody_holds),
        TEST(names_that_would_mean_more_in_a_uri),
        TEST(what_cannot_be_read_is_an_error),
        TEST(configured_ones_are_all),
        TEST(others_than_active_directory_name_nobody),
        TEST(listing_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
