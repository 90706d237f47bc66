/* CSV for spreadsheets, which run what looks like a formula. */
#include "lib/data/csv.h"
#include "tests/unit/unit.h"

static void assert_row(const char *const *fields, size_t count, const char *expect) {
    struct im_buf out = IM_BUF_INIT;
    im_csv_row(&out, fields, count);
    assert_false(out.failed);
    assert_string_equal(im_buf_str(&out), expect);
    im_buf_free(&out);
}

#define ROW(expect, ...)                                                                                                         \
    assert_row((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), expect)

static void fields_are_quoted_where_needed(void **state) {
    (void)state;
    ROW("a,b,c\n", "a", "b", "c");
    ROW("\"Müller, Jörg\",\"say \"\"hi\"\"\"\n", "Müller, Jörg", "say \"hi\"");
    ROW("\"two\nlines\",\"cr\r\"\n", "two\nlines", "cr\r");
    ROW("\"a;b\",\" a\"\n", "a;b", " a");
    ROW("M\xfc\n", "M\xfc");
}

static void missing_and_empty_fields_are_empty(void **state) {
    (void)state;
    ROW(",,\n", NULL, "", NULL);
    assert_row(NULL, 0, "\n");
}

static void formulas_are_only_text(void **state) {
    (void)state;
    ROW("'=1+1\n", "=1+1");
    ROW("'+49 30 1\n", "+49 30 1");
    ROW("'-2\n", "-2");
    ROW("'@SUM(A1)\n", "@SUM(A1)");
    ROW("\"'\t=1\"\n", "\t=1");
    ROW("\"'\r=1\"\n", "\r=1");
    ROW("\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"\n", "=HYPERLINK(\"http://x\",\"y\")");
    ROW("a=1,a@x,1-2\n", "a=1", "a@x", "1-2");
}

static void rows_follow_each_other(void **state) {
    (void)state;
    struct im_buf out = IM_BUF_INIT;
    const char *const fields[] = {"a", "b"};
    im_csv_row(&out, fields, 2);
    im_csv_row(&out, fields, 1);
    assert_string_equal(im_buf_str(&out), "a,b\na\n");
    im_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_quoted_where_needed),
        cmocka_unit_test(missing_and_empty_fields_are_empty),
        cmocka_unit_test(formulas_are_only_text),
        cmocka_unit_test(rows_follow_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
