/* What stands behind the rules about accounts: present states, URLs in pieces, protected groups, findings that hide others, and
 * rules without memory. What each rule says is in tests/golden/rules. */
#include "lib/data/sid.h"
#include "lib/model/protected.h"
#include "lib/model/url.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

#include <stdio.h>

#define HOME "CN=1,CN=IM,CN=Protocols,CN=IMHOME1,CN=Servers,DC=corp,DC=example"
#define ENTRY(lines) "dn: CN=Jane,DC=corp,DC=example\nobjectClass: top\nobjectClass: user\nsAMAccountName: jdoe\n" lines

/* ---- findings that hide others ---- */

static struct im_finding found(const char *id, const char *dn, const char *subject) {
    const struct im_rule *rule = im_rule_find(id);
    assert_non_null(rule);
    return (struct im_finding){.rule = rule, .dn = dn, .subject = subject};
}

static void more_exact_findings_hide_others(void **state) {
    (void)state;
    struct im_finding all[] = {
        found("account-linked-external", "CN=a", NULL), found("account-disabled", "CN=a", NULL),
        found("account-url-malformed", "CN=a", NULL),   found("account-cannot-log-on", "CN=a", NULL),
        found("account-home-dangling", "CN=a", NULL),
    };
    assert_int_equal(im_findings_hide(all, LENGTH(all)), 3);
    assert_string_equal(all[0].rule->id, "account-linked-external");
    assert_string_equal(all[1].rule->id, "account-url-malformed"); /* in the order they had */
    assert_string_equal(all[2].rule->id, "account-home-dangling");
    assert_int_equal(im_findings_hide(all, 0), 0);
}

static void only_the_same_account_and_subject_hide(void **state) {
    (void)state;
    struct im_finding all[] = {
        found("account-disabled", "CN=a", NULL), found("account-linked-external", "CN=b", NULL),
        found("account-disabled", "CN=b", "x"),  found("account-disabled", NULL, NULL),
        found("account-disabled", "CN=b", NULL),
    };
    assert_int_equal(im_findings_hide(all, LENGTH(all)), 4);
    assert_string_equal(all[2].subject, "x");
    assert_null(all[3].dn);
}

/* One id is the beginning of another. */
static void ids_are_compared_whole(void **state) {
    (void)state;
    struct im_finding all[] = {found("account-sid-history", "CN=a", NULL), found("account-cannot-log-on", "CN=a", NULL)};
    assert_int_equal(im_findings_hide(all, LENGTH(all)), 2);
    struct im_finding both[] = {found("account-sid-history", "CN=a", NULL), found("account-cannot-log-on", "CN=a", NULL),
                                found("account-sid-history-placeholder", "CN=a", NULL)};
    assert_int_equal(im_findings_hide(both, LENGTH(both)), 1);
    assert_string_equal(both[0].rule->id, "account-sid-history-placeholder");
}

static void check_names(const char *names) {
    char *copy = strdup(names);
    char *rest = copy;
    for (const char *id = strsep(&rest, " "); id; id = strsep(&rest, " ")) {
        if (!im_rule_find(id))
            fail_msg("\"%s\" names \"%s\", which is no rule", names, id);
    }
    free(copy);
}

static void what_hides_a_rule_is_one(void **state) {
    (void)state;
    size_t count;
    size_t hidden = 0;
    const struct im_rule *rules = im_rules(IM_SCOPE_ACCOUNT, &count);
    for (size_t i = 0; i < count; i++) {
        if (rules[i].hidden_by)
            check_names(rules[i].hidden_by);
        hidden += rules[i].hidden_by != NULL;
    }
    assert_true(hidden > 3);
}

/* Scripts read the first reason of a refusal; new rules come behind. */
static void reasons_keep_their_order(void **state) {
    (void)state;
    static const char *const order[] = {"account-not-security-principal",
                                        "account-linked-external",
                                        "account-sid-history-placeholder",
                                        "account-disabled",
                                        "account-not-writable",
                                        "account-domain-unknown",
                                        "account-home-not-host",
                                        "account-address-duplicate",
                                        "account-alias-unsafe",
                                        "account-url-malformed"};
    size_t count;
    const struct im_rule *rules = im_rules(IM_SCOPE_ACCOUNT, &count);
    assert_int_equal(count, 23);
    for (size_t i = 0; i < count; i++) {
        if (i < LENGTH(order))
            assert_string_equal(rules[i].id, order[i]);
        assert_int_equal(rules[i].blocks == IM_BLOCKS_NOTHING, i >= LENGTH(order));
    }
}

/* ---- the present state ---- */

static void the_present_state_is_what_is_there(void **state) {
    (void)state;
    struct world *w = world_from_text("audit: true");
    struct im_account a = world_account(w, world_entry(w, ENTRY("msExchIMAddress: Jane.Doe@im.corp.example\n"
                                                                "msExchIMMetaPhysicalURL: http://a/\n"
                                                                "msExchIMACL:: BwA=\n"
                                                                "msExchIMVirtualServer: <GUID=0e1f2a3b-4c5d-4e6f-8a9b-"
                                                                "0c1d2e3f4a5b>;cn=1, cn=IM,cn=Protocols,cn=imhome1,cn=Servers,"
                                                                "dc=corp,dc=example\n")));
    struct im_want want = world_present(w, &a);
    assert_true(want.enabled);
    assert_string_equal(want.im_alias, "Jane.Doe");
    assert_string_equal(want.im_domain, "im.corp.example");
    assert_string_equal(want.address, "Jane.Doe@im.corp.example");
    assert_string_equal(want.logical_url, "http://a/");
    assert_null(want.physical_url);
    assert_null(want.cannot_build);
    assert_string_equal(want.home->name, "imhome1"); /* spelled in another way */
    assert_string_equal(want.home_host, "imhome1.corp.example");
    for (size_t i = 0; i < w->profile->attr_count; i++) {
        enum im_role role = w->profile->attrs[i].role;
        if (role == IM_ROLE_HOME)
            assert_string_equal(want.values[i], a.home);
        assert_int_equal(want.values[i] == NULL, role == IM_ROLE_OPAQUE || role == IM_ROLE_PHYSICAL_URL);
    }
    world_free(&w);
}

static void what_is_not_there_is_not_made_up(void **state) {
    (void)state;
    struct world *w = world_from_text("audit: true");
    struct im_account a = world_account(w, world_entry(w, ENTRY("mail: jdoe@corp.example\n")));
    struct im_want want = world_present(w, &a);
    assert_false(want.enabled);
    assert_null(want.address);
    assert_null(want.home);
    assert_null(want.cannot_build);
    static const char *const odd[] = {"jdoe", "@im.corp.example", "jdoe@", "@"};
    for (size_t i = 0; i < LENGTH(odd); i++) {
        a = world_account(w, world_entry(w, im_pool_printf(w->pool, ENTRY("msExchIMAddress: %s\n"), odd[i])));
        want = world_present(w, &a);
        assert_mentions(want.cannot_build ? want.cannot_build : "nothing", odd[i]);
        assert_null(want.im_alias);
        assert_string_equal(want.address, odd[i]);
    }
    a = world_account(w, world_entry(w, ENTRY("msExchIMVirtualServer: CN=Gone,DC=corp,DC=example\n")));
    want = world_present(w, &a);
    assert_null(want.home);
    assert_string_equal(want.home_dn, "CN=Gone,DC=corp,DC=example");
    world_free(&w);
}

/* ---- URLs ---- */

static bool is_piece(const char *piece, size_t len, const char *expected) {
    return piece ? strlen(expected) == len && strncmp(piece, expected, len) == 0 : *expected == '\0';
}

static void urls_fall_into_pieces(void **state) {
    (void)state;
    static const struct {
        const char *url;
        enum im_role role;
        const char *host, *domain, *alias, *fault;
    } rows[] = {
        {"http://im.x.y/instmsg/aliases/jdoe", IM_ROLE_LOGICAL_URL, "im.x.y", "", "jdoe", NULL},
        {"HTTP://IM.x.y/InstMsg/Aliases/jdoe/", IM_ROLE_LOGICAL_URL, "IM.x.y", "", "jdoe", NULL},
        {"http://h.x/instmsg/local/im.x.y/instmsg/aliases/jdoe", IM_ROLE_PHYSICAL_URL, "h.x", "im.x.y", "jdoe", NULL},
        {"http://h.x/instmsg/local/im.x.y/instmsg/aliases/jdoe", IM_ROLE_LOGICAL_URL, "h.x", "", "", "path"},
        {"http://h.x/instmsg/aliases/jdoe", IM_ROLE_PHYSICAL_URL, "h.x", "", "jdoe", NULL},
        {"https://im.x.y/instmsg/aliases/jdoe", IM_ROLE_LOGICAL_URL, "im.x.y", "", "jdoe", "http://"},
        {"http://im.x.y:80/instmsg/aliases/jdoe", IM_ROLE_LOGICAL_URL, "im.x.y:80", "", "jdoe", "port"},
        {"http://im/instmsg/aliases/jdoe", IM_ROLE_LOGICAL_URL, "im", "", "jdoe", "without a domain"},
        {"http://i m.x/instmsg/aliases/jdoe", IM_ROLE_LOGICAL_URL, "i m.x", "", "jdoe", "characters"},
        {"http:///instmsg/aliases/jdoe", IM_ROLE_LOGICAL_URL, "", "", "jdoe", "no host"},
        {"http://h.x/instmsg/local/im/instmsg/aliases/jdoe", IM_ROLE_PHYSICAL_URL, "h.x", "im", "jdoe", "without a domain"},
        {"http://h.x/instmsg/local/", IM_ROLE_PHYSICAL_URL, "h.x", "", "", "no host"},
        {"http://h.x", IM_ROLE_LOGICAL_URL, "h.x", "", "", "path"},
        {"http://h.x/instmsg/aliases/", IM_ROLE_LOGICAL_URL, "h.x", "", "", "no alias"},
        {"http://h.x/instmsg/aliases//", IM_ROLE_LOGICAL_URL, "h.x", "", "", "no alias"},
        {"http://h.x/instmsg/aliases/a/b", IM_ROLE_LOGICAL_URL, "h.x", "", "a/b", "behind the alias"},
        {"jdoe", IM_ROLE_LOGICAL_URL, "", "", "", "http://"},
        {"", IM_ROLE_LOGICAL_URL, "", "", "", "http://"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_url url;
        im_url_split(rows[i].url, rows[i].role, &url);
        const char *fault = url.fault ? url.fault : url.alias_fault;
        if (!is_piece(url.host, url.host_len, rows[i].host) || !is_piece(url.domain, url.domain_len, rows[i].domain) ||
            !is_piece(url.alias, url.alias_len, rows[i].alias))
            fail_msg("%s: host %.*s, alias %.*s", rows[i].url, (int)url.host_len, url.host, (int)url.alias_len, url.alias);
        if ((fault == NULL) != (rows[i].fault == NULL) || (fault && !strstr(fault, rows[i].fault)))
            fail_msg("%s: %s", rows[i].url, fault ? fault : "no fault");
    }
}

/* ---- protected groups ---- */

static void sids_of_protected_groups_are_known(void **state) {
    (void)state;
    static const struct {
        const char *sid;
        bool is_protected;
    } rows[] = {
        {"S-1-5-32-544", true},         {"S-1-5-32-545", false},       {"S-1-5-32-512", false},
        {"S-1-5-21-1-2-3-512", true},   {"s-1-5-21-1-2-3-519", true},  {"S-1-5-21-1-2-3-500", true},
        {"S-1-5-21-1-2-3-513", false},  {"S-1-5-21-1-2-3-544", false}, {"S-1-5-21-1-2-3-5120", false},
        {"S-1-5-21-1-2-3-", false},     {"S-1-5-18", false},           {"", false},
        {"S-1-5-21-1-2-3-512x", false},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        if (im_sid_is_protected(rows[i].sid) != rows[i].is_protected)
            fail_msg("%s", rows[i].sid);
    }
}

static void groups_that_the_server_computed_are_read(void **state) {
    (void)state;
    unsigned char octets[3][IM_SID_BYTES_SIZE];
    static const char *const sids[] = {"S-1-5-32-545", "S-1-5-21-1-2-3-513", "S-1-5-21-1-2-3-518"};
    struct berval values[4];
    for (size_t i = 0; i < LENGTH(sids); i++) {
        size_t len;
        assert_true(im_sid_from_text(sids[i], octets[i], &len));
        values[i] = value_of(octets[i], len);
    }
    struct im_attr groups = {.name = "tokenGroups", .values = values, .count = 3};
    assert_int_equal(im_protected_by_groups(&groups), IM_YES);
    groups.count = 2;
    assert_int_equal(im_protected_by_groups(&groups), IM_NO);
    values[1] = VALUE("no SID");
    assert_int_equal(im_protected_by_groups(&groups), IM_NO);
    assert_int_equal(im_protected_by_groups(NULL), IM_UNKNOWN);
}

static void odd_groups_protect_nobody(void **state) {
    (void)state;
    static const char *const odd[] = {
        "<GUID=1>;<SID=",
        "<GUID=1>;<SID=>;CN=x",
        "<GUID=1>;<SID=01050>;CN=x",
        "<SID=S-1-5-21-1-2-3-512>;CN=x",
        "<GUID=1>;<SID=zz>;CN=x",
        "<GUID=1",
        "CN=Domain Admins",
        "CN=Domain Admins,CN=Users",
        "CN=,CN=Users,DC=x",
        "CN=Operators,CN=Builtin,DC=x",
    };
    struct world *w = world_from_text("audit: true");
    for (size_t i = 0; i < LENGTH(odd); i++) {
        const struct im_entry *entry = world_entry(w, im_pool_printf(w->pool, ENTRY("memberOf: %s\n"), odd[i]));
        if (im_protected_by_entry(entry) != IM_UNKNOWN)
            fail_msg("%s", odd[i]);
    }
    world_free(&w);
}

/* ---- hostile privacy lists ---- */

static const char list[] = "<?xml version='1.0'?><a:rvpacl xmlns:a='x'><a:acl><a:ace><a:principal><a:rvp-principal> nobody "
                           "</a:rvp-principal></a:principal><a:deny><a:all/></a:deny></a:ace><!-- > --></a:acl></a:rvpacl>";

static enum im_verdict judge_list(struct world *w, const char *bytes, size_t len) {
    struct berval values[] = {{.bv_len = len, .bv_val = im_pool_strndup(w->pool, bytes, len)}};
    struct im_attr attrs[] = {{.name = "msExchIMACL", .values = values, .count = 1}};
    struct im_entry entry = {.dn = "CN=a", .attrs = attrs, .count = 1};
    struct im_account account = {.entry = &entry, .dn = entry.dn, .has_opaque = true, .im_count = 4};
    struct im_want want = {.enabled = true};
    struct im_facts facts = world_facts(w, &account, &want);
    struct im_finding finding;
    enum im_verdict verdict;
    struct im_error e = {.code = IM_OK};
    assert_int_equal(im_rule_judge(im_rule_find("account-acl-bad-principal"), &facts, w->pool, &finding, &verdict, &e), IM_OK);
    return verdict;
}

static void lists_may_end_and_break_anywhere(void **state) {
    (void)state;
    struct world *w = world_from_text("audit: true");
    const size_t entry_end = (size_t)(strstr(list, "</a:ace>") - list) + strlen("</a:ace>");
    for (size_t len = 0; len < sizeof list; len++) {
        char *cut = strndup(list, len); /* so that reading on is seen */
        assert_int_equal(judge_list(w, cut, len), len >= entry_end ? IM_FIRES : len ? IM_FINE : IM_SKIPPED);
        free(cut);
    }
    for (size_t i = 0; i + 1 < sizeof list; i++) {
        static const char odd[] = "<>/:\xff ";
        for (size_t k = 0; k < sizeof odd; k++) { /* the NUL, too */
            char *broken = strndup(list, sizeof list - 1);
            broken[i] = odd[k];
            (void)judge_list(w, broken, sizeof list - 1);
            free(broken);
        }
    }
    world_free(&w);
}

/* ---- without memory ---- */

struct attempt {
    struct world *world;
    const struct im_entry *entry;
    size_t findings;
};

static enum im_err judge_all(void *user, struct im_error *e) {
    struct attempt *t = user;
    struct world *w = t->world;
    struct im_pool *pool = im_pool_new();
    struct im_account account;
    struct im_want want;
    size_t count;
    const struct im_rule *rules = im_rules(IM_SCOPE_ACCOUNT, &count);
    struct im_account_reader *reader = pool ? im_account_reader_new(&w->context, pool) : NULL;
    enum im_err err = reader ? im_account_decode(reader, t->entry, pool, &account, e) : im_error_nomem(e);
    if (err == IM_OK)
        err = im_want_present(&w->context, &account, &w->servers, pool, &want, e);
    t->findings = 0;
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        size_t pause = oom_pause();
        struct im_facts facts = world_facts(w, &account, &want);
        oom_fail_at(pause);
        struct im_finding finding;
        enum im_verdict verdict;
        err = im_rule_judge(&rules[i], &facts, pool, &finding, &verdict, e);
        t->findings += err == IM_OK && verdict == IM_FIRES;
    }
    im_pool_free(&pool);
    return err;
}

/* A finding that is lost would be a lie. */
static void without_memory_no_finding_is_lost(void **state) {
    (void)state;
    struct attempt t = {.world = world_from_text("{ audit: true, protected: false, policy: { min-password-length: 20 } }")};
    t.entry = world_entry(t.world, ENTRY("userAccountControl: 512\nlockoutTime: 134000000000000000\nadminCount: 1\n"
                                         "msExchMasterAccountSid: S-1-5-21-1-2-3-4\nsIDHistory:: AQEAAAAAAAUSAAAA\n"
                                         "mail: jane@corp.example\n"
                                         "msExchIMAddress: j/doe@im.nowhere.example\nmsExchIMAddress: other\n"
                                         "msExchIMMetaPhysicalURL: http://im.corp.example:80/instmsg/aliases/jdoe\n"
                                         "msExchIMPhysicalURL: http://imhome2.corp.example/instmsg/aliases/jane\n"
                                         "msExchIMVirtualServer: CN=Gone,DC=corp,DC=example\n"
                                         "msExchIMACL: <ace><principal>x</principal></ace>\n"));
    assert_true(oom_every_allocation(judge_all, &t) > 10);
    assert_int_equal(t.findings, 15);
    world_free(&t.world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_exact_findings_hide_others),
        cmocka_unit_test(only_the_same_account_and_subject_hide),
        cmocka_unit_test(ids_are_compared_whole),
        cmocka_unit_test(what_hides_a_rule_is_one),
        cmocka_unit_test(reasons_keep_their_order),
        cmocka_unit_test(the_present_state_is_what_is_there),
        cmocka_unit_test(what_is_not_there_is_not_made_up),
        cmocka_unit_test(urls_fall_into_pieces),
        cmocka_unit_test(sids_of_protected_groups_are_known),
        cmocka_unit_test(groups_that_the_server_computed_are_read),
        cmocka_unit_test(odd_groups_protect_nobody),
        cmocka_unit_test(lists_may_end_and_break_anywhere),
        cmocka_unit_test(without_memory_no_finding_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
