/* Filters on entries: the three values, how values are compared, and what they have in common. */
#include "lib/base/text.h"
#include "lib/data/filter_match.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#define GUID "\x0c\x9f\x1e\x4f\x00\x00\x00\x40\x80\x00\x01\x23\x45\x67\x89\xab"
#define SID "\x01\x02\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00\x20\x02\x00\x00" /* S-1-5-32-544 */

static struct berval classes[2], names[1], display[2], uac[1], manager[1], guids[1], sids[1], category[1], exact[1];
static struct im_attr attrs[] = {
    {"objectClass", classes, 2}, {"sAMAccountName", names, 1}, {"displayName", display, 2}, {"userAccountControl", uac, 1},
    {"manager", manager, 1},     {"objectGUID", guids, 1},     {"objectSid", sids, 1},      {"objectCategory", category, 1},
    {"exact", exact, 1},         {"ruleless", exact, 1},
};
static const struct im_entry entry = {.dn = "CN=a", .attrs = attrs, .count = LENGTH(attrs)};

static enum im_match_kind kind_of(const void *user, const char *attribute) {
    static const struct {
        const char *name;
        enum im_match_kind kind;
    } kinds[] = {{"objectGUID", IM_MATCH_GUID},
                 {"objectSid", IM_MATCH_SID},
                 {"userAccountControl", IM_MATCH_INTEGER},
                 {"objectCategory", IM_MATCH_CATEGORY},
                 {"exact", IM_MATCH_EXACT},
                 {"ruleless", IM_MATCH_NONE},
                 {"manager", IM_MATCH_DN},
                 {"displayName", IM_MATCH_TEXT}};
    (void)user;
    for (size_t i = 0; i < LENGTH(kinds); i++) {
        if (im_text_equal(kinds[i].name, attribute))
            return kinds[i].kind;
    }
    return IM_MATCH_LOOSE;
}

static const struct im_matching matching = {.kind = kind_of};

static void set_values(void) {
    classes[0] = VALUE("top");
    classes[1] = VALUE("user");
    names[0] = VALUE("jdoe1");
    display[0] = VALUE("M\xc3\xbcller*");
    display[1] = VALUE("Doe, Jane (CEO)");
    uac[0] = VALUE("514");
    manager[0] = VALUE("CN=Big  Boss , DC=corp");
    guids[0] = VALUE(GUID);
    sids[0] = VALUE(SID);
    category[0] = VALUE("CN=Person,CN=Schema,CN=Configuration,DC=corp,DC=exam");
    exact[0] = VALUE("AbCd");
}

static enum im_truth ask(const char *filter) {
    struct im_pool *pool = im_pool_new();
    struct im_matcher *m = NULL;
    struct im_error e = {.code = IM_OK};
    enum im_truth truth = IM_UNDEFINED;
    if (im_matcher_new(filter, &matching, pool, &m, &e) != IM_OK)
        fail_msg("%s: %s", filter, e.text);
    assert_int_equal(im_matcher_ask(m, &entry, &truth, &e), IM_OK);
    im_matcher_free(&m);
    im_pool_free(&pool);
    return truth;
}

struct row {
    const char *filter;
    enum im_truth truth;
};

static void assert_rows(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        enum im_truth truth = ask(rows[i].filter);
        if (truth != rows[i].truth)
            fail_msg("%s gives %d, not %d", rows[i].filter, truth, rows[i].truth);
    }
}

static void values_are_compared_as_their_kind_is(void **state) {
    static const struct row rows[] = {
        {"(samaccountname=JDOE1)", IM_TRUE},
        {"(sAMAccountName=jdoe)", IM_FALSE},
        {"(sAMAccountName;lang-de=jdoe1)", IM_TRUE},
        {"(missing=x)", IM_FALSE},
        {"(displayName=m\xc3\x9cLLER\\2a)", IM_TRUE},
        {"(displayName=Mu\xcc\x88ller\\2A)", IM_TRUE}, /* decomposed */
        {"(displayName=doe, jane \\28ceo\\29)", IM_TRUE},
        {"(userAccountControl=0514)", IM_TRUE},
        {"(userAccountControl=x)", IM_UNDEFINED},
        {"(manager=cn=big boss,dc=CORP)", IM_TRUE},
        {"(manager=<GUID=4f1e9f0c-0000-4000-8000-0123456789ab>;CN=Big Boss,DC=corp)", IM_TRUE},
        {"(manager=cn=big boss)", IM_FALSE},
        {"(objectGUID=\\0c\\9f\\1e\\4f\\00\\00\\00\\40\\80\\00\\01\\23\\45\\67\\89\\ab)", IM_TRUE},
        {"(objectGUID=4f1e9f0c-0000-4000-8000-0123456789ab)", IM_TRUE},
        {"(objectGUID=4f1e9f0c-0000-4000-8000-0123456789ac)", IM_FALSE},
        {"(objectSid=S-1-5-32-544)", IM_TRUE},
        {"(objectSid=S-1-5-32-545)", IM_FALSE},
        {"(objectCategory=person)", IM_TRUE},
        {"(objectCategory=user)", IM_TRUE},
        {"(objectCategory=computer)", IM_FALSE},
        {"(objectCategory=cn=person,cn=schema,cn=configuration,dc=corp,dc=exam)", IM_TRUE},
        {"(exact=AbCd)", IM_TRUE},
        {"(exact=abcd)", IM_FALSE},
        {"(ruleless=AbCd)", IM_UNDEFINED},
        {"(ruleless=A*)", IM_UNDEFINED},
        {"(ruleless=*)", IM_TRUE},
        {"(sAMAccountName~=JDOE1)", IM_TRUE},
    };
    (void)state;
    assert_rows(rows, LENGTH(rows));
}

static void parts_stand_in_their_order(void **state) {
    static const struct row rows[] = {
        {"(sAMAccountName=*)", IM_TRUE},
        {"(sAMAccountName=J*)", IM_TRUE},
        {"(sAMAccountName=*E1)", IM_TRUE},
        {"(sAMAccountName=*d*)", IM_TRUE},
        {"(sAMAccountName=j*o*1)", IM_TRUE},
        {"(sAMAccountName=j*1*o)", IM_FALSE},
        {"(sAMAccountName=doe*)", IM_FALSE},
        {"(sAMAccountName=*doe)", IM_FALSE},
        {"(sAMAccountName=jdoe*oe1)", IM_FALSE},
        {"(sAMAccountName=jdoe1*)", IM_TRUE},
        {"(sAMAccountName=*jdoe1*)", IM_TRUE},
        {"(sAMAccountName=jdoe1*jdoe1)", IM_FALSE},
        {"(displayName=*\xc3\x9cller*)", IM_TRUE},
        {"(displayName=*\\2a)", IM_TRUE},
        {"(exact=A*d)", IM_TRUE},
        {"(exact=a*d)", IM_FALSE},
    };
    (void)state;
    assert_rows(rows, LENGTH(rows));
}

static void order_is_of_numbers_where_both_are(void **state) {
    static const struct row rows[] = {
        {"(userAccountControl>=99)", IM_TRUE},  {"(userAccountControl>=514)", IM_TRUE}, {"(userAccountControl>=515)", IM_FALSE},
        {"(userAccountControl<=514)", IM_TRUE}, {"(userAccountControl<=99)", IM_FALSE}, {"(sAMAccountName>=jdoe0)", IM_TRUE},
        {"(sAMAccountName<=JDOE)", IM_FALSE},   {"(sAMAccountName<=JDOE11)", IM_TRUE},  {"(missing>=0)", IM_FALSE},
    };
    (void)state;
    assert_rows(rows, LENGTH(rows));
}

static void rules_are_known_by_name_and_number(void **state) {
    static const struct row rows[] = {
        {"(userAccountControl:1.2.840.113556.1.4.803:=2)", IM_TRUE},
        {"(userAccountControl:1.2.840.113556.1.4.803:=3)", IM_FALSE},
        {"(userAccountControl:1.2.840.113556.1.4.804:=3)", IM_TRUE},
        {"(userAccountControl:1.2.840.113556.1.4.804:=1)", IM_FALSE},
        {"(userAccountControl:integerBitAndMatch:=514)", IM_TRUE},
        {"(userAccountControl:1.2.840.113556.1.4.803:=x)", IM_UNDEFINED},
        {"(displayName:1.2.840.113556.1.4.803:=2)", IM_FALSE},
        {"(ruleless:caseIgnoreMatch:=ABCD)", IM_TRUE},
        {"(ruleless:2.5.13.2:=ABCD)", IM_TRUE},
        {"(ruleless:caseExactMatch:=ABCD)", IM_FALSE},
        {"(ruleless:caseExactIA5Match:=AbCd)", IM_TRUE},
        {"(manager:distinguishedNameMatch:=CN=BIG BOSS,dc=corp)", IM_TRUE},
        {"(sAMAccountName:=JDOE1)", IM_TRUE},
        {"(manager:1.2.840.113556.1.4.1941:=cn=x)", IM_UNDEFINED},
        {"(sAMAccountName:dn:=jdoe1)", IM_UNDEFINED},
        {"(:caseIgnoreMatch:=jdoe1)", IM_UNDEFINED},
    };
    (void)state;
    assert_rows(rows, LENGTH(rows));
}

/* RFC 4511 section 4.5.1.7; U is (ruleless=x), T and F are what they say. */
static void three_values_are_joined_as_the_protocol_says(void **state) {
    static const struct row rows[] = {
        {"(&(sn=*)(ruleless=x))", IM_FALSE},
        {"(&(objectClass=*)(ruleless=x))", IM_UNDEFINED},
        {"(&(objectClass=user)(sAMAccountName=jdoe1))", IM_TRUE},
        {"(|(objectClass=user)(ruleless=x))", IM_TRUE},
        {"(|(ruleless=x)(objectClass=user))", IM_TRUE},
        {"(|(sn=*)(ruleless=x))", IM_UNDEFINED},
        {"(|(sn=*)(sn=x))", IM_FALSE},
        {"(!(ruleless=x))", IM_UNDEFINED},
        {"(!(sn=*))", IM_TRUE},
        {"(!(objectClass=user))", IM_FALSE},
        {"(&(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))", IM_FALSE},
        {"(|(&(sn=a)(cn=b))(&(objectClass=top)(|(sn=c)(sAMAccountName=jdoe1))))", IM_TRUE},
    };
    (void)state;
    assert_rows(rows, LENGTH(rows));
}

static void what_cannot_be_known_is_named(void **state) {
    struct im_pool *pool = im_pool_new();
    struct im_matcher *m = NULL;
    struct im_error e = {.code = IM_OK};
    (void)state;
    assert_int_equal(im_matcher_new("(|(cn=a)(member:1.2.840.113556.1.4.1941:=CN=g))", NULL, pool, &m, &e), IM_OK);
    assert_string_equal(im_matcher_unknown(m), "(member:1.2.840.113556.1.4.1941:=CN=g)");
    assert_int_equal(im_matcher_new("(cn=a)", NULL, pool, &m, &e), IM_OK);
    assert_null(im_matcher_unknown(m));
    assert_int_equal(im_matcher_new("(cn=a", NULL, pool, &m, &e), IM_E_USAGE);
    im_pool_free(&pool);
}

static void alternatives_are_only_equalities(void **state) {
    static const struct {
        const char *filter;
        size_t count;
    } rows[] = {
        {"(cn=a)", 1},
        {"(|(cn=a)(mail=b)(cn:caseExactMatch:=c))", 3},
        {"(|(cn=a)(mail=*))", 0},
        {"(|(cn=a)(|(cn=b)(cn=c)))", 0},
        {"(&(cn=a))", 0},
        {"(!(cn=a))", 0},
        {"(cn>=a)", 0},
        {"(|(cn=a)(ruleless=b))", 0},
    };
    struct im_pool *pool = im_pool_new();
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_matcher *m = NULL;
        size_t count = 99;
        assert_int_equal(im_matcher_new(rows[i].filter, &matching, pool, &m, NULL), IM_OK);
        const struct im_match_term *terms = im_matcher_alternatives(m, &count);
        if (count != rows[i].count || (terms != NULL) != (count > 0))
            fail_msg("%s has %zu alternatives", rows[i].filter, count);
    }
    im_pool_free(&pool);
}

/* What the hash index rests on: a term is true where, and only where, the keys are the same. */
static void equal_values_have_one_key(void **state) {
    static const char *const texts[] = {"a",         "A",          "K",      "\xe2\x84\xaa" /* Kelvin */,
                                        "cn=a,dc=b", "CN=A, DC=b", "cn = a", "=",
                                        "1",         "01",         "-1",     "\xc3\x84",
                                        "A\xcc\x88", "\xff",       "",       "http://x/?a=b",
                                        "user",      "Person",     "a-b",    "cn=a-b,dc=c",
                                        "cn=ab",     "a\\2cb"};
    struct im_pool *pool = im_pool_new();
    struct im_buf filter = IM_BUF_INIT;
    (void)state;
    for (size_t a = 0; a < LENGTH(attrs); a++) {
        enum im_match_kind kind = kind_of(NULL, attrs[a].name);
        for (size_t i = 0; kind != IM_MATCH_NONE && i < LENGTH(texts); i++) {
            im_buf_clear(&filter);
            im_buf_addf(&filter, "(%s=", attrs[a].name);
            for (const char *c = texts[i]; *c; c++)
                im_buf_addf(&filter, "\\%02x", (unsigned)(unsigned char)*c);
            im_buf_addc(&filter, ')');
            for (size_t k = 0; k < LENGTH(texts); k++) {
                struct berval value = value_of(texts[k], strlen(texts[k]));
                struct im_attr attr = {.name = attrs[a].name, .values = &value, .count = 1};
                const struct im_entry one = {.dn = "cn=x", .attrs = &attr, .count = 1};
                struct im_matcher *m = NULL;
                struct im_buf key = IM_BUF_INIT;
                enum im_truth truth;
                size_t count;
                assert_int_equal(im_matcher_new(im_buf_str(&filter), &matching, pool, &m, NULL), IM_OK);
                assert_int_equal(im_matcher_ask(m, &one, &truth, NULL), IM_OK);
                const struct im_match_term *term = im_matcher_alternatives(m, &count);
                im_match_key(kind, &value, &key);
                assert_true(key.len == value.bv_len || !im_match_keeps_length(kind, &value));
                const struct berval has = im_buf_value(&key);
                if (truth != IM_UNDEFINED && (truth == IM_TRUE) != im_value_equal(&has, &term->key))
                    fail_msg("%s and %s: %d", im_buf_str(&filter), texts[k], truth);
                im_buf_free(&key);
                im_matcher_free(&m);
            }
        }
    }
    im_buf_free(&filter);
    im_pool_free(&pool);
}

static enum im_err make_and_ask(void *user, struct im_error *e) {
    struct im_pool *pool = im_pool_new();
    struct im_matcher *m = NULL;
    enum im_truth truth = IM_FALSE;
    enum im_err err = pool ? im_matcher_new(user, &matching, pool, &m, e) : im_error_nomem(e);
    if (err == IM_OK)
        err = im_matcher_ask(m, &entry, &truth, e);
    if (err == IM_OK)
        assert_int_equal(truth, IM_TRUE);
    im_matcher_free(&m);
    im_pool_free(&pool);
    return err;
}

static void running_out_of_memory_is_told(void **state) {
    static char filter[] = "(&(objectGUID=4f1e9f0c-0000-4000-8000-0123456789ab)(|(displayName=Mu\xcc\x88ller\\2a)(manager=cn=x))"
                           "(manager=cn=big boss,dc=corp)(displayName=*\xc3\x9cll*)(sAMAccountName>=a)(objectCategory=person))";
    (void)state;
    assert_true(oom_every_allocation(make_and_ask, filter) > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_compared_as_their_kind_is),
        cmocka_unit_test(parts_stand_in_their_order),
        cmocka_unit_test(order_is_of_numbers_where_both_are),
        cmocka_unit_test(rules_are_known_by_name_and_number),
        cmocka_unit_test(three_values_are_joined_as_the_protocol_says),
        cmocka_unit_test(what_cannot_be_known_is_named),
        cmocka_unit_test(alternatives_are_only_equalities),
        cmocka_unit_test(equal_values_have_one_key),
        cmocka_unit_test(running_out_of_memory_is_told),
    };
    set_values();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
