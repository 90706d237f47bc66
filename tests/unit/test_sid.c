/* Security identifiers. */
#include "lib/data/sid.h"
#include "tests/unit/unit.h"

/* A user of a domain: S-1-5-21-X-Y-Z-RID, five sub-authorities. */
static const unsigned char user[] = {1,    5,    0,    0,    0,    0,    0,    5,    0x15, 0,    0,    0,    0xdc, 0xf4,
                                     0xdc, 0x3b, 0x83, 0x3d, 0x2b, 0x46, 0x82, 0x8b, 0xa6, 0x28, 0x50, 0x04, 0,    0};
#define USER_TEXT "S-1-5-21-1004336348-1177238915-682003330-1104"
#define MAX "-4294967295"
#define FIVE MAX MAX MAX MAX MAX
static const char longest[] = "S-1-0xffffffffffff" FIVE FIVE FIVE;
static const char too_long[] = "S-1-5" FIVE FIVE FIVE "-1";

static void a_domain_user_both_ways(void **state) {
    (void)state;
    char text[IM_SID_TEXT_SIZE];
    unsigned char octets[IM_SID_BYTES_SIZE];
    size_t len = 0;
    struct berval value = value_of(user, sizeof user);
    assert_true(im_sid_to_text(&value, text));
    assert_string_equal(text, USER_TEXT);
    assert_true(im_sid_from_text(USER_TEXT, octets, &len));
    assert_int_equal(len, sizeof user);
    assert_memory_equal(octets, user, sizeof user);
}

static void texts_come_back_as_they_were(void **state) {
    (void)state;
    static const char *const texts[] = {
        IM_SID_SELF, "S-1-0-0", "S-1-5-32-544", "S-1-16-12288", "S-1-4294967295-1", "S-1-0x000100000000-7", longest,
    };
    for (size_t i = 0; i < LENGTH(texts); i++) {
        char text[IM_SID_TEXT_SIZE];
        unsigned char octets[IM_SID_BYTES_SIZE];
        size_t len = 0;
        assert_true(im_sid_from_text(texts[i], octets, &len));
        struct berval value = value_of(octets, len);
        assert_true(im_sid_to_text(&value, text));
        assert_string_equal(text, texts[i]);
    }
}

static void other_spellings_mean_the_same(void **state) {
    (void)state;
    static const char *const texts[] = {"s-1-5-10", "S-1-0x5-10", "S-1-0x000000000005-10", "S-1-05-010"};
    static const unsigned char self[] = {1, 1, 0, 0, 0, 0, 0, 5, 10, 0, 0, 0};
    for (size_t i = 0; i < LENGTH(texts); i++) {
        unsigned char octets[IM_SID_BYTES_SIZE];
        size_t len = 0;
        assert_true(im_sid_from_text(texts[i], octets, &len));
        assert_int_equal(len, sizeof self);
        assert_memory_equal(octets, self, sizeof self);
    }
}

static void malformed_octets_are_refused(void **state) {
    (void)state;
    unsigned char octets[IM_SID_BYTES_SIZE + 4] = {1, 15};
    const struct {
        const char *why;
        struct berval value;
    } rows[] = {
        {"empty", {0}},
        {"the text instead of the octets", VALUE("S-1-5-10")},
        {"shorter than its header", value_of(user, 7)},
        {"cut short", value_of(user, sizeof user - 1)},
        {"a sub-authority is missing", value_of(user, sizeof user - 4)},
        {"longer than its count says", VALUE("\1\1\0\0\0\0\0\5\x0a\0\0\0\0")},
        {"another revision", VALUE("\2\1\0\0\0\0\0\5\x0a\0\0\0")},
        {"no sub-authority", VALUE("\1\0\0\0\0\0\0\5")},
        {"more sub-authorities than there can be", VALUE("\1\xff\0\0\0\0\0\5\x0a\0\0\0")},
        {"too long", value_of(octets, sizeof octets)},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char text[IM_SID_TEXT_SIZE];
        if (im_sid_to_text(&rows[i].value, text))
            fail_msg("%s: taken for %s", rows[i].why, text);
    }
    struct berval whole = value_of(octets, IM_SID_BYTES_SIZE);
    char text[IM_SID_TEXT_SIZE];
    assert_true(im_sid_to_text(&whole, text));
}

static void malformed_texts_are_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "S",
        "S-1",
        "S-1-",
        "S-1-5",
        "S-1-5-",
        "S-2-5-10",
        "X-1-5-10",
        "S-1-5-10-",
        "S-1-5--10",
        "S-1-5-+10",
        "S-1-5- 10",
        "S-1-5-10 ",
        "S-1-5-10x",
        "S-1-5-4294967296",
        "S-1-5-a",
        "S-11-5-10",
        "S-1-5-0x",
        "S-1--5-10",
        "S-1-0x1000000000000-1",
        "S-1-5-99999999999999999999999",
        too_long,
        "S-1-5,10",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) {
        unsigned char octets[IM_SID_BYTES_SIZE] = {0xaa};
        size_t len = 99;
        if (im_sid_from_text(texts[i], octets, &len))
            fail_msg("\"%s\" was taken for a SID", texts[i]);
        assert_int_equal(len, 99);
        assert_int_equal(octets[0], 0xaa);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_user_both_ways),       cmocka_unit_test(texts_come_back_as_they_were),
        cmocka_unit_test(other_spellings_mean_the_same), cmocka_unit_test(malformed_octets_are_refused),
        cmocka_unit_test(malformed_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
