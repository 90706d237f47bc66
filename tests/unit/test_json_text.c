/* JSON written as text says the same as jansson does, byte for byte, and reads back as what it was. */
#include "lib/data/json.h"
#include "lib/data/json_text.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

static void assert_same(const char *bytes, size_t len) {
    struct berval value = value_of(bytes, len);
    struct im_buf text = IM_BUF_INIT;
    struct im_buf dump = IM_BUF_INIT;
    json_t *json = im_json_value(&value);
    im_json_dump(json, &dump);
    im_json_add_value(&text, &value);
    assert_false(text.failed);
    assert_string_equal(im_buf_str(&text), im_buf_str(&dump));
    json_t *back = json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL);
    assert_true(json_equal(json, back));
    json_decref(json);
    json_decref(back);
    im_buf_free(&text);
    im_buf_free(&dump);
}

static void every_byte(void **state) {
    (void)state;
    for (int c = 0; c < 256; c++) {
        const char around[] = {'a', (char)c, 'b', (char)c};
        assert_same(around, 1);
        assert_same(around + 1, 1);
        assert_same(around, 2);
        assert_same(around, 3);
        assert_same(around, 4);
    }
}

static void texts(void **state) {
    (void)state;
    static const char *const list[] = {
        "",
        "plain",
        "Müller, \"Jörg\" \\ / </script>",
        "\xe2\x80\xa8 and \xe2\x80\xa9",
        "\x7f \xef\xbf\xbf \xf4\x8f\xbf\xbf",
        "😀\n",
        "\t\r\n\b\f\x1b[31m",
        "\xed\xa0\x80",
        "\xc0\x80",
        "M\xfcller",
        "\xf4\x90\x80\x80",
        "\\u0000",
    };
    for (size_t i = 0; i < LENGTH(list); i++)
        assert_same(list[i], strlen(list[i]));
    assert_same(NULL, 0);
}

static void random_bytes(void **state) {
    (void)state;
    uint32_t seed = 1;
    for (int round = 0; round < 2000; round++) {
        char bytes[48];
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = (char)(seed >> 24 & (round % 2 ? 0xff : 0x7f));
        }
        assert_same(bytes, seed >> 8 & 31);
    }
}

static void strings_are_values(void **state) {
    (void)state;
    struct im_buf text = IM_BUF_INIT;
    im_json_add_string(&text, "a\"b");
    im_json_add_string(&text, "");
    im_json_add_string(&text, "M\xfc");
    assert_string_equal(im_buf_str(&text), "\"a\\\"b\"\"\"{\"base64\":\"Tfw=\"}");
    im_buf_free(&text);
}

static void members_of_an_object(void **state) {
    (void)state;
    struct im_buf text = IM_BUF_INIT;
    struct berval values[] = {VALUE("a"), VALUE("\xff")};
    im_buf_addc(&text, '{');
    im_json_add_member(&text, "none", NULL);
    im_json_add_member(&text, "first", "plain");
    im_json_add_member(&text, "empty", "");
    im_json_add_member(&text, "quoted", "a\"b");
    im_json_add_member(&text, "high", "J\xc3\xb6rg");
    im_json_add_values(&text, "values", values, LENGTH(values));
    im_json_add_values(&text, "nothing", NULL, 0);
    im_json_add_count(&text, "zero", 0);
    im_json_add_count(&text, "most", SIZE_MAX);
    im_buf_addc(&text, '}');
    assert_string_equal(im_buf_str(&text), "{\"first\":\"plain\",\"empty\":\"\",\"quoted\":\"a\\\"b\",\"high\":\"J\xc3\xb6rg\","
                                           "\"values\":[\"a\",{\"base64\":\"/w==\"}],\"nothing\":[],\"zero\":0,"
                                           "\"most\":18446744073709551615}");
    im_buf_free(&text);
}

static enum im_err attempt(void *user, struct im_error *e) {
    (void)user;
    struct im_buf text = IM_BUF_INIT;
    struct berval value =
        VALUE("\xff and what is long enough that the buffer has to grow more than once, which is where memory ends");
    im_json_add_value(&text, &value);
    im_json_add_string(&text, "\n and this, too, is long enough that the buffer has to grow more than once, where memory ends");
    enum im_err err = text.failed ? im_error_nomem(e) : IM_OK;
    im_buf_free(&text);
    return err;
}

static void out_of_memory(void **state) {
    (void)state;
    assert_true(oom_every_allocation(attempt, NULL) >= 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte),           cmocka_unit_test(texts),
        cmocka_unit_test(random_bytes),         cmocka_unit_test(strings_are_values),
        cmocka_unit_test(members_of_an_object), cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
