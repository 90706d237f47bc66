/* Errors: the first wins, the words fit, and each code has its row. */
#include "lib/base/error.h"
#include "tests/unit/unit.h"

#include <errno.h>

static void the_first_error_wins(void **state) {
    (void)state;
    struct im_error e = {0};
    assert_int_equal(im_error_set(&e, IM_E_TLS, "no certificate for %s", "dc1"), IM_E_TLS);
    assert_int_equal(im_error_set(&e, IM_E_IO, "clean-up failed as well"), IM_E_IO);
    assert_int_equal(e.code, IM_E_TLS);
    assert_string_equal(e.text, "no certificate for dc1");
    im_error_clear(&e);
    assert_int_equal(e.code, IM_OK);
    assert_int_equal(im_error_set(&e, IM_E_IO, "now it counts"), IM_E_IO);
    assert_string_equal(e.text, "now it counts");
}

static void null_is_allowed(void **state) {
    (void)state;
    assert_int_equal(im_error_set(NULL, IM_E_AUTH, "x"), IM_E_AUTH);
    assert_int_equal(im_error_set_errno(NULL, IM_E_IO, ENOENT, "x"), IM_E_IO);
    assert_int_equal(im_error_set_at(NULL, IM_E_INPUT, "f", 1, 1, "x"), IM_E_INPUT);
    assert_int_equal(im_error_nomem(NULL), IM_E_NOMEM);
    assert_int_equal(im_error_where(NULL, "f"), IM_OK);
    im_error_context(NULL, "x");
    im_error_clear(NULL);
}

static void errno_is_kept_and_worded(void **state) {
    (void)state;
    struct im_error e = {0};
    im_error_set_errno(&e, IM_E_IO, ENOENT, "cannot open %s", "a.yaml");
    assert_int_equal(e.origin, IM_ORIGIN_ERRNO);
    assert_int_equal(e.system, ENOENT);
    assert_string_equal(e.text, "cannot open a.yaml: No such file or directory");
}

static void the_place_is_printed_with_what_is_known_of_it(void **state) {
    (void)state;
    static const struct {
        const char *where;
        size_t line, column;
        const char *expect;
    } rows[] = {
        {"f.yaml", 3, 7, "f.yaml:3:7: broken"},
        {"f.yaml", 3, 0, "f.yaml:3: broken"},
        {"f.yaml", 0, 0, "f.yaml: broken"},
        {NULL, 0, 0, "broken"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_error e = {0};
        char out[100];
        im_error_set_at(&e, IM_E_CONFIG, rows[i].where, rows[i].line, rows[i].column, "broken");
        assert_int_equal(im_error_format(&e, out, sizeof out), (int)strlen(rows[i].expect));
        assert_string_equal(out, rows[i].expect);
    }
}

static void a_short_buffer_is_not_overrun(void **state) {
    (void)state;
    struct im_error e = {0};
    char out[8];
    im_error_set_at(&e, IM_E_CONFIG, "f", 1, 0, "a long story");
    assert_int_equal(im_error_format(&e, out, sizeof out), (int)strlen("f:1: a long story"));
    assert_string_equal(out, "f:1: a ");
}

static void the_first_place_wins(void **state) {
    (void)state;
    struct im_error e = {0};
    im_error_set(&e, IM_E_SERVER, "no");
    assert_int_equal(im_error_where(&e, "cn=a"), IM_E_SERVER);
    im_error_where(&e, "cn=b");
    assert_string_equal(e.where, "cn=a");
}

static void context_goes_in_front(void **state) {
    (void)state;
    struct im_error e = {0};
    im_error_context(&e, "nothing happened");
    assert_string_equal(e.text, "");
    im_error_set(&e, IM_E_SERVER, "no such attribute");
    im_error_context(&e, "account %d", 7);
    im_error_context(&e, "reading");
    assert_string_equal(e.text, "reading: account 7: no such attribute");
}

static void long_texts_end_in_dots(void **state) {
    (void)state;
    char word[3000];
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    struct im_error e = {0};
    im_error_set_at(&e, IM_E_INPUT, word, 1, 1, "%s", word);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    assert_string_equal(e.text + sizeof e.text - 4, "...");
    assert_int_equal(strlen(e.where), sizeof e.where - 1);
    im_error_context(&e, "%s", word);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    assert_string_equal(e.text + sizeof e.text - 4, "...");
    im_error_clear(&e);
    im_error_set_errno(&e, IM_E_IO, EACCES, "%s", word);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
}

static void every_code_has_its_row(void **state) {
    (void)state;
    for (int code = IM_OK; code <= IM_E_INTERNAL; code++) {
        const struct im_err_row *row = im_err_row((enum im_err)code);
        assert_int_equal(row->code, code);
        assert_true(row->name && row->name[0] && row->text && row->text[0]);
        assert_true(code == IM_OK ? row->exit_status == 0 : row->exit_status > 0 && row->exit_status <= 70);
        for (int other = IM_OK; other < code; other++)
            assert_string_not_equal(row->name, im_err_row((enum im_err)other)->name);
    }
    assert_int_equal(im_err_row((enum im_err)999)->code, IM_E_INTERNAL);
    assert_int_equal(im_err_row((enum im_err) - 1)->code, IM_E_INTERNAL);
}

static void a_code_without_words_uses_those_of_its_row(void **state) {
    (void)state;
    struct im_error e = {.code = IM_E_LOST};
    char out[100];
    im_error_format(&e, out, sizeof out);
    assert_string_equal(out, im_err_row(IM_E_LOST)->text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_error_wins),          cmocka_unit_test(null_is_allowed),
        cmocka_unit_test(errno_is_kept_and_worded),      cmocka_unit_test(the_place_is_printed_with_what_is_known_of_it),
        cmocka_unit_test(a_short_buffer_is_not_overrun), cmocka_unit_test(the_first_place_wins),
        cmocka_unit_test(context_goes_in_front),         cmocka_unit_test(long_texts_end_in_dots),
        cmocka_unit_test(every_code_has_its_row),        cmocka_unit_test(a_code_without_words_uses_those_of_its_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
