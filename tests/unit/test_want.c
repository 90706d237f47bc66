/* The state that is wanted: what is kept, what is filled in, what cannot be built; and what counts as the same. */
#include "lib/model/url.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

#define HOME1 "CN=1,CN=IM,CN=Protocols,CN=IMHOME1,CN=Servers,DC=corp,DC=example"
#define HOME2 "CN=1,CN=IM,CN=Protocols,CN=IMHOME2,CN=Servers,DC=corp,DC=example"
#define ONE "{ name: imhome1, host: imhome1.corp.example, dn: '" HOME1 "' }"
#define TWO ONE ", { name: imhome2, host: imhome2.corp.example, dn: '" HOME2 "' }"
#define ROUTER "{ name: router1, host: im.corp.example, hosts-users: false }"
#define JANE "dn: CN=Jane,DC=corp,DC=example\nobjectClass: user\nsAMAccountName: jdoe\n"

static void same_meaning_is_equal(void **state) {
    (void)state;
    static const struct {
        enum im_role role;
        const char *a, *b;
        bool equal;
    } rows[] = {
        {IM_ROLE_ADDRESS, "JDoe@im.corp.example", "jdoe@IM.corp.example", true},
        {IM_ROLE_ADDRESS, "jdoe@im.corp.example", "jdoe@im.corp.example/", false},
        {IM_ROLE_LOGICAL_URL, "http://im.corp.example/instmsg/aliases/jdoe/", "HTTP://IM.corp.example/instmsg/aliases/JDoe",
         true},
        {IM_ROLE_LOGICAL_URL, "http://im.corp.example/instmsg/aliases/jdoe//", "http://im.corp.example/instmsg/aliases/jdoe",
         false},
        {IM_ROLE_PHYSICAL_URL, "http://a.b/x", "http://a.b/y", false},
        {IM_ROLE_PHYSICAL_URL, "/", "", true},
        {IM_ROLE_HOME, "cn=a, dc=B", "CN=A,DC=b", true},
        {IM_ROLE_HOME, "CN=a\\,b,DC=x", "CN=a\\2Cb,DC=x", true},
        {IM_ROLE_HOME, "not a DN", "not a DN", false},
        {IM_ROLE_VALUE, "TRUE", "true", false},
        {IM_ROLE_VALUE, "TRUE", "TRUE", true},
        {IM_ROLE_ADDRESS, NULL, "a", false},
        {IM_ROLE_ADDRESS, "a", NULL, false},
        {IM_ROLE_ADDRESS, NULL, NULL, true},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        if (im_role_equal(rows[i].role, rows[i].a, rows[i].b) != rows[i].equal)
            fail_msg("row %zu: %s and %s", i, rows[i].a, rows[i].b);
    }
}

static void urls_are_judged(void **state) {
    (void)state;
    static const struct {
        enum im_role role;
        const char *url, *fault; /* NULL: well-formed */
    } rows[] = {
        {IM_ROLE_LOGICAL_URL, "http://im.corp.example/instmsg/aliases/jdoe", NULL},
        {IM_ROLE_LOGICAL_URL, "HTTP://im.corp.example/InstMsg/Aliases/jdoe/", NULL},
        {IM_ROLE_PHYSICAL_URL, "http://imhome1.corp.example/instmsg/local/im.corp.example/instmsg/aliases/jdoe", NULL},
        {IM_ROLE_PHYSICAL_URL, "http://im.corp.example/instmsg/aliases/jdoe", NULL}, /* one server for both */
        {IM_ROLE_LOGICAL_URL, "http://im.corp.example/instmsg/local/im.corp.example/instmsg/aliases/jdoe", "path"},
        {IM_ROLE_LOGICAL_URL, "https://im.corp.example/instmsg/aliases/jdoe", "http://"},
        {IM_ROLE_LOGICAL_URL, "", "http://"},
        {IM_ROLE_LOGICAL_URL, "http:///instmsg/aliases/jdoe", "no host"},
        {IM_ROLE_LOGICAL_URL, "http://im.corp.example:80/instmsg/aliases/jdoe", "port"},
        {IM_ROLE_LOGICAL_URL, "http://im/instmsg/aliases/jdoe", "without a domain"},
        {IM_ROLE_LOGICAL_URL, "http://im.corp example/instmsg/aliases/jdoe", "characters"},
        {IM_ROLE_LOGICAL_URL, "http://im.corp.example", "path"},
        {IM_ROLE_LOGICAL_URL, "http://im.corp.example/instmsg/aliases/", "no alias"},
        {IM_ROLE_LOGICAL_URL, "http://im.corp.example/instmsg/aliases//", "no alias"},
        {IM_ROLE_LOGICAL_URL, "http://im.corp.example/instmsg/aliases/jdoe/more", "behind the alias"},
        {IM_ROLE_PHYSICAL_URL, "http://imhome1.corp.example/instmsg/local/im/instmsg/aliases/jdoe", "without a domain"},
        {IM_ROLE_PHYSICAL_URL, "http://imhome1.corp.example/instmsg/local/", "no host"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_url url;
        im_url_split(rows[i].url, rows[i].role, &url);
        const char *fault = url.fault ? url.fault : url.alias_fault;
        if (!fault != !rows[i].fault)
            fail_msg("%s: %s", rows[i].url, fault ? fault : "nothing");
        if (rows[i].fault)
            assert_mentions(fault, rows[i].fault);
    }
}

static void aliases_are_safe_or_not(void **state) {
    (void)state;
    static const char *const safe[] = {"jdoe", "Jane.Doe", "o'hara", "a_b-c+d", "x", "0", "a&b=c", "~j!$*();:,"};
    static const char *const unsafe[] = {"",    " ",    "a b",   "a/b",  "a#b",  "a%b", "a?b",
                                         "a@b", "a\tb", "a\x7f", "jörg", "a\\b", "a\"b"};
    for (size_t i = 0; i < LENGTH(safe); i++) {
        if (!im_alias_is_safe(safe[i]))
            fail_msg("%s is safe", safe[i]);
    }
    for (size_t i = 0; i < LENGTH(unsafe); i++) {
        if (im_alias_is_safe(unsafe[i]))
            fail_msg("%s is not safe", unsafe[i]);
    }
    assert_false(im_alias_is_safe(NULL));
}

/* Rows of the big table: facts and further lines of the entry give an address and a home. */
struct row {
    const char *facts, *lines;
    const char *address; /* NULL: cannot be built, and says this: */
    const char *says;
    const char *home;
};

static void check_row(const struct row *row, size_t number) {
    struct world *w = world_from_text(row->facts);
    struct im_account a = world_account(w, world_entry(w, im_pool_printf(w->pool, JANE "%s", row->lines)));
    struct im_want want = world_want(w, &a);
    if (row->address) {
        if (want.cannot_build)
            fail_msg("row %zu: %s", number, want.cannot_build);
        if (strcmp(want.address, row->address) != 0)
            fail_msg("row %zu: the address is %s", number, want.address);
    } else {
        if (!want.cannot_build)
            fail_msg("row %zu: %s should not have been built", number, want.address);
        assert_mentions(want.cannot_build, row->says);
    }
    if (row->home && strcmp(want.home->name, row->home) != 0)
        fail_msg("row %zu: the home is %s", number, want.home->name);
    world_free(&w);
}

#define AT1 "msExchIMVirtualServer: " HOME1 "\n"
#define AT2 "msExchIMVirtualServer: " HOME2 "\n"
#define ADDRESS(text) "msExchIMAddress: " text "\n"
#define SERVERS(list) "servers: [" list "]\n"

static void what_is_valid_is_kept(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"directory: ad", "", "jdoe@im.corp.example", NULL, "imhome1"},
        {"directory: ad", ADDRESS("Other@IM.corp.example"), "Other@IM.corp.example", NULL, "imhome1"},
        {"directory: ad", ADDRESS("other@imhome1.corp.example"), "other@imhome1.corp.example", NULL, "imhome1"},
        {"directory: ad", ADDRESS("other@gone.example"), "jdoe@im.corp.example", NULL, NULL},
        {"directory: ad", ADDRESS("o ther@im.corp.example"), "jdoe@im.corp.example", NULL, NULL},
        {"directory: ad", ADDRESS("a@b@im.corp.example"), "jdoe@im.corp.example", NULL, NULL},
        {"directory: ad", ADDRESS("@im.corp.example"), "jdoe@im.corp.example", NULL, NULL},
        {"directory: ad", ADDRESS("other"), "jdoe@im.corp.example", NULL, NULL},
        {"directory: ad", "msExchIMAddress:\n", "jdoe@im.corp.example", NULL, NULL},
        /* configuration and auto fill gaps only */
        {SERVERS(TWO "," ROUTER) "request: { default-home: imhome1 }", AT2, "jdoe@im.corp.example", NULL, "imhome2"},
        {SERVERS(TWO "," ROUTER) "request: { home: auto }", AT2, "jdoe@im.corp.example", NULL, "imhome2"},
        {SERVERS(TWO "," ROUTER) "request: { home: auto }", "", "jdoe@im.corp.example", NULL, "imhome1"},
        {SERVERS(TWO "," ROUTER) "request: { default-home: imhome2 }", "", "jdoe@im.corp.example", NULL, "imhome2"},
        {SERVERS(TWO "," ROUTER) "request: { home: imhome1 }", AT2, "jdoe@im.corp.example", NULL, "imhome1"},
        {"request: { default-domain: imhome1.corp.example }", ADDRESS("other@im.corp.example"), "other@im.corp.example", NULL,
         NULL},
        {"request: { default-address: '{sn}@{domain}' }", ADDRESS("other@im.corp.example"), "other@im.corp.example", NULL, NULL},
        /* homes that do not live */
        {"directory: ad", "msExchIMVirtualServer: CN=gone,DC=x\n", "jdoe@im.corp.example", NULL, "imhome1"},
        {"directory: ad", "msExchIMVirtualServer: CN=1\\0ADEL:0e1f2a3b-4c5d-4e6f-8a9b-0c1d2e3f4a5b,CN=Deleted Objects,DC=x\n",
         "jdoe@im.corp.example", NULL, "imhome1"},
        {"directory: ad", "msExchIMVirtualServer: CN=1,CN=IM,CN=Protocols,CN=ROUTER1,CN=Servers,DC=corp,DC=example\n",
         "jdoe@im.corp.example", NULL, "imhome1"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++)
        check_row(&rows[i], i);
}

static void what_is_asked_for_wins(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"request: { domain: imhome1.corp.example }", ADDRESS("other@im.corp.example"), "other@imhome1.corp.example", NULL, NULL},
        {"request: { domain: IM.corp.example }", ADDRESS("other@im.corp.example"), "other@im.corp.example", NULL, NULL},
        {"request: { domain: imhome1.corp.example }", ADDRESS("other@gone.example"), "jdoe@imhome1.corp.example", NULL, NULL},
        {"request: { domain: nowhere.example }", "", "jdoe@nowhere.example", NULL, NULL}, /* a rule refuses it */
        {"request: { address: '{alias}2@{domain}' }", ADDRESS("other@im.corp.example"), "jdoe2@im.corp.example", NULL, NULL},
        {"request: { address: '{alias}2@{domain}' }", ADDRESS("other@imhome1.corp.example"), "jdoe2@imhome1.corp.example", NULL,
         NULL},
        {"request: { address: 'x@im.corp.example', domain: im.corp.example }", "", "x@im.corp.example", NULL, NULL},
        {"request: { address: 'x@im.corp.example', domain: imhome1.corp.example }", "", NULL, "asked for", NULL},
        {"request: { address: '{sn}@{domain}', default-address: '{given}@{domain}' }", "sn: Doe\ngivenName: Jane\n",
         "Doe@im.corp.example", NULL, NULL},
        {"request: { default-address: '{given}@{domain}' }", "givenName: Jane\n", "Jane@im.corp.example", NULL, NULL},
    };
    for (size_t i = 0; i < LENGTH(rows); i++)
        check_row(&rows[i], i);
}

static void variables_have_their_values(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"request: { address: '{account}@{domain}' }", "mailNickname: jane\n", "jdoe@im.corp.example", NULL, NULL},
        {"request: { address: '{alias}@{domain}' }", "mailNickname: jane\n", "jane@im.corp.example", NULL, NULL},
        {"request: { address: '{mail-local}@{domain}' }", "mail: j.d@corp.example\n", "j.d@im.corp.example", NULL, NULL},
        {"request: { address: '{upn-local}@{domain}' }", "userPrincipalName: u1@corp.example\n", "u1@im.corp.example", NULL,
         NULL},
        {"request: { address: '{attr:employeeID}@{home-host}' }", "employeeID: 17\n", "17@imhome1.corp.example", NULL, NULL},
        {"request: { address: '{mail-local}@{domain}' }", "mail: nobody\n", NULL, "{mail-local}", NULL},
        {"request: { address: '{mail-local}@{domain}' }", "mail: @x\n", NULL, "{mail-local}", NULL},
        {"request: { address: '{attr:employeeID}@{domain}' }", "", NULL, "{attr:employeeID}", NULL},
        {"request: { address: '{sn}@{domain}' }", "sn:: TcO8bGxlcg==\n", NULL, "plain ASCII", NULL},
        {"request: { address: '{alias}' }", "", NULL, "name@domain", NULL},
        {"request: { address: '{alias}@' }", "", NULL, "name@domain", NULL},
        {"request: { address: '@{domain}' }", "", NULL, "name@domain", NULL},
        {"servers: [{ name: a, dn: CN=a, domains: [a.example] }]", "", NULL, "{home-host}", NULL},
        {"servers: [{ name: a, host: a.example }]", "", NULL, "{home-dn}", NULL},
    };
    for (size_t i = 0; i < LENGTH(rows); i++)
        check_row(&rows[i], i);
}

/* A home depends on the domain, and a domain on the home. */
static void home_and_domain_fit_each_other(void **state) {
    (void)state;
#define CHAT "{ name: chat, host: chat.corp.example, dn: CN=chat, domains: [chat.corp.example], users: 0 }"
#define MAIN "{ name: main, host: main.corp.example, dn: CN=main, domains: [im.corp.example], users: 9 }"
    static const struct row rows[] = {
        {SERVERS(CHAT "," MAIN) "request: { home: auto, domain: im.corp.example }", "", "jdoe@im.corp.example", NULL, "main"},
        {SERVERS(CHAT "," MAIN) "request: { home: auto, default-domain: im.corp.example }", "", "jdoe@im.corp.example", NULL,
         "main"},
        {SERVERS(CHAT "," MAIN) "request: { home: auto }", "", "jdoe@chat.corp.example", NULL, "chat"},
        {SERVERS(CHAT "," MAIN) "request: { home: auto }", ADDRESS("other@im.corp.example"), "other@im.corp.example", NULL,
         "main"},
        {SERVERS(CHAT "," MAIN) "request: { home: main }", "", "jdoe@im.corp.example", NULL, "main"},
        {SERVERS(CHAT "," MAIN) "request: { default-home: main }", "", "jdoe@im.corp.example", NULL, "main"},
        {SERVERS(CHAT "," MAIN), "msExchIMVirtualServer: CN=main\n", "jdoe@im.corp.example", NULL, "main"},
        /* a template that names its domain needs no other */
        {SERVERS(ONE ",{ name: r1, host: r1.example, hosts-users: false }, { name: r2, host: r2.example, hosts-users: false "
                     "}") "request: { address: '{alias}@r2.example' }",
         "", "jdoe@r2.example", NULL, "imhome1"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++)
        check_row(&rows[i], i);
}

static void what_is_not_clear_is_an_error(void **state) {
    (void)state;
    static const struct {
        const char *facts, *says;
    } rows[] = {
        {SERVERS(TWO "," ROUTER), "--home"},
        {SERVERS(ROUTER), "which home server"},
        {SERVERS(ONE ",{ name: r1, host: r1.example, hosts-users: false }, { name: r2, host: r2.example, hosts-users: false }"),
         "r1.example, r2.example"},
        {"request: { default-domain: nowhere.example }", "nowhere.example"},
        {"request: { default-home: nowhere }", "nowhere"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct world *w = world_from_text(rows[i].facts);
        struct im_account a = world_account(w, world_entry(w, JANE));
        struct im_want want = {.address = "untouched"};
        struct im_error e = {.code = IM_OK};
        assert_int_equal(im_want_build(&w->context, &a, &w->request, &w->servers, w->pool, &want, &e), IM_E_USAGE);
        assert_mentions(e.text, rows[i].says);
        assert_string_equal(want.address, "untouched");
        world_free(&w);
    }
}

static void values_follow_from_the_address(void **state) {
    (void)state;
    struct world *w = world_from_text("request: { address: 'a%b c@im.corp.example' }");
    struct im_account a = world_account(w, world_entry(w, JANE));
    struct im_want want = world_want(w, &a);
    assert_true(want.enabled);
    assert_string_equal(want.im_alias, "a%b c");
    assert_string_equal(want.im_domain, "im.corp.example");
    assert_string_equal(want.home_host, "imhome1.corp.example");
    assert_string_equal(want.logical_url, "http://im.corp.example/instmsg/aliases/a%25b%20c");
    assert_string_equal(want.physical_url, "http://imhome1.corp.example/instmsg/local/im.corp.example/instmsg/aliases/a%25b%20c");
    assert_string_equal(want.values[0], "a%b c@im.corp.example");
    assert_string_equal(want.values[3], HOME1);
    assert_null(want.values[4]); /* a privacy list is never invented */
    w->request.action = IM_DISABLE;
    want = world_want(w, &a);
    assert_false(want.enabled);
    assert_null(want.home);
    assert_null(want.address);
    for (size_t i = 0; i < w->profile->attr_count; i++)
        assert_null(want.values[i]);
    world_free(&w);
}

/* A home that is put together from values is a DN, whatever the values hold. */
static void values_in_a_dn_are_escaped(void **state) {
    (void)state;
    struct world *w = world_from_text("request: { address: 'x@imhome1.corp.example' }");
    struct im_profile_attr attrs[] = {{.name = "msExchIMVirtualServer", .role = IM_ROLE_HOME, .enabled = "CN={sn},DC={domain}"}};
    w->profile->attrs = attrs;
    w->profile->attr_count = 1;
    struct im_account a = world_account(w, world_entry(w, JANE "sn: Doe, Jane\n"));
    struct im_want want = world_want(w, &a);
    assert_string_equal(want.values[0], "CN=Doe\\, Jane,DC=imhome1.corp.example");
    world_free(&w);
}

struct attempt {
    struct world *world;
    const char *address; /* expected */
    struct im_account account;
};

static enum im_err want_once(void *user, struct im_error *e) {
    struct attempt *t = user;
    struct im_want want = {0};
    struct im_plan plan = {0};
    struct im_pool *pool = im_pool_new();
    struct im_account_reader *reader = pool ? im_account_reader_new(&t->world->context, pool) : NULL;
    enum im_err err = reader ? im_account_decode(reader, t->account.entry, pool, &t->account, e) : im_error_nomem(e);
    if (err == IM_OK)
        err = im_want_build(&t->world->context, &t->account, &t->world->request, &t->world->servers, pool, &want, e);
    if (err == IM_OK)
        assert_string_equal(want.address, t->address);
    struct im_facts facts = {.context = &t->world->context, .account = &t->account, .want = &want, .servers = &t->world->servers};
    struct im_finding *findings = NULL;
    size_t count = 0;
    if (err == IM_OK)
        err = im_rules_judge(&facts, IM_BLOCKS_ENABLE, pool, &findings, &count, e);
    if (err == IM_OK)
        assert_int_equal(count, 2); /* placeholder of an external account, and disabled */
    if (err == IM_OK)
        err = im_plan_make(&t->world->context, &t->account, &want, false, true, pool, &plan, e);
    if (err == IM_OK)
        assert_int_equal(plan.step_count, 1);
    im_pool_free(&pool);
    return err;
}

/* Running out of memory never looks like a missing value. */
static void without_memory_nothing_is_guessed(void **state) {
    (void)state;
    static char long_name[6000]; /* more than a block of a pool: an allocation of its own */
    memset(long_name, 'x', sizeof long_name - 1);
    static const struct {
        const char *facts, *local, *home, *address;
    } rows[] = {
        {"request: { domain: imhome1.corp.example }", "j.d", "<GUID=0e1f2a3b-4c5d-4e6f-8a9b-0c1d2e3f4a5b>;CN=x",
         "other@imhome1.corp.example"},
        {"{ directory: openldap, without-equality: [msExchIMAddress], request: { address: '{mail-local}@{domain}' } }", "j.d",
         "CN=x", "j.d@im.corp.example"},
        {"request: { address: '{mail-local}@{domain}' }", long_name,
         "CN=1\\0ADEL:0e1f2a3b-4c5d-4e6f-8a9b-0c1d2e3f4a5b,CN=Deleted Objects,DC=x", NULL},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct attempt t = {.world = world_from_text(rows[i].facts)};
        t.address = rows[i].address ? rows[i].address : im_pool_printf(t.world->pool, "%s@im.corp.example", long_name);
        const char *ldif = im_pool_printf(t.world->pool,
                                          JANE "mail: %s@corp.example\nmsExchIMAddress: other@im.corp.example\n"
                                               "msExchIMVirtualServer: %s\nuserAccountControl: 514\n"
                                               "objectSid:: AQEAAAAAAAUSAAAA\nmsExchMasterAccountSid:: AQEAAAAAAAUSAAAA\n"
                                               "objectGUID:: /xmWb4aLEUC0LQDPT8lk/w==\n",
                                          rows[i].local, rows[i].home);
        t.account.entry = world_entry(t.world, ldif);
        assert_true(oom_every_allocation(want_once, &t) > 3);
        world_free(&t.world);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_meaning_is_equal),
        cmocka_unit_test(urls_are_judged),
        cmocka_unit_test(aliases_are_safe_or_not),
        cmocka_unit_test(what_is_valid_is_kept),
        cmocka_unit_test(what_is_asked_for_wins),
        cmocka_unit_test(variables_have_their_values),
        cmocka_unit_test(home_and_domain_fit_each_other),
        cmocka_unit_test(what_is_not_clear_is_an_error),
        cmocka_unit_test(values_follow_from_the_address),
        cmocka_unit_test(values_in_a_dn_are_escaped),
        cmocka_unit_test(without_memory_nothing_is_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
