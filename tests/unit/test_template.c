/* Templates: {variables}, doubled braces, escaping by where the value goes. */
#include "lib/data/template.h"
#include "tests/unit/unit.h"

static const char *const names[] = {"alias", "domain", "home"};

static void assert_checks(const char *text) {
    struct im_error e = {0};
    if (im_template_check(text, names, LENGTH(names), &e) != IM_OK)
        fail_msg("\"%s\": %s", text, e.text);
}

static void good_templates_pass(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",         "plain", "{alias}@{domain}", "{attr:sAMAccountName}", "{attr:x-y;binary}", "{{literal}}", "{{{alias}}}",
        "ä{home}ö", "}}{{",
    };
    for (size_t i = 0; i < LENGTH(texts); i++)
        assert_checks(texts[i]);
}

static void wrong_templates_are_refused_with_their_column(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t column;
        const char *word;
    } rows[] = {
        {"{alias", 1, "brace"},
        {"x{", 2, "brace"},
        {"alias}", 6, "brace"},
        {"{}", 1, "brace"},
        {"{{}", 3, "brace"},
        {"{alais}", 1, "{alias}?"},
        {"ää{domian}", 3, "{domain}?"},
        {"{alias}{wrong-thing}", 8, "{home}"},
        {"{ALIAS}", 1, "{alias}?"},
        {"{alias }", 1, "{alias}?"},
        {"{attr:}", 1, "{attr:NAME}"},
        {"{a{alias}", 1, "unknown variable"},
        {"{0123456789012345678901234567890123456789012345678901234567890123456789}", 1, "brace"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_error e = {0};
        if (im_template_check(rows[i].text, names, LENGTH(names), &e) != IM_E_CONFIG)
            fail_msg("\"%s\" was accepted", rows[i].text);
        assert_mentions(e.text, rows[i].word);
        assert_int_equal(e.column, rows[i].column);
    }
}

static const char *lookup(void *user, const char *variable) {
    (void)user;
    static const char *const values[][2] = {
        {"alias", "Jörg/M #1"}, {"domain", "im.example"}, {"attr:cn", "Müller, J"}, {"empty", ""}, {"brace", "{alias}"},
    };
    for (size_t i = 0; i < LENGTH(values); i++) {
        if (strcmp(values[i][0], variable) == 0)
            return values[i][1];
    }
    return NULL;
}

static void assert_expands(const char *text, enum im_template_context context, const char *expect) {
    struct im_buf out = IM_BUF_INIT;
    struct im_error e = {0};
    if (im_template_expand(text, context, lookup, NULL, &out, &e) != IM_OK)
        fail_msg("\"%s\": %s", text, e.text);
    assert_string_equal(im_buf_str(&out), expect);
    im_buf_free(&out);
}

static void values_are_escaped_for_their_place(void **state) {
    (void)state;
    assert_expands("{alias}@{domain}", IM_TEMPLATE_PLAIN, "Jörg/M #1@im.example");
    assert_expands("http://{domain}/aliases/{alias}", IM_TEMPLATE_URL, "http://im.example/aliases/J%C3%B6rg%2FM%20%231");
    assert_expands("CN={attr:cn},DC=x", IM_TEMPLATE_DN, "CN=Müller\\, J,DC=x");
    assert_expands("{{{domain}}}", IM_TEMPLATE_PLAIN, "{im.example}");
    assert_expands("", IM_TEMPLATE_PLAIN, "");
    assert_expands("{brace}", IM_TEMPLATE_PLAIN, "{alias}"); /* a value is not a template */
    assert_expands("{brace}", IM_TEMPLATE_URL, "%7Balias%7D");
}

static void a_missing_value_leaves_nothing_behind(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum im_err code;
        const char *word;
    } rows[] = {
        {"a{alias}{unset}b", IM_E_INPUT, "{unset}"},
        {"a{empty}", IM_E_INPUT, "{empty}"},
        {"{attr:nothing}", IM_E_INPUT, "{attr:nothing}"},
        {"{alias}{", IM_E_CONFIG, "column 8"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_buf out = IM_BUF_INIT;
        struct im_error e = {0};
        im_buf_adds(&out, "kept");
        assert_int_equal(im_template_expand(rows[i].text, IM_TEMPLATE_PLAIN, lookup, NULL, &out, &e), rows[i].code);
        assert_mentions(e.text, rows[i].word);
        assert_string_equal(im_buf_str(&out), "kept");
        im_buf_free(&out);
    }
}

static void use_of_a_variable_is_known(void **state) {
    (void)state;
    assert_true(im_template_uses("x{alias}", "alias"));
    assert_true(im_template_uses("{attr:cn}", "attr:cn"));
    assert_false(im_template_uses("{alias}", "alia"));
    assert_false(im_template_uses("{{alias}}", "alias"));
    assert_false(im_template_uses("alias", "alias"));
    assert_false(im_template_uses("{alias", "alias"));
    assert_false(im_template_uses("", "alias"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_templates_pass),
        cmocka_unit_test(wrong_templates_are_refused_with_their_column),
        cmocka_unit_test(values_are_escaped_for_their_place),
        cmocka_unit_test(a_missing_value_leaves_nothing_behind),
        cmocka_unit_test(use_of_a_variable_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
