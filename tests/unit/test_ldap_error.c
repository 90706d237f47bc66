#include "lib/directory/ldap_error.h"

#include "lib/directory/directory.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static void check(int code, const char *diagnostic, const char *words) {
    struct im_buf out = IM_BUF_INIT;
    im_ldap_explain(code, diagnostic, &out);
    if (!strstr(im_buf_str(&out), words))
        fail_msg("%d \"%s\": \"%s\" does not mention \"%s\"", code, diagnostic ? diagnostic : "", im_buf_str(&out), words);
    im_buf_free(&out);
}

static void test_codes(void **state) {
    (void)state;
    check(0, NULL, "done");
    check(8, "", "protected connection");
    check(17, NULL, "run imschema");
    check(32, "", "does not exist");
    check(49, NULL, "wrong password");
    check(50, "", "no right");
    check(122, "", "not any more");
    check(4711, "", "4711");
    check(-1, "", "not in the standard");
}

/* Texts as servers send them. */
static void test_data_of_a_bind(void **state) {
    (void)state;
    static const struct {
        const char *data, *words;
    } rows[] = {
        {"525", "does not exist"},      {"52e", "wrong password"},       {"530", "this time"},
        {"531", "this computer"},       {"532", "password has expired"}, {"533", "disabled"},
        {"701", "account has expired"}, {"773", "must be changed"},      {"775", "locked"},
        {"35b", "channel binding"},     {"fff", "wrong password"}, /* not known: the code's own words */
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char text[128];
        (void)snprintf(text, sizeof text,
                       "80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data %s, v3839", rows[i].data);
        check(49, text, rows[i].words);
    }
    check(49, "80090346: LdapErr: DSID-0C090569, comment: AcceptSecurityContext error, data 57, v4563", "channel binding");
}

static void test_codes_of_windows(void **state) {
    (void)state;
    check(16, "00002085: AtrErr: DSID-03151813, #1: 0: 00002085: DSID-03151813, problem 1001 (NO_ATTRIBUTE_OR_VAL), data 0, Att",
          "not there any more");
    check(53, "00002077: SvcErr: DSID-031903A0, problem 5003 (WILL_NOT_PERFORM), data 0", "refuses");
    check(50, "00002098: SecErr: DSID-03150F93, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0", "no right");
    check(19, "000021C8: AtrErr: DSID-03200EA4, #1:", "user principal name is in use");
    check(8, "00002028: LdapErr: DSID-0C090259, comment: The server requires binds to turn on integrity checking, data 0",
          "signing");
    check(51, "0000200E: SvcErr: DSID-020A06D7, problem 5001 (BUSY), data 0", "busy");
}

/* "data" of another result, short numbers and words that look like hex are no codes. */
static void test_texts_that_mean_nothing(void **state) {
    (void)state;
    check(53, "no write data 533 today", "refuses");
    check(50, "deadbeef is not allowed", "no right");
    check(68, "2071: short", "exists already");
    check(49, "data ", "wrong password");
    check(1, "00000000: nothing", "could not carry");
}

static void test_names(void **state) {
    (void)state;
    assert_string_equal(im_ldap_code_name(0), "success");
    assert_string_equal(im_ldap_code_name(50), "insufficientAccessRights");
    assert_string_equal(im_ldap_code_name(122), "assertionFailed");
    assert_string_equal(im_ldap_code_name(9999), "other");
    assert_string_equal(im_ldap_code_name(-1), "other");
}

static void test_answer_as_error(void **state) {
    (void)state;
    static const struct {
        int code;
        enum im_err err;
    } rows[] = {{3, IM_E_TRUNCATED}, {4, IM_E_TRUNCATED},  {10, IM_E_TRUNCATED}, {11, IM_E_TRUNCATED}, {16, IM_E_CONFLICT},
                {20, IM_E_CONFLICT}, {32, IM_E_NOT_FOUND}, {122, IM_E_CONFLICT}, {53, IM_E_SERVER},    {51, IM_E_SERVER}};
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_error e = {.code = IM_OK};
        struct im_answer answer = {.code = rows[i].code, .diagnostic = "its own words"};
        assert_int_equal(im_ldap_answer_error(&answer, "CN=x", "changing the entry", &e), rows[i].err);
        assert_int_equal(e.origin, IM_ORIGIN_LDAP);
        assert_int_equal(e.system, rows[i].code);
        assert_string_equal(e.where, "CN=x");
        assert_mentions(e.text, "changing the entry: ");
        assert_mentions(e.text, "its own words");
        assert_mentions(e.text, im_ldap_code_name(rows[i].code));
    }
    struct im_answer answer = {.code = 50, .diagnostic = ""};
    assert_int_equal(im_ldap_answer_error(&answer, "CN=x", "trying", NULL), IM_E_SERVER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_data_of_a_bind),
        cmocka_unit_test(test_codes_of_windows),
        cmocka_unit_test(test_texts_that_mean_nothing),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_answer_as_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
