/* Servers and domains as a forest of two domains has them, and addresses that are looked for in both. */
#include "tests/unit/unit.h"

#include "lib/base/vec.h"
#include "lib/directory/resolve.h"
#include "lib/directory/topology_read.h"
#include "tests/unit/memdir.h"
#include "tests/unit/oom.h"

#define BASE "DC=corp,DC=example"
#define CHILD "DC=west," BASE
#define CONFIG "CN=Configuration," BASE
#define MACHINES "CN=Servers,CN=Org," CONFIG
#define VIRTUAL(machine) "CN=1,CN=IM,CN=Protocols,CN=" machine "," MACHINES
#define SERVER(dn, name, hosts)                                                                                                  \
    "dn: " dn "\nobjectClass: top\nobjectClass: msExchProtocolCfgIMVirtualServer\nmsExchIMServerName: " name                     \
    "\nmsExchIMServerHostsUsers: " hosts "\n\n"
#define HOMED(cn, home) "dn: CN=" cn "," BASE "\nobjectClass: user\nsAMAccountName: " cn "\nmsExchIMVirtualServer: " home "\n\n"

static const char forest[] =
    "dn: " BASE "\nobjectClass: domainDNS\n\n"
    "dn: " CHILD "\nobjectClass: domainDNS\n\n"
    "dn: " CONFIG "\nobjectClass: configuration\n\n"
    "dn: CN=Partitions," CONFIG "\nobjectClass: crossRefContainer\n\n"
    "dn: CN=Schema,CN=Partitions," CONFIG "\nobjectClass: crossRef\nnCName: CN=Schema," CONFIG "\nsystemFlags: 1\n\n"
    "dn: CN=WEST,CN=Partitions," CONFIG "\nobjectClass: crossRef\nnCName: " CHILD "\nsystemFlags: 3\nnETBIOSName: WEST\n\n"
    "dn: CN=CORP,CN=Partitions," CONFIG "\nobjectClass: crossRef\nnCName: " BASE "\nsystemFlags: 3\nnETBIOSName: CORP\n\n"
    "dn: CN=DNS,CN=Partitions," CONFIG "\nobjectClass: crossRef\nnCName: DC=DomainDnsZones," BASE
    "\nsystemFlags: 5\n\n" SERVER(VIRTUAL("MAIL1"), "im1.corp.example", "TRUE")
        SERVER(VIRTUAL("MAIL2"), "im.corp.example", "FALSE")
            SERVER("CN=lone," BASE, "lone.corp.example", "TRUE") /* outside the configuration: not looked for */
    HOMED("a", VIRTUAL("MAIL1")) HOMED("b", VIRTUAL("MAIL1"))
        HOMED("c", VIRTUAL("MAIL2")) "dn: CN=taken," CHILD
                                     "\nobjectClass: user\nsAMAccountName: taken\nmsExchIMAddress: Anna@im.corp.example\n\n";

static const struct memdir_attr attrs[] = {{"msExchIMVirtualServer", MEMDIR_DN}, {"msExchIMAddress", MEMDIR_EXACT}, {NULL, 0}};

struct fixture {
    struct memdir *m;
    struct im_directory *d;
    struct im_profile *profile;
    struct im_pool *pool;
    struct im_servers servers;
    struct im_error e;
};

static struct fixture *open_fixture(const char *root) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->pool = im_pool_new();
    assert_non_null(f->pool);
    f->m = memdir_new(attrs, im_pool_printf(f->pool, "%s%s", root, forest));
    assert_int_equal(memdir_open(f->m, &f->d, &f->e), IM_OK);
    assert_int_equal(im_profile_load("exchange2000", &f->profile, &f->e), IM_OK);
    return f;
}

static int set_up(void **state) {
    *state = open_fixture(MEMDIR_AD);
    return 0;
}

static int set_up_openldap(void **state) {
    *state = open_fixture("dn:\nobjectClass: OpenLDAProotDSE\nnamingContexts: " BASE "\nnamingContexts: dc=empty\n"
                          "supportedControl: 1.2.840.113556.1.4.319\n\n");
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_vec_free(&f->servers);
    im_directory_free(&f->d);
    memdir_free(&f->m);
    im_profile_free(&f->profile);
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

static const struct im_server *named(const struct fixture *f, const char *name) {
    for (size_t i = 0; i < f->servers.count; i++) {
        if (strcmp(f->servers.items[i].name, name) == 0)
            return &f->servers.items[i];
    }
    fail_msg("no server %s", name);
    return NULL;
}

static enum im_err read_servers(struct fixture *f, struct im_pool *pool, struct im_error *e) {
    struct im_asks asks = {.directory = f->d, .pool = pool};
    struct im_servers_reading r = {.profile = f->profile, .pool = pool, .servers = &f->servers};
    enum im_err err = im_servers_ask(&asks, &r, e);
    if (err == IM_OK)
        err = im_asks_run(&asks, e);
    im_asks_free(&asks);
    return err;
}

static enum im_err read_domains(struct fixture *f, struct im_pool *pool, const char *const **out, struct im_error *e) {
    struct im_asks asks = {.directory = f->d, .pool = pool};
    struct im_domains_reading r = {.pool = pool};
    enum im_err err = im_domains_ask(&asks, NULL, &r, e);
    if (err == IM_OK)
        err = im_asks_run(&asks, e);
    im_asks_free(&asks);
    return err == IM_OK ? im_domains_end(&asks, &r, out, e) : err;
}

static void servers_are_named_by_their_machine(void **state) {
    struct fixture *f = *state;
    assert_int_equal(read_servers(f, f->pool, &f->e), IM_OK);
    assert_int_equal(f->servers.count, 2);
    const struct im_server *home = named(f, "MAIL1");
    assert_string_equal(home->host, "im1.corp.example");
    assert_string_equal(home->dn, VIRTUAL("MAIL1"));
    assert_true(home->hosts_users);
    assert_int_equal(home->users, -1);
    assert_false(named(f, "MAIL2")->hosts_users);
}

static void servers_outside_of_active_directory(void **state) {
    struct fixture *f = *state;
    assert_int_equal(read_servers(f, f->pool, &f->e), IM_OK);
    assert_int_equal(f->servers.count, 3);
    assert_string_equal(named(f, "lone")->host, "lone.corp.example");
}

static void unreadable_is_not_none(void **state) {
    struct fixture *f = *state;
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 0, .code = 50});
    assert_int_equal(read_servers(f, f->pool, &f->e), IM_E_SERVER);
}

static void users_are_counted_per_home(void **state) {
    struct fixture *f = *state;
    static const char *const bases[] = {BASE, NULL};
    assert_int_equal(read_servers(f, f->pool, &f->e), IM_OK);
    assert_int_equal(im_topology_count_users(f->d, f->profile, bases, &f->servers, &f->e), IM_OK);
    assert_int_equal(named(f, "MAIL1")->users, 2);
    assert_int_equal(named(f, "MAIL2")->users, 1); /* a router: it should home nobody */
}

static const char *const *domains_of(struct fixture *f) {
    const char *const *domains = NULL;
    assert_int_equal(read_domains(f, f->pool, &domains, &f->e), IM_OK);
    if (!domains)
        abort(); /* assertions do not say that they do not return */
    return domains;
}

static void domains_of_the_forest(void **state) {
    struct fixture *f = *state;
    const char *const *domains = domains_of(f);
    size_t count = 0;
    for (; domains[count]; count++)
        assert_true(strcmp(domains[count], BASE) == 0 || strcmp(domains[count], CHILD) == 0);
    assert_int_equal(count, 2);
}

static void naming_contexts_with_data(void **state) {
    struct fixture *f = *state;
    const char *const *domains = domains_of(f);
    const char *netbios = "untouched";
    assert_string_equal(domains[0], BASE);
    assert_null(domains[1]);
    assert_int_equal(im_topology_netbios(f->d, BASE, f->pool, &netbios, &f->e), IM_OK);
    assert_null(netbios);
}

static void netbios_name_of_the_innermost_domain(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *dn, *name;
    } rows[] = {{BASE, "CORP"}, {"OU=x," BASE, "CORP"}, {"OU=x," CHILD, "WEST"}, {"DC=elsewhere", NULL}};
    for (size_t i = 0; i < LENGTH(rows); i++) {
        const char *name = NULL;
        assert_int_equal(im_topology_netbios(f->d, rows[i].dn, f->pool, &name, &f->e), IM_OK);
        assert_string_equal(name ? name : "none", rows[i].name ? rows[i].name : "none");
    }
}

/* ---- addresses in the forest ---- */

static void holders(struct fixture *f, struct im_directory *gc, const char *address, struct im_holders *out) {
    static const char *const domains[] = {BASE, CHILD, NULL}; /* the child lies below: it is found twice, and told once */
    struct im_account_context context = {.profile = f->profile, .is_ad = true};
    struct im_resolver r = {.directory = f->d, .gc = gc, .context = &context, .base = BASE, .domains = domains};
    const struct im_entry *entry = memdir_entry(f->m, "CN=a," BASE);
    struct im_account account = {.entry = entry, .dn = entry->dn};
    struct im_want want = {.enabled = true, .address = address, .im_alias = "taken"};
    const struct im_account *accounts[] = {&account};
    const struct im_want *wants[] = {&want};
    struct im_lookups l;
    assert_int_equal(im_holders_begin(&r, accounts, wants, 1, f->pool, out, &l, &f->e), IM_OK);
    assert_int_equal(im_lookup_all(l.directory, l.items, l.count, l.fn, l.user, &f->e), IM_OK);
}

static void holder_in_another_domain_and_spelling(void **state) {
    struct fixture *f = *state;
    struct im_holders found;
    holders(f, NULL, "aNNa@im.corp.example", &found);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.items[0].dn, "CN=taken," CHILD);
    assert_string_equal(found.items[0].attribute, "msExchIMAddress");
    assert_string_equal(found.items[0].value, "Anna@im.corp.example");
    holders(f, NULL, "other@im.corp.example", &found); /* its name alone makes nobody a holder */
    assert_int_equal(found.count, 0);
}

static void global_catalog_is_asked_instead(void **state) {
    struct fixture *f = *state;
    struct im_directory *gc = NULL;
    struct im_holders found;
    struct memdir *other =
        memdir_new(attrs, MEMDIR_AD "dn: " BASE "\nobjectClass: domainDNS\n\ndn: " CHILD "\nobjectClass: domainDNS\n\n"
                                    "dn: CN=only here," CHILD "\nobjectClass: user\n"
                                    "msExchIMAddress: anna@im.corp.example\n");
    assert_int_equal(memdir_open(other, &gc, &f->e), IM_OK);
    holders(f, gc, "anna@im.corp.example", &found);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.items[0].dn, "CN=only here," CHILD);
    assert_int_equal(memdir_count(f->m, MEMDIR_SEARCH), 0);
    im_directory_free(&gc);
    memdir_free(&other);
}

/* ---- memory ---- */

static enum im_err attempt(void *user, struct im_error *e) {
    struct fixture *f = user;
    static const char *const bases[] = {BASE, NULL};
    struct im_pool *pool = im_pool_new();
    const char *const *domains;
    enum im_err err = pool ? IM_OK : im_error_nomem(e);
    im_vec_free(&f->servers);
    if (err == IM_OK)
        err = read_servers(f, pool, e);
    if (err == IM_OK)
        err = im_topology_count_users(f->d, f->profile, bases, &f->servers, e);
    if (err == IM_OK)
        err = read_domains(f, pool, &domains, e);
    im_vec_free(&f->servers);
    im_pool_free(&pool);
    return err;
}

/* Its own address is nobody else's, also where there was no memory to find that out. */
static enum im_err attempt_holders(void *user, struct im_error *e) {
    struct fixture *f = user;
    static const char *const domains[] = {BASE, NULL};
    struct im_account_context context = {.profile = f->profile, .is_ad = true};
    struct im_resolver r = {.directory = f->d, .context = &context, .base = BASE, .domains = domains};
    static const struct im_entry bare = {.dn = "cn=TAKEN, dc=WEST, dc=corp, dc=example"}; /* nothing but its DN tells it */
    const struct im_account account = {.entry = &bare, .dn = bare.dn};
    const struct im_want want = {.enabled = true, .address = "Anna@im.corp.example", .im_alias = "anna"};
    const struct im_account *accounts[] = {&account};
    const struct im_want *wants[] = {&want};
    struct im_holders found;
    struct im_lookups l;
    struct im_pool *pool = im_pool_new();
    enum im_err err = pool ? im_holders_begin(&r, accounts, wants, 1, pool, &found, &l, e) : im_error_nomem(e);
    if (err == IM_OK)
        err = im_lookup_all(l.directory, l.items, l.count, l.fn, l.user, e);
    if (err == IM_OK)
        assert_int_equal(found.count, 0);
    im_pool_free(&pool);
    return err;
}

static void holders_run_out_of_memory(void **state) {
    assert_true(oom_every_allocation(attempt_holders, *state) > 10);
}

static void runs_out_of_memory(void **state) {
    assert_true(oom_every_allocation(attempt, *state) > 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define OPENLDAP_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_openldap, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(servers_are_named_by_their_machine),
        OPENLDAP_TEST(servers_outside_of_active_directory),
        TEST(unreadable_is_not_none),
        TEST(users_are_counted_per_home),
        TEST(domains_of_the_forest),
        OPENLDAP_TEST(naming_contexts_with_data),
        TEST(netbios_name_of_the_innermost_domain),
        TEST(holder_in_another_domain_and_spelling),
        TEST(global_catalog_is_asked_instead),
        TEST(runs_out_of_memory),
        TEST(holders_run_out_of_memory),
    };
    return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
