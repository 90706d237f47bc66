/* What an entry says about a person. */
#include "lib/base/text.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

#include <stdio.h>

#define HEAD "dn: CN=Jane,DC=corp,DC=example\nobjectClass: top\nobjectClass: user\n"
#define GUID_TEXT "6f9619ff-8b86-4011-b42d-00cf4fc964ff"
#define GUID_LINE "objectGUID:: /xmWb4aLEUC0LQDPT8lk/w==\n"
#define HOME_GUID "<GUID=0e1f2a3b-4c5d-4e6f-8a9b-0c1d2e3f4a5b>"

static struct im_account decoded(struct world *w, const char *lines) {
    const char *ldif = im_pool_printf(w->pool, HEAD "%s", lines);
    return world_account(w, world_entry(w, ldif));
}

static void names_come_from_the_first_source_that_has_one(void **state) {
    (void)state;
    struct world *w = world_from_text("directory: ad");
    struct im_account a = decoded(w, GUID_LINE "sAMAccountName: jdoe\nmailNickname: jane.doe\nuid: other\n"
                                               "mail: jane@corp.example\nuserPrincipalName: j@corp.example\n"
                                               "givenName: Jane\nsn: Doe\nobjectSid:: AQEAAAAAAAUSAAAA\n");
    assert_string_equal(a.dn, "CN=Jane,DC=corp,DC=example");
    assert_string_equal(a.name, "jdoe");
    assert_string_equal(a.alias, "jane.doe");
    assert_string_equal(a.mail, "jane@corp.example");
    assert_string_equal(a.upn, "j@corp.example");
    assert_string_equal(a.given, "Jane");
    assert_string_equal(a.sn, "Doe");
    assert_string_equal(a.guid, GUID_TEXT);
    assert_string_equal(a.ref, "<GUID=" GUID_TEXT ">");
    assert_int_equal(a.has_sid, IM_YES);
    a = decoded(w, "uid: jane\nmailNickname:\n");
    assert_string_equal(a.name, "jane");
    assert_string_equal(a.alias, "jane"); /* an empty value is none */
    assert_string_equal(a.ref, a.dn);     /* without a GUID */
    assert_int_equal(a.has_sid, IM_NO);
    a = decoded(w, "");
    assert_null(a.name);
    assert_null(a.alias);
    world_free(&w);
    w = world_from_text("directory: openldap");
    a = decoded(w, GUID_LINE "entryUUID: 3c9a4d7e-5f60-103b-8a01-d5f3c1a2b3c4\n");
    assert_string_equal(a.ref, a.dn); /* <GUID=...> is Active Directory's */
    assert_int_equal(a.has_sid, IM_UNKNOWN);
    a = decoded(w, "entryUUID: 3c9a4d7e-5f60-103b-8a01-d5f3c1a2b3c4\n");
    assert_string_equal(a.guid, "3c9a4d7e-5f60-103b-8a01-d5f3c1a2b3c4");
    world_free(&w);
}

static void the_state_is_read_from_what_the_directory_has(void **state) {
    (void)state;
    static const struct {
        const char *facts, *lines;
        enum im_tri disabled;
        int32_t uac;
    } rows[] = {
        {"directory: ad", "userAccountControl: 514\n", IM_YES, 514},
        {"directory: ad", "userAccountControl: 512\n", IM_NO, 512},
        {"directory: ad", "userAccountControl: -2147483134\n", IM_YES, INT32_MIN + 514},
        {"directory: ad", "userAccountControl: 2147484162\n", IM_YES, INT32_MIN + 514},
        {"directory: ad", "userAccountControl: 4294967296\n", IM_UNKNOWN, 0}, /* no number of 32 bits */
        {"directory: ad", "userAccountControl: 514x\n", IM_UNKNOWN, 0},
        {"directory: ad", "", IM_UNKNOWN, 0},
        {"directory: openldap", "", IM_UNKNOWN, 0},
        {"{ directory: openldap, knows: [pwdAccountLockedTime] }", "", IM_NO, 0},
        {"{ directory: openldap, knows: [pwdAccountLockedTime] }", "pwdAccountLockedTime: 000001010000Z\n", IM_YES, 0},
        {"{ directory: openldap, knows: [pwdAccountLockedTime] }", "pwdAccountLockedTime: 20261125090000Z\n", IM_NO, 0},
        {"{ directory: openldap, knows: [nsAccountLock] }", "nsAccountLock: TRUE\n", IM_YES, 0},
        {"{ directory: openldap, knows: [nsAccountLock] }", "nsAccountLock: false\n", IM_NO, 0},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct world *w = world_from_text(rows[i].facts);
        struct im_account a = decoded(w, rows[i].lines);
        if (a.disabled != rows[i].disabled || a.uac != rows[i].uac)
            fail_msg("row %zu: disabled is %d, userAccountControl %d", i, (int)a.disabled, (int)a.uac);
        world_free(&w);
    }
}

static void master_sids_survive_anything(void **state) {
    (void)state;
    static const struct {
        const char *lines, *text;
        enum im_master_sid kind;
    } rows[] = {
        {"", NULL, IM_MASTER_NONE},
        {"msExchMasterAccountSid:: AQEAAAAAAAUKAAAA\n", "S-1-5-10", IM_MASTER_SELF},
        {"msExchMasterAccountSid:: AQEAAAAAAAUSAAAA\n", "S-1-5-18", IM_MASTER_OTHER},
        {"msExchMasterAccountSid: S-1-5-10\n", "S-1-5-10", IM_MASTER_SELF},
        {"msExchMasterAccountSid: S-1-5-21-1-2-3-4\n", "S-1-5-21-1-2-3-4", IM_MASTER_OTHER},
        {"msExchMasterAccountSid: nonsense\n", NULL, IM_MASTER_MALFORMED},
        {"msExchMasterAccountSid:: AQIAAAAAAAUKAAAA\n", NULL, IM_MASTER_MALFORMED}, /* says two parts, has one */
        {"msExchMasterAccountSid:: AA==\n", NULL, IM_MASTER_MALFORMED},
    };
    struct world *w = world_from_text("directory: ad");
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_account a = decoded(w, rows[i].lines);
        if (a.master_sid != rows[i].kind)
            fail_msg("row %zu: %d", i, (int)a.master_sid);
        if (rows[i].text) {
            assert_string_equal(a.master_sid_text, rows[i].text);
        } else {
            assert_null(a.master_sid_text);
        }
    }
    world_free(&w);
}

/* 134000000000000000 is 2025-08-18T14:13:20Z; the test's now is 2026-11-25. */
static void what_keeps_from_logging_on_is_said(void **state) {
    (void)state;
    static const struct {
        const char *lines;
        enum im_log_on log_on;
    } rows[] = {
        {"userAccountControl: 512\npwdLastSet: 134000000000000000\n", IM_LOG_ON_FINE},
        {"userAccountControl: 512\npwdLastSet: 0\n", IM_LOG_ON_MUST_CHANGE},
        {"userAccountControl: 66048\npwdLastSet: 0\n", IM_LOG_ON_FINE}, /* the password never expires */
        {"lockoutTime: 134000000000000000\n", IM_LOG_ON_LOCKED},
        {"lockoutTime: 0\n", IM_LOG_ON_FINE},
        {"lockoutTime: 134000000000000000\nmsDS-User-Account-Control-Computed: 0\n", IM_LOG_ON_FINE}, /* the lock has passed */
        {"lockoutTime: 0\nmsDS-User-Account-Control-Computed: 16\n", IM_LOG_ON_LOCKED},
        {"accountExpires: 134000000000000000\n", IM_LOG_ON_EXPIRED},
        {"accountExpires: 0\n", IM_LOG_ON_FINE},
        {"accountExpires: 9223372036854775807\n", IM_LOG_ON_FINE},
        {"accountExpires: 135000000000000000\n", IM_LOG_ON_FINE}, /* 2028 */
        {"accountExpires: soon\n", IM_LOG_ON_UNKNOWN},
        {"", IM_LOG_ON_UNKNOWN},
        {"userAccountControl: 262656\npwdLastSet: 0\n", IM_LOG_ON_FINE}, /* a smart card has no password */
        {"pwdLastSet: 0\nmsDS-User-Account-Control-Computed: 8388608\n", IM_LOG_ON_MUST_CHANGE},
        {"pwdLastSet: 134000000000000000\nmsDS-User-Account-Control-Computed: 8388608\n", IM_LOG_ON_OLD_PASSWORD},
        {"pwdLastSet: 0\nmsDS-User-Account-Control-Computed: 0\n", IM_LOG_ON_FINE}, /* the server knows best */
        {"lockoutTime: 0\naccountExpires: 134000000000000000\npwdLastSet: 0\n", IM_LOG_ON_EXPIRED},
        {"pwdAccountLockedTime: 20261125090000Z\n", IM_LOG_ON_LOCKED},
    };
    struct world *w = world_from_text("directory: ad");
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_account a = decoded(w, rows[i].lines);
        if (a.log_on != rows[i].log_on)
            fail_msg("row %zu: %d", i, (int)a.log_on);
    }
    world_free(&w);
}

static void old_passwords_expire_where_the_domain_says_so(void **state) {
    (void)state;
    static const struct {
        const char *facts, *uac;
        bool expired;
    } rows[] = {
        {"max-password-age: 3628800", "512", true}, /* 42 days */
        {"max-password-age: 0", "512", false},
        {"max-password-age: 63072000", "512", false},
        {"max-password-age: 3628800", "66048", false},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct world *w = world_from_text(rows[i].facts);
        char lines[100];
        snprintf(lines, sizeof lines, "userAccountControl: %s\npwdLastSet: 134000000000000000\n", rows[i].uac);
        struct im_account a = decoded(w, lines);
        if ((a.log_on == IM_LOG_ON_OLD_PASSWORD) != rows[i].expired)
            fail_msg("row %zu", i);
        assert_int_equal(a.password_set, i == 1 ? 1755526400 : 0); /* without a policy somebody else must judge it */
        world_free(&w);
    }
}

static void a_logon_leaves_traces(void **state) {
    (void)state;
    static const struct {
        const char *facts, *lines;
        enum im_tri had_logon;
    } rows[] = {
        {"directory: ad", "pwdLastSet: 134000000000000000\n", IM_YES},
        {"directory: ad", "pwdLastSet: 0\nlastLogonTimestamp: 134000000000000000\n", IM_YES},
        {"directory: ad", "pwdLastSet: 0\n", IM_NO},
        {"directory: ad", "", IM_NO},
        {"directory: openldap", "", IM_UNKNOWN},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct world *w = world_from_text(rows[i].facts);
        if (decoded(w, rows[i].lines).had_logon != rows[i].had_logon)
            fail_msg("row %zu", i);
        world_free(&w);
    }
}

static void im_values_are_told_apart(void **state) {
    (void)state;
    struct world *w = world_from_text("directory: ad");
    struct im_account a = decoded(w, "msExchIMAddress: jdoe@im.corp.example\nmsExchIMMetaPhysicalURL: http://a/\n"
                                     "msExchIMPhysicalURL: http://b/\nmsExchIMACL:: BwA=\n"
                                     "msExchIMVirtualServer: " HOME_GUID ";<SID=0101>;CN=a\\,b,DC=x\n");
    assert_int_equal(a.im_count, 4);
    assert_true(a.has_opaque);
    assert_string_equal(a.address, "jdoe@im.corp.example");
    assert_string_equal(a.logical_url, "http://a/");
    assert_string_equal(a.physical_url, "http://b/");
    assert_string_equal(a.home, "CN=a\\,b,DC=x");
    assert_string_equal(a.home_guid, HOME_GUID);
    a = decoded(w, "msExchIMVirtualServer: CN=1\\0ADEL:0e1f2a3b-4c5d-4e6f-8a9b-0c1d2e3f4a5b,CN=Deleted Objects,DC=x\n");
    assert_null(a.home_guid);
    a = decoded(w, "msExchIMACL:: BwA=\n");
    assert_int_equal(a.im_count, 0); /* the privacy list alone enables nobody */
    assert_true(a.has_opaque);
    a = decoded(w, "");
    assert_null(a.home);
    assert_false(a.has_opaque);
    world_free(&w);
}

static bool lists(const char *const *names, const char *name) {
    for (; *names; names++) {
        if (im_text_equal(*names, name))
            return true;
    }
    return false;
}

static void everything_needed_is_asked_for_once(void **state) {
    (void)state;
    static const char *const needed[] = {"objectClass",
                                         "objectGUID",
                                         "entryUUID",
                                         "objectSid",
                                         "sIDHistory",
                                         "msExchIMACL",
                                         "msExchIMVirtualServer",
                                         "sAMAccountName",
                                         "uid",
                                         "mailNickname",
                                         "nsAccountLock",
                                         "pwdAccountLockedTime",
                                         "employeeID",
                                         "l",
                                         "title"};
    static const char *const templates[] = {"{attr:employeeID}.{attr:l}@{domain}", NULL, "{{{attr:Title}}}{attr:EMPLOYEEID}"};
    struct world *w = world_from_text("directory: ad");
    assert_int_equal(im_account_context_templates(&w->context, templates, LENGTH(templates), w->pool, NULL), IM_OK);
    assert_int_equal(w->context.extra_count, 3);
    w->context.is_check = false;
    const char *const *names = im_account_attributes(&w->context, NULL, w->pool);
    for (size_t i = 0; i < LENGTH(needed); i++) {
        if (!lists(names, needed[i]))
            fail_msg("%s is not asked for", needed[i]);
    }
    for (size_t i = 0; names[i]; i++) {
        if (lists(names + i + 1, names[i]))
            fail_msg("%s is asked for twice", names[i]);
    }
    assert_false(lists(names, "allowedAttributesEffective"));
    assert_false(lists(names, "proxyAddresses")); /* whoever looks for somebody by them asks for them */
    assert_true(lists(im_account_attributes(&w->context, "proxyAddresses", w->pool), "proxyAddresses"));
    assert_false(lists(names, "adminCount")); /* only imcheck looks at it */
    assert_false(lists(names, "msDS-User-Account-Control-Computed"));
    w->context.is_check = true;
    names = im_account_attributes(&w->context, NULL, w->pool);
    assert_true(lists(names, "adminCount"));
    assert_true(lists(names, "msDS-User-Account-Control-Computed"));
    w->context.asked_rights = true;
    assert_true(lists(im_account_attributes(&w->context, NULL, w->pool), "allowedAttributesEffective"));
    world_free(&w);
}

static void a_broken_template_is_an_error(void **state) {
    (void)state;
    static const char *const templates[] = {"{attr:a"};
    struct world *w = world_from_text("directory: ad");
    struct im_error e = {.code = IM_OK};
    assert_int_equal(im_account_context_templates(&w->context, templates, 1, w->pool, &e), IM_E_CONFIG);
    assert_mentions(e.text, "brace");
    assert_int_equal(w->context.extra_count, 0);
    world_free(&w);
}

/* ---- one reader for many entries ---- */

/* A row of what has a name and a place of its own, and of what has none. */
static const char *const lines[] = {
    "sAMAccountName: jdoe\n",
    "uid: other\n",
    "mailNickname: jane\n",
    "mail: jane@corp.example\n",
    "description: nothing\n",
    "userAccountControl: 514\n",
    "pwdLastSet: 0\n",
    "msExchIMAddress: jane@im.corp.example\n",
    "sIDHistory:: AQEAAAAAAAUS\n",
    "msExchIMMetaPhysicalURL: http://im.corp.example/instmsg/aliases/jane\n",
    "telephoneNumber: 1\n",
    "msExchIMVirtualServer: CN=1,DC=corp,DC=example\n",
};

static void assert_alike(const char *a, const char *b) {
    if (a && b) {
        assert_string_equal(a, b);
    } else {
        assert_true(a == b);
    }
}

static void assert_same_account(const struct world *w, const struct im_account *a, const struct im_account *b) {
    assert_alike(a->name, b->name);
    assert_alike(a->alias, b->alias);
    assert_alike(a->mail, b->mail);
    assert_alike(a->address, b->address);
    assert_alike(a->logical_url, b->logical_url);
    assert_alike(a->home, b->home);
    assert_alike(a->not_writable, b->not_writable);
    assert_int_equal(a->disabled, b->disabled);
    assert_int_equal(a->had_logon, b->had_logon);
    assert_int_equal(a->has_sid_history, b->has_sid_history);
    assert_int_equal(a->im_count, b->im_count);
    for (size_t i = 0; i < w->profile->attr_count; i++) {
        assert_ptr_equal(a->attrs[i], b->attrs[i]);
        if (a->attrs[i])
            assert_true(im_text_equal(a->attrs[i]->name, w->profile->attrs[i].name));
    }
}

/* The same numbers each time. */
static size_t below(uint64_t *seed, size_t most) {
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return (size_t)(*seed >> 33) % most;
}

/* Nearly all that is needed, among others. */
static void add_rights(const struct world *w, uint64_t *seed, struct im_buf *ldif) {
    for (size_t i = below(seed, 9); i > 0; i--)
        im_buf_addf(ldif, "allowedAttributesEffective: other-%zu\n", i);
    for (size_t i = 0; i < w->profile->attr_count; i++) {
        if (below(seed, 9))
            im_buf_addf(ldif, "allowedAttributesEffective: %s\n", w->profile->attrs[i].name);
        if (below(seed, 2))
            im_buf_addf(ldif, "allowedAttributesEffective: another-%zu\n", i);
    }
}

/* Some of the attributes, in some order, some of them spelled in some other way. */
static struct im_entry *shuffled(struct world *w, uint64_t *seed) {
    struct im_buf ldif = IM_BUF_INIT;
    size_t order[LENGTH(lines)] = {0};
    im_buf_adds(&ldif, HEAD);
    for (size_t i = 0; i < LENGTH(lines); i++) {
        size_t to = below(seed, i + 1);
        order[i] = order[to];
        order[to] = i;
    }
    for (size_t i = 0; i < LENGTH(lines); i++) {
        if (below(seed, 4))
            im_buf_adds(&ldif, lines[order[i]]);
    }
    add_rights(w, seed, &ldif);
    struct im_entry *entry = world_entry(w, im_buf_str(&ldif));
    for (size_t i = 0; i < entry->count; i++) {
        char *name = im_pool_strdup(w->pool, entry->attrs[i].name);
        if (below(seed, 3) == 0)
            *name = (char)(*name ^ ('a' ^ 'A'));
        entry->attrs[i].name = name;
    }
    im_buf_free(&ldif);
    return entry;
}

static void entries_are_read_in_any_order(void **state) {
    (void)state;
    enum { ROUNDS = 300 };
    size_t refused = 0;
    struct world *w = world_from_text("directory: ad");
    w->context.asked_rights = true;
    struct im_account_reader *reader = im_account_reader_new(&w->context, w->pool);
    uint64_t seed = 1;
    for (size_t i = 0; i < ROUNDS; i++) {
        const struct im_entry *entry = shuffled(w, &seed);
        struct im_account alone = world_account(w, entry);
        struct im_account account;
        assert_int_equal(im_account_decode(reader, entry, w->pool, &account, NULL), IM_OK);
        assert_same_account(w, &account, &alone);
        refused += account.not_writable != NULL;
    }
    assert_in_range(refused, 1, ROUNDS - 1);
    world_free(&w);
}

/* What no server should send. */
static void odd_entries_are_read(void **state) {
    (void)state;
    struct berval first[] = {VALUE("jane@corp.example")};
    struct berval second[] = {VALUE("other@corp.example")};
    struct im_attr attrs[] = {
        {.name = "sn"}, {.name = "mail", .values = first, .count = 1}, {.name = "MAIL", .values = second, .count = 1}};
    const struct im_entry entry = {.dn = "CN=Jane", .attrs = attrs, .count = LENGTH(attrs)};
    const struct im_entry empty = {.dn = "CN=Jane"};
    struct world *w = world_from_text("directory: ad");
    struct im_account a = world_account(w, &entry);
    assert_string_equal(a.mail, "jane@corp.example");
    assert_null(a.sn); /* without values it is absent */
    a = world_account(w, &empty);
    assert_null(a.mail);
    assert_int_equal(a.im_count, 0);
    world_free(&w);
}

struct attempt {
    struct world *world;
    size_t filled; /* of the pool's first block */
};

static enum im_err note_once(void *user, struct im_error *e) {
    const struct attempt *t = user;
    static const char *const templates[] = {"{attr:employeeID}@{domain}"};
    struct im_account_context context = t->world->context;
    struct im_pool *pool = im_pool_new();
    if (!pool || !im_pool_alloc(pool, t->filled)) {
        im_pool_free(&pool);
        return im_error_nomem(e);
    }
    enum im_err err = im_account_context_templates(&context, templates, 1, pool, e);
    if (err == IM_OK)
        assert_int_equal(context.extra_count, 1);
    im_pool_free(&pool);
    return err;
}

/* Wherever the pool's block ends: a name that was lost would be an attribute that is never read. */
static void without_memory_no_name_is_lost(void **state) {
    (void)state;
    struct attempt t = {.world = world_from_text("directory: ad")};
    for (t.filled = 8; t.filled <= 4200; t.filled += 8)
        oom_every_allocation(note_once, &t);
    world_free(&t.world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_come_from_the_first_source_that_has_one),
        cmocka_unit_test(the_state_is_read_from_what_the_directory_has),
        cmocka_unit_test(master_sids_survive_anything),
        cmocka_unit_test(what_keeps_from_logging_on_is_said),
        cmocka_unit_test(old_passwords_expire_where_the_domain_says_so),
        cmocka_unit_test(a_logon_leaves_traces),
        cmocka_unit_test(im_values_are_told_apart),
        cmocka_unit_test(everything_needed_is_asked_for_once),
        cmocka_unit_test(entries_are_read_in_any_order),
        cmocka_unit_test(odd_entries_are_read),
        cmocka_unit_test(a_broken_template_is_an_error),
        cmocka_unit_test(without_memory_no_name_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
