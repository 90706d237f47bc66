/* Where people are homed, counted and named, on servers that are known and on what is left of others. */
#include "lib/model/homes.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <string.h>

#define GUID "0e1f2a3b-4c5d-4e6f-8a9b-0c1d2e3f4a5b"
#define HOME1 "CN=1,CN=IM,CN=Protocols,CN=IMHOME1,CN=Servers,DC=corp,DC=example"
#define HOME2 "CN=1,CN=IM,CN=Protocols,CN=IMHOME2,CN=Servers,DC=corp,DC=example"
#define GONE "CN=1,CN=IM,CN=Protocols,CN=IMHOME9,CN=Servers,DC=corp,DC=example"
#define DELETED "CN=1\\0ADEL:" GUID ",CN=Deleted Objects,CN=Configuration,DC=corp,DC=example"
#define URL(host) "http://" host "/instmsg/local/im.corp.example/instmsg/aliases/x"

struct fixture {
    struct im_profile *profile;
    struct im_pool *pool;
    struct im_server server[3];
    struct im_servers servers;
    struct im_homes homes;
    struct im_error e;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->pool = im_pool_new();
    assert_int_equal(im_profile_load("exchange2000", &f->profile, &f->e), IM_OK);
    f->server[0] = (struct im_server){.name = "imhome1", .host = "imhome1.corp.example", .dn = HOME1, .hosts_users = true};
    f->server[1] = (struct im_server){.name = "imhome2", .host = "imhome2.corp.example", .dn = HOME2, .hosts_users = true};
    f->server[2] = (struct im_server){.name = "router", .host = "im.corp.example", .dn = "CN=router", .hosts_users = false};
    f->servers = (struct im_servers){.items = f->server, .count = 3, .cap = 3};
    assert_int_equal(im_homes_begin(&f->homes, &f->e), IM_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_homes_free(&f->homes);
    im_profile_free(&f->profile);
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

/* Either may be NULL. */
static struct im_entry entry_of(struct fixture *f, const char *home, const char *url) {
    struct im_attr *attrs = im_pool_array(f->pool, 2, sizeof *attrs);
    struct im_entry entry = {.dn = "CN=x", .attrs = attrs};
    const char *const texts[] = {home, url};
    const char *const names[] = {"msExchIMVirtualServer", "msExchIMPhysicalURL"};
    for (size_t i = 0; i < 2; i++) {
        struct berval *value = im_pool_alloc(f->pool, sizeof *value);
        struct berval view = {.bv_len = texts[i] ? strlen(texts[i]) : 0, .bv_val = (char *)(uintptr_t)texts[i]};
        if (!texts[i])
            continue;
        assert_int_equal(im_pool_value(f->pool, &view, value), 0);
        attrs[entry.count++] = (struct im_attr){.name = names[i], .values = value, .count = 1};
    }
    return entry;
}

static void add(struct fixture *f, const char *home, const char *url) {
    struct im_entry entry = entry_of(f, home, url);
    assert_int_equal(im_homes_add(&f->homes, f->profile, &entry, &f->e), IM_OK);
}

static void settle(struct fixture *f) {
    assert_int_equal(im_homes_settle(&f->homes, &f->servers, &f->e), IM_OK);
}

static bool matches(struct fixture *f, const struct im_home_match *m, const char *home, const char *url) {
    struct im_entry entry = entry_of(f, home, url);
    bool is = false;
    assert_int_equal(im_home_matches(m, f->profile, &entry, &is, &f->e), IM_OK);
    return is;
}

static struct im_home_match find(struct fixture *f, const char *spec, const struct im_server **server) {
    struct im_home_match m = {.name = NULL};
    if (im_homes_find(&f->homes, &f->servers, spec, f->pool, &m, server, &f->e) != IM_OK)
        fail_msg("%s", f->e.text);
    return m;
}

static const char *complaint(struct fixture *f, const char *spec) {
    struct im_home_match m;
    const struct im_server *server;
    im_error_clear(&f->e);
    assert_int_equal(im_homes_find(&f->homes, &f->servers, spec, f->pool, &m, &server, &f->e), IM_E_USAGE);
    return f->e.text;
}

/* ---- counting ---- */

static void spellings_of_one_home_are_one(void **state) {
    struct fixture *f = *state;
    add(f, HOME1, URL("imhome1.corp.example"));
    add(f, "cn=1, cn=im, cn=protocols, cn=imhome1, cn=servers, dc=corp, dc=example", NULL);
    add(f, HOME2, NULL);
    settle(f);
    assert_int_equal(f->homes.count, 2);
    assert_int_equal(f->server[0].users, 2);
    assert_int_equal(f->server[1].users, 1);
    assert_int_equal(f->server[2].users, -1); /* a router, and nobody there */
    assert_string_equal(f->homes.items[0].name, "imhome1");
}

static void a_guid_is_one_home_under_any_name(void **state) {
    struct fixture *f = *state;
    add(f, "<GUID=" GUID ">;" GONE, NULL);
    add(f, "<GUID=" GUID ">;" DELETED, URL("imhome9.corp.example"));
    add(f, DELETED, NULL); /* a server that does not give the extended form */
    settle(f);
    assert_int_equal(f->homes.count, 1);
    assert_int_equal(f->homes.items[0].users, 3);
    assert_string_equal(f->homes.items[0].guid, GUID);
    assert_string_equal(f->homes.items[0].host, "imhome9.corp.example");
}

static void homes_that_are_gone_have_names(void **state) {
    struct fixture *f = *state;
    add(f, GONE, NULL);
    add(f, DELETED, URL("imhome8.corp.example"));
    add(f, NULL, URL("ImHome7.corp.example"));
    add(f, "no DN at all", NULL);
    settle(f);
    assert_int_equal(f->homes.count, 4);
    assert_string_equal(f->homes.items[0].name, "IMHOME9");
    assert_string_equal(f->homes.items[1].name, "imhome8.corp.example"); /* "1" is all that its DN has kept */
    assert_string_equal(f->homes.items[2].name, "ImHome7.corp.example");
    assert_null(f->homes.items[2].dn);
    assert_string_equal(f->homes.items[3].name, "no DN at all");
}

static void a_deleted_home_without_a_url(void **state) {
    struct fixture *f = *state;
    add(f, DELETED, NULL);
    settle(f);
    assert_string_equal(f->homes.items[0].name, "1");
}

static void a_router_with_people_is_counted(void **state) {
    struct fixture *f = *state;
    add(f, "CN=router", NULL);
    settle(f);
    assert_int_equal(f->server[2].users, 1);
    assert_int_equal(f->homes.items[0].target, IM_TARGET_NO_HOST);
}

/* ---- who is meant ---- */

static void a_live_server_is_found_by_each_name(void **state) {
    struct fixture *f = *state;
    static const char *const specs[] = {"IMHOME1", "imhome1.corp.example",
                                        "cn=1,cn=im,cn=protocols,cn=imhome1,cn=servers,dc=corp,dc=example"};
    add(f, HOME1, NULL);
    settle(f);
    for (size_t i = 0; i < LENGTH(specs); i++) {
        const struct im_server *server = NULL;
        struct im_home_match m = find(f, specs[i], &server);
        assert_ptr_equal(server, &f->server[0]);
        assert_true(matches(f, &m, HOME1, NULL));
        assert_true(matches(f, &m, "<GUID=" GUID ">;" HOME1, NULL));
        assert_false(matches(f, &m, HOME2, URL("imhome1.corp.example"))); /* the home decides */
        assert_true(matches(f, &m, NULL, URL("IMHOME1.corp.example")));
        assert_false(matches(f, &m, NULL, URL("imhome2.corp.example")));
        assert_false(matches(f, &m, NULL, NULL));
    }
}

static void a_server_that_was_made_anew_is_not_the_old_one(void **state) {
    struct fixture *f = *state;
    const struct im_server *server = NULL;
    size_t users = 0;
    add(f, HOME1, URL("imhome1.corp.example"));
    add(f, "<GUID=" GUID ">;" DELETED, URL("imhome1.corp.example"));
    settle(f);
    struct im_home_match live = find(f, "imhome1.corp.example", &server);
    assert_false(matches(f, &live, "<GUID=" GUID ">;" DELETED, URL("imhome1.corp.example")));
    struct im_home_match old = find(f, "<GUID=0E1F2A3B-4C5D-4E6F-8A9B-0C1D2E3F4A5B>", &server);
    assert_null(server);
    assert_true(matches(f, &old, "<GUID=" GUID ">;" DELETED, NULL));
    assert_true(matches(f, &old, DELETED, NULL));
    assert_false(matches(f, &old, HOME1, NULL));
    assert_int_equal(im_homes_users(&f->homes, &old, &users, &f->e), IM_OK);
    assert_int_equal(users, 1);
    struct im_home_match same = find(f, GUID, &server);
    assert_true(matches(f, &same, DELETED, NULL));
    same = find(f, DELETED, &server);
    assert_true(matches(f, &same, DELETED, NULL));
}

static void gone_homes_are_found_by_name_and_host(void **state) {
    struct fixture *f = *state;
    const struct im_server *server = NULL;
    size_t users = 0;
    add(f, GONE, URL("imhome9.corp.example"));
    add(f, GONE, NULL);
    add(f, NULL, URL("imhome9.corp.example"));
    add(f, DELETED, URL("imhome9.corp.example")); /* an earlier one of that name */
    settle(f);
    struct im_home_match m = find(f, "imhome9.corp.example", &server);
    assert_true(matches(f, &m, GONE, NULL));
    assert_true(matches(f, &m, DELETED, NULL));
    assert_true(matches(f, &m, NULL, URL("imhome9.corp.example")));
    assert_int_equal(im_homes_users(&f->homes, &m, &users, &f->e), IM_OK);
    assert_int_equal(users, 4);
    m = find(f, "IMHOME9", &server);
    assert_true(matches(f, &m, GONE, NULL));
    assert_false(matches(f, &m, DELETED, NULL));
}

/* The configuration still names it, and its object is deleted: people's values have a name that nobody configured. */
static void a_configured_server_that_is_gone(void **state) {
    struct fixture *f = *state;
    const struct im_server *server = NULL;
    f->server[0].is_gone = true;
    add(f, "<GUID=" GUID ">;" DELETED, URL("imhome1.corp.example"));
    settle(f);
    struct im_home_match m = find(f, "imhome1", &server);
    assert_null(server);
    assert_true(matches(f, &m, "<GUID=" GUID ">;" DELETED, NULL));
}

static void unknown_and_ambiguous_names_are_told(void **state) {
    struct fixture *f = *state;
    add(f, "CN=lost,OU=A,DC=corp,DC=example", URL("a.corp.example"));
    add(f, "CN=lost,OU=B,DC=corp,DC=example", URL("b.corp.example"));
    settle(f);
    assert_mentions(complaint(f, "imhome7"), "imhome7");
    assert_mentions(f->e.text, "imhome2");
    assert_mentions(f->e.text, "CN=lost,OU=A");
    assert_mentions(complaint(f, "lost"), "CN=lost,OU=B,DC=corp,DC=example");
}

/* ---- memory ---- */

struct small {
    struct fixture *f;
    struct im_entry people[3];
};

static enum im_err attempt(void *user, struct im_error *e) {
    struct small *s = user;
    struct im_homes homes;
    struct im_home_match m;
    const struct im_server *server;
    size_t users;
    bool is;
    struct im_pool *pool = im_pool_new();
    enum im_err err = pool ? im_homes_begin(&homes, e) : im_error_nomem(e);
    if (err != IM_OK) {
        im_pool_free(&pool);
        return err;
    }
    for (size_t i = 0; err == IM_OK && i < LENGTH(s->people); i++)
        err = im_homes_add(&homes, s->f->profile, &s->people[i], e);
    if (err == IM_OK)
        err = im_homes_settle(&homes, &s->f->servers, e);
    if (err == IM_OK)
        err = im_homes_find(&homes, &s->f->servers, GUID, pool, &m, &server, e);
    if (err == IM_OK)
        err = im_homes_users(&homes, &m, &users, e);
    if (err == IM_OK)
        err = im_home_matches(&m, s->f->profile, &s->people[0], &is, e);
    im_homes_free(&homes);
    im_pool_free(&pool);
    return err;
}

static void runs_out_of_memory(void **state) {
    struct fixture *f = *state;
    struct small s = {.f = f};
    s.people[0] = entry_of(f, "<GUID=" GUID ">;" DELETED, URL("imhome9.corp.example"));
    s.people[1] = entry_of(f, HOME1, NULL);
    s.people[2] = entry_of(f, NULL, URL("imhome7.corp.example"));
    assert_true(oom_every_allocation(attempt, &s) > 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(spellings_of_one_home_are_one),
        TEST(a_guid_is_one_home_under_any_name),
        TEST(homes_that_are_gone_have_names),
        TEST(a_deleted_home_without_a_url),
        TEST(a_router_with_people_is_counted),
        TEST(a_live_server_is_found_by_each_name),
        TEST(a_server_that_was_made_anew_is_not_the_old_one),
        TEST(gone_homes_are_found_by_name_and_host),
        TEST(a_configured_server_that_is_gone),
        TEST(unknown_and_ambiguous_names_are_told),
        TEST(runs_out_of_memory),
    };
    return cmocka_run_group_tests_name("homes", tests, NULL, NULL);
}
