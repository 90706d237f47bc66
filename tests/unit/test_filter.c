/* Search filters as people type them: what is completed, what is refused and where. */
#include "lib/base/buf.h"
#include "lib/data/filter.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

static struct im_pool *pool;

static int set_up(void **state) {
    (void)state;
    pool = im_pool_new();
    return pool ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    im_pool_free(&pool);
    return 0;
}

static void good_filters_are_completed(void **state) {
    (void)state;
    static const struct {
        const char *text, *sent;
    } rows[] = {
        {"(cn=a)", "(cn=a)"},
        {" \t(cn=a)\n", "(cn=a)"},
        {"cn=a", "(cn=a)"},
        {"cn=a b ", "(cn=a b)"},
        {"&(cn=a)(sn=b)", "(&(cn=a)(sn=b))"},
        {"!(cn=a)", "(!(cn=a))"},
        {"( & (cn=a)\n  ( | (sn=b) (!(c=d)) ) )", "(&(cn=a)(|(sn=b)(!(c=d))))"},
        {"(cn=)", "(cn=)"},
        {"(cn=*)", "(cn=*)"},
        {"(cn=a*b*c)", "(cn=a*b*c)"},
        {"(cn=M\xc3\xbcller)", "(cn=M\xc3\xbcller)"},
        {"(cn=\\28x\\29)", "(cn=\\28x\\29)"},
        {"(cn=a=b&c)", "(cn=a=b&c)"},
        {"(cn>=a)", "(cn>=a)"},
        {"(cn<=a)", "(cn<=a)"},
        {"(cn~=a)", "(cn~=a)"},
        {"(cn;lang-de=a)", "(cn;lang-de=a)"},
        {"(2.5.4.3=a)", "(2.5.4.3=a)"},
        {"(userAccountControl:1.2.840.113556.1.4.803:=2)", "(userAccountControl:1.2.840.113556.1.4.803:=2)"},
        {"(cn:dn:2.4.6.8.10:=a)", "(cn:dn:2.4.6.8.10:=a)"},
        {"(cn:dn:=a)", "(cn:dn:=a)"},
        {"(cn:=a)", "(cn:=a)"},
        {"(:caseExactMatch:=a)", "(:caseExactMatch:=a)"},
        {"(:dn:2.5.13.5:=a)", "(:dn:2.5.13.5:=a)"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_error e = {0};
        struct im_filter filter;
        if (im_filter_parse(rows[i].text, pool, &filter, &e) != IM_OK)
            fail_msg("%s: %s", rows[i].text, e.text);
        assert_string_equal(filter.text, rows[i].sent);
    }
}

static void wrong_filters_are_refused_with_the_place(void **state) {
    (void)state;
    static const struct {
        const char *text, *place, *word;
    } rows[] = {
        {"", "", "empty"},
        {" \n", "", "empty"},
        {"(", "character 2:", "ends here"},
        {"()", "character 2:", "name of an attribute"},
        {"(cn)", "character 4:", "\"=\""},
        {"jdoe", "character 5:", "\"=\""},
        {"(cn=a", "character 1:", "not closed"},
        {"(&(cn=a)", "character 1:", "not closed"},
        {"(cn=a))", "character 7:", "no \"(\""},
        {"cn=a)", "character 5:", "no \"(\""},
        {"(cn=a)(cn=b)", "character 7:", "join"},
        {"(cn=M\xc3\xbcller)(cn=b)", "character 12:", "join"},
        {"(&)", "character 3:", "expected a condition"},
        {"(|)", "character 3:", "expected a condition"},
        {"(!)", "character 3:", "expected a condition"},
        {"(!(cn=a)(cn=b))", "character 9:", "one condition"},
        {"(&cn=a)", "character 3:", "expected a condition"},
        {"(&(cn=a)sn=b)", "character 9:", "expected"},
        {"(cn=a(b)", "character 6:", "\\28"},
        {"(cn>=a*)", "character 7:", "\\2a"},
        {"(cn:=a*)", "character 7:", "\\2a"},
        {"(cn=a**b)", "character 7:", "two"},
        {"(manager=CN=Doe\\, Jane)", "character 16:", "\\5c"},
        {"(cn=a\\4)", "character 6:", "\\5c"},
        {"(cn=a\\", "character 6:", "\\5c"},
        {"(cn =a)", "character 4:", "blank"},
        {"(c_n=a)", "character 3:", "\"=\""},
        {"(2.5..4=a)", "character 2:", "name"},
        {"(cn;=a)", "character 2:", "name"},
        {"(:=a)", "character 2:", "name"},
        {"(:dn:=a)", "character 5:", "name"},
        {"(cn:caseExactMatch=a)", "character 19:", ":="},
        {"(cn::=a)", "character 5:", "matching rule"},
        {"(cn!=a)", "character 4:", "\"=\""},
        {"(cn=\xff)", "", "UTF-8"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_error e = {0};
        struct im_filter filter;
        if (im_filter_parse(rows[i].text, pool, &filter, &e) != IM_E_USAGE)
            fail_msg("\"%s\" was accepted", rows[i].text);
        assert_mentions(e.text, rows[i].place);
        assert_mentions(e.text, rows[i].word);
    }
}

static void deep_nesting_ends(void **state) {
    (void)state;
    struct im_error e = {0};
    struct im_filter filter;
    struct im_buf text = {0};
    for (size_t i = 0; i < 2000; i++)
        im_buf_adds(&text, "(!");
    assert_int_equal(im_filter_parse(im_buf_str(&text), pool, &filter, &e), IM_E_USAGE);
    assert_mentions(e.text, "nested");
    im_buf_free(&text);
}

static void attributes_are_listed_once(void **state) {
    (void)state;
    struct im_error e = {0};
    struct im_filter filter;
    static const char text[] = "(&(cn=a)(CN;lang-de=b)(|(sn:dn:=c)(:caseExactMatch:=x)(1.2.3>=4)))";
    assert_int_equal(im_filter_parse(text, pool, &filter, &e), IM_OK);
    assert_int_equal(filter.attribute_count, 3);
    assert_string_equal(filter.attributes[0], "cn");
    assert_string_equal(filter.attributes[1], "sn");
    assert_string_equal(filter.attributes[2], "1.2.3");
}

static enum im_err parse_once(void *user, struct im_error *e) {
    struct im_filter filter;
    struct im_pool *own = im_pool_new();
    (void)user;
    enum im_err err = own ? im_filter_parse("(&(cn=a)(sn=b))", own, &filter, e) : im_error_nomem(e);
    im_pool_free(&own);
    return err;
}

static void without_memory_it_says_so(void **state) {
    (void)state;
    assert_true(oom_every_allocation(parse_once, NULL) > 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(good_filters_are_completed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_filters_are_refused_with_the_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deep_nesting_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(attributes_are_listed_once, set_up, tear_down),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
