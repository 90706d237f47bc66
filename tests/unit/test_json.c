/* JSON of values that need not be text. */
#include "lib/data/json.h"
#include "tests/unit/unit.h"

static void assert_json(json_t *value, const char *expect) {
    struct im_buf out = IM_BUF_INIT;
    im_json_dump(value, &out);
    assert_false(out.failed);
    assert_string_equal(im_buf_str(&out), expect);
    im_buf_free(&out);
    json_decref(value);
}

static void assert_value(const void *bytes, size_t len, const char *expect) {
    struct berval value = value_of(bytes, len);
    assert_json(im_json_value(&value), expect);
}

static void text_is_a_string_and_bytes_are_base64(void **state) {
    (void)state;
    assert_value("abc", 3, "\"abc\"");
    assert_value("Müller \"J\"\n", 12, "\"Müller \\\"J\\\"\\n\"");
    assert_value("", 0, "\"\"");
    assert_value(NULL, 0, "\"\"");
    assert_value("\xff\xfe", 2, "{\"base64\":\"//4=\"}");
    assert_value("a\0b", 3, "{\"base64\":\"YQBi\"}");
    assert_value("\xed\xa0\x80", 3, "{\"base64\":\"7aCA\"}");
    assert_json(im_json_string("😀"), "\"😀\"");
    assert_json(im_json_string(""), "\"\"");
    assert_json(im_json_string("M\xfc"), "{\"base64\":\"Tfw=\"}");
    assert_null(im_json_string(NULL));
}

static void keys_stay_in_order_and_missing_values_are_left_out(void **state) {
    (void)state;
    json_t *object = json_object();
    im_json_put(object, "z", json_integer(1));
    im_json_put(object, "nothing", NULL);
    im_json_put(object, "a", im_json_string("x"));
    im_json_put(object, "m", json_null());
    im_json_put(object, "z", json_true());
    assert_json(object, "{\"z\":true,\"a\":\"x\",\"m\":null}");
}

static void a_value_without_an_object_is_freed(void **state) {
    (void)state;
    im_json_put(NULL, "a", im_json_string("x")); /* the sanitizer would see a leak */
}

static void nothing_cannot_be_dumped(void **state) {
    (void)state;
    struct im_buf out = IM_BUF_INIT;
    im_json_dump(NULL, &out);
    assert_true(out.failed);
    im_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_a_string_and_bytes_are_base64),
        cmocka_unit_test(keys_stay_in_order_and_missing_values_are_left_out),
        cmocka_unit_test(a_value_without_an_object_is_freed),
        cmocka_unit_test(nothing_cannot_be_dumped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
