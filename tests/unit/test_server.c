/* Home servers and routers: found by name, joined with the configuration, chosen by load. */
#include "lib/base/vec.h"
#include "lib/model/server.h"
#include "lib/model/spread.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#define HOME1 "CN=1,CN=IM,CN=Protocols,CN=IMHOME1,CN=Servers,DC=corp,DC=example"
#define HOME2 "CN=1,CN=IM,CN=Protocols,CN=IMHOME2,CN=Servers,DC=corp,DC=example"
#define ROUTER "CN=1,CN=IM,CN=Protocols,CN=ROUTER1,CN=Servers,DC=corp,DC=example"

static struct im_server home(const char *name, const char *host, const char *dn) {
    return (struct im_server){.name = name, .host = host, .dn = dn, .hosts_users = true, .users = -1, .where = "directory"};
}

static struct im_server router(const char *name, const char *host) {
    return (struct im_server){.name = name, .host = host, .dn = ROUTER, .users = -1, .where = "directory"};
}

static struct im_strings strings(const char **items, size_t count) {
    return (struct im_strings){items, count};
}

/* What the tests below begin with: two homes and a router. */
static struct im_server plain[3];
static struct im_servers servers;
static const char *im_domain[] = {"im.corp.example"};
static const char *two_domains[] = {"chat.corp.example", "im.corp.example"};

static int set_up(void **state) {
    (void)state;
    plain[0] = home("IMHOME1", "imhome1.corp.example", HOME1);
    plain[1] = home("IMHOME2", "imhome2.corp.example", HOME2);
    plain[2] = router("ROUTER1", "im.corp.example");
    servers = (struct im_servers){plain, LENGTH(plain), LENGTH(plain)};
    return 0;
}

static void servers_are_found_by_any_of_their_names(void **state) {
    (void)state;
    static const char *const specs[] = {"IMHOME2", "imhome2", "ImHome2.Corp.Example",
                                        "cn=1, cn=im, cn=protocols, cn=imhome2, cn=servers, dc=corp, dc=example"};
    for (size_t i = 0; i < LENGTH(specs); i++) {
        const struct im_server *found = NULL;
        assert_int_equal(im_servers_find(&servers, specs[i], &found, NULL), IM_OK);
        assert_ptr_equal(found, &plain[1]);
    }
    assert_ptr_equal(im_servers_by_dn(&servers, "cn=1,cn=IM,cn=Protocols,cn=imhome1,cn=Servers,dc=corp,dc=example"), &plain[0]);
    assert_null(im_servers_by_dn(&servers, "CN=other"));
    assert_null(im_servers_by_dn(&servers, NULL));
}

static void unknown_and_ambiguous_names_list_the_choices(void **state) {
    (void)state;
    const struct im_server *found = NULL;
    struct im_error e = {.code = IM_OK};
    assert_int_equal(im_servers_find(&servers, "imhome3", &found, &e), IM_E_USAGE);
    assert_mentions(e.text, "imhome3");
    assert_mentions(e.text, "IMHOME1, IMHOME2");
    im_error_clear(&e);
    plain[1].name = "imhome1";
    assert_int_equal(im_servers_find(&servers, "IMHOME1", &found, &e), IM_E_USAGE);
    assert_mentions(e.text, HOME1);
    assert_mentions(e.text, HOME2);
    assert_null(found);
    im_error_clear(&e);
    servers.count = 0;
    assert_int_equal(im_servers_find(&servers, "imhome1", &found, &e), IM_E_USAGE);
    assert_mentions(e.text, "servers:");
}

static void the_configuration_adds_to_what_was_found(void **state) {
    (void)state;
    struct im_config_server records[] = {
        {.name = "berlin",
         .host = "imhome1.corp.example",
         .dn = "cn=1,cn=IM,CN=Protocols,CN=IMHOME1,CN=Servers,DC=corp,DC=example",
         .domains = strings(im_domain, 1),
         .hosts_users = false,
         .capacity = 7500,
         .where = "imdir.yaml:3:5"},
        {.host = "IMHOME2.corp.example", .hosts_users = true, .where = "imdir.yaml:4:5"},
        {.name = "new", .host = "imhome1.corp.example", .dn = "CN=new,DC=corp,DC=example", .hosts_users = true, .where = "x"},
    };
    struct im_config config = {.servers = {records, LENGTH(records), LENGTH(records)}};
    struct im_servers all = {0};
    for (size_t i = 0; i < LENGTH(plain); i++) {
        struct im_server *s = im_vec_push(&all);
        assert_non_null(s);
        *s = plain[i];
    }
    assert_int_equal(im_servers_merge_config(&all, &config, NULL, NULL), IM_OK);
    assert_int_equal(all.count, 4);
    assert_string_equal(all.items[0].name, "berlin");
    assert_int_equal(all.items[0].capacity, 7500);
    assert_int_equal(all.items[0].domains.count, 1);
    assert_string_equal(all.items[0].where, "imdir.yaml:3:5");
    assert_true(all.items[0].hosts_users); /* what a server is, the directory knows better */
    assert_string_equal(all.items[1].name, "IMHOME2.corp.example");
    assert_string_equal(all.items[1].dn, HOME2);
    assert_string_equal(all.items[3].name, "new"); /* another DN is another server, whatever its host */
    assert_int_equal(all.items[3].users, -1);
    im_vec_free(&all);
}

static enum im_err merge(void *user, struct im_error *e) {
    struct im_config config = {.pool = NULL};
    struct im_config_server record = {.name = "berlin",
                                      .dn = "cn=1, cn=im, cn=protocols, cn=imhome1, cn=servers, dc=corp, dc=example"};
    struct im_servers all = {0};
    (void)user;
    config.servers.items = &record;
    config.servers.count = 1;
    struct im_server *s = im_vec_push(&all);
    if (!s)
        return im_error_nomem(e);
    *s = plain[0];
    enum im_err err = im_servers_merge_config(&all, &config, NULL, e);
    if (err == IM_OK && all.count != 1)
        fail_msg("%zu servers of one", all.count);
    im_vec_free(&all);
    return err;
}

/* Without memory to compare the names, the server must not be there twice. */
static void merging_runs_out_of_memory(void **state) {
    (void)state;
    assert_true(oom_every_allocation(merge, NULL) > 2);
}

static void domains_are_names_of_servers_or_configured(void **state) {
    (void)state;
    plain[0].domains = strings(two_domains, 2);
    assert_true(im_servers_know_domain(&servers, "IM.corp.example"));
    assert_true(im_servers_know_domain(&servers, "imhome2.corp.example"));
    assert_true(im_servers_know_domain(&servers, "chat.corp.example"));
    assert_false(im_servers_know_domain(&servers, "corp.example"));
    assert_true(im_server_serves(&plain[0], "Chat.corp.example"));
    assert_false(im_server_serves(&plain[0], "imhome1.corp.example"));
    assert_true(im_server_serves(&plain[1], "whatever.example"));
}

static void the_default_home_is_configured_or_the_only_one(void **state) {
    (void)state;
    const struct im_server *found = NULL;
    struct im_error e = {.code = IM_OK};
    assert_int_equal(im_servers_default_home(&servers, "imhome2", NULL, &found, &e), IM_OK);
    assert_ptr_equal(found, &plain[1]);
    assert_int_equal(im_servers_default_home(&servers, NULL, NULL, &found, &e), IM_E_USAGE);
    assert_mentions(e.text, "IMHOME1, IMHOME2");
    assert_null(strstr(e.text, "ROUTER1"));
    im_error_clear(&e);
    plain[1].hosts_users = false;
    assert_int_equal(im_servers_default_home(&servers, NULL, NULL, &found, &e), IM_OK);
    assert_ptr_equal(found, &plain[0]);
    assert_int_equal(im_servers_default_home(&servers, "imhome9", NULL, &found, &e), IM_E_USAGE);
    assert_mentions(e.text, "imhome9");
}

static void auto_takes_the_least_loaded(void **state) {
    (void)state;
    const struct im_server *found = NULL;
    struct im_error e = {.code = IM_OK};
    plain[0].users = 10;
    plain[1].users = 9;
    assert_int_equal(im_servers_default_home(&servers, "AUTO", NULL, &found, &e), IM_OK);
    assert_ptr_equal(found, &plain[1]);
    plain[0].capacity = 1000; /* one capacity alone is no measure */
    assert_ptr_equal(im_spread_least_loaded(&servers, NULL, NULL), &plain[1]);
    plain[1].capacity = 100;
    assert_ptr_equal(im_spread_least_loaded(&servers, NULL, NULL), &plain[0]);
    plain[0].users = 1000; /* full */
    assert_ptr_equal(im_spread_least_loaded(&servers, NULL, NULL), &plain[1]);
    plain[1].users = 100;
    assert_null(im_spread_least_loaded(&servers, NULL, NULL));
    assert_int_equal(im_servers_default_home(&servers, "auto", "im.corp.example", &found, &e), IM_E_USAGE);
    assert_mentions(e.text, "room for the IM domain im.corp.example");
}

static void auto_minds_domains_ties_and_objects(void **state) {
    (void)state;
    assert_ptr_equal(im_spread_least_loaded(&servers, NULL, NULL), &plain[0]); /* uncounted: by name */
    plain[1].name = "another";
    assert_ptr_equal(im_spread_least_loaded(&servers, NULL, NULL), &plain[1]);
    plain[0].domains = strings(im_domain, 1);
    assert_ptr_equal(im_spread_least_loaded(&servers, NULL, "chat.corp.example"), &plain[1]);
    plain[1].dn = NULL; /* nothing that an account could point at */
    assert_null(im_spread_least_loaded(&servers, NULL, "chat.corp.example"));
}

/* Who is compared with whom must not matter. */
static void the_choice_does_not_depend_on_the_order(void **state) {
    (void)state;
    struct im_server a = home("a", "a.example", "CN=a");
    struct im_server b = home("b", "b.example", "CN=b");
    struct im_server c = home("c", "c.example", "CN=c");
    a.users = 60, a.capacity = 100;
    b.users = 50;
    c.users = 70, c.capacity = 1000;
    struct im_server orders[][3] = {{a, b, c}, {a, c, b}, {b, a, c}, {b, c, a}, {c, a, b}, {c, b, a}};
    for (size_t i = 0; i < LENGTH(orders); i++) {
        struct im_servers list = {orders[i], 3, 3};
        assert_string_equal(im_spread_least_loaded(&list, NULL, NULL)->name, "b");
    }
}

static void default_domain(const char *configured, const struct im_server *at, const char *expected) {
    const char *domain = NULL;
    struct im_error e = {.code = IM_OK};
    enum im_err err = im_servers_default_domain(&servers, configured, at, &domain, &e);
    if (!expected) {
        assert_int_equal(err, IM_E_USAGE);
        return;
    }
    if (err != IM_OK)
        fail_msg("%s", e.text);
    assert_string_equal(domain, expected);
}

static void the_default_domain_follows_a_ladder(void **state) {
    (void)state;
    default_domain("imhome1.corp.example", &plain[1], "imhome1.corp.example");
    default_domain("im.elsewhere.example", &plain[1], NULL);
    default_domain(NULL, &plain[1], "im.corp.example"); /* the only router */
    default_domain(NULL, NULL, "im.corp.example");
    static const char *chat[] = {"chat.corp.example"};
    plain[1].domains = strings(chat, 1);
    default_domain(NULL, &plain[1], "chat.corp.example");
    plain[1].domains = strings(two_domains, 2);
    default_domain(NULL, &plain[1], "im.corp.example");
    plain[2].host = "other.example"; /* the only router, but not for this home */
    default_domain(NULL, &plain[1], NULL);
    servers.count = 2; /* no routers */
    default_domain(NULL, &plain[0], "imhome1.corp.example");
    default_domain(NULL, &plain[1], NULL);
    default_domain(NULL, NULL, NULL);
}

static void routers_of_one_domain_share_its_name(void **state) {
    (void)state;
    plain[1] = router("ROUTER2", "IM.corp.example");
    default_domain(NULL, &plain[0], "IM.corp.example");
    plain[1].host = "chat.corp.example";
    default_domain(NULL, &plain[0], NULL);
}

static void the_choice_of_domains_names_each_once(void **state) {
    (void)state;
    static const char *near[] = {"corp.example"}; /* a part of another name */
    const char *domain = NULL;
    struct im_error e = {.code = IM_OK};
    plain[0].domains = strings(two_domains, 2);
    plain[1].domains = strings(near, 1);
    assert_int_equal(im_servers_default_domain(&servers, "nowhere.example", NULL, &domain, &e), IM_E_USAGE);
    assert_mentions(e.text, "\"nowhere.example\"");
    assert_mentions(e.text, "known: chat.corp.example, im.corp.example, corp.example");
    assert_null(strstr(strstr(e.text, "im.corp.example") + 1, "im.corp.example"));
    assert_null(domain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(servers_are_found_by_any_of_their_names, set_up),
        cmocka_unit_test_setup(unknown_and_ambiguous_names_list_the_choices, set_up),
        cmocka_unit_test_setup(the_configuration_adds_to_what_was_found, set_up),
        cmocka_unit_test_setup(merging_runs_out_of_memory, set_up),
        cmocka_unit_test_setup(domains_are_names_of_servers_or_configured, set_up),
        cmocka_unit_test_setup(the_default_home_is_configured_or_the_only_one, set_up),
        cmocka_unit_test_setup(auto_takes_the_least_loaded, set_up),
        cmocka_unit_test_setup(auto_minds_domains_ties_and_objects, set_up),
        cmocka_unit_test_setup(the_choice_does_not_depend_on_the_order, set_up),
        cmocka_unit_test_setup(the_default_domain_follows_a_ladder, set_up),
        cmocka_unit_test_setup(routers_of_one_domain_share_its_name, set_up),
        cmocka_unit_test_setup(the_choice_of_domains_names_each_once, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
