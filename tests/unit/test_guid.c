/* objectGUID: the first three groups are stored backwards. */
#include "lib/data/guid.h"
#include "tests/unit/unit.h"

static const unsigned char octets[] = {0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
                                       0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
#define TEXT "00112233-4455-6677-8899-aabbccddeeff"

static void octets_to_text(void **state) {
    (void)state;
    char text[IM_GUID_TEXT_SIZE];
    struct berval value = value_of(octets, sizeof octets);
    assert_true(im_guid_to_text(&value, text));
    assert_string_equal(text, TEXT);
}

static void text_to_octets(void **state) {
    (void)state;
    static const char *const texts[] = {TEXT, "{" TEXT "}", "00112233-4455-6677-8899-AABBCCDDEEFF"};
    for (size_t i = 0; i < LENGTH(texts); i++) {
        unsigned char out[IM_GUID_BYTES_SIZE] = {0};
        assert_true(im_guid_from_text(texts[i], out));
        assert_memory_equal(out, octets, sizeof octets);
    }
}

static void another_length_is_refused(void **state) {
    (void)state;
    unsigned char longer[17] = {0};
    char text[IM_GUID_TEXT_SIZE] = "untouched";
    for (size_t len = 0; len <= sizeof longer; len++) {
        struct berval value = value_of(longer, len);
        assert_int_equal(im_guid_to_text(&value, text), len == 16);
    }
}

static void malformed_texts_are_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "{",
        "{}",
        TEXT "0",
        "{" TEXT,
        TEXT "}",
        "{" TEXT "}x",
        " " TEXT,
        "00112233-4455-6677-8899-aabbccddeef",
        "00112233-4455-6677-8899-aabbccddeefg",
        "00112233445566778899aabbccddeeff",
        "0011223-34455-6677-8899-aabbccddeeff",
        "00112233-4455-6677-8899aabbccddeeff-",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) {
        unsigned char out[IM_GUID_BYTES_SIZE] = {0xaa};
        if (im_guid_from_text(texts[i], out))
            fail_msg("\"%s\" was taken for a GUID", texts[i]);
        assert_int_equal(out[0], 0xaa);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_to_text),
        cmocka_unit_test(text_to_octets),
        cmocka_unit_test(another_length_is_refused),
        cmocka_unit_test(malformed_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
