/* FILETIME numbers, generalized time, whole numbers. */
#include "lib/data/times.h"
#include "tests/unit/unit.h"

static void filetimes_count_from_1601(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"116444736000000000", 0},          {"116444736009999999", 0}, {"116444736010000000", 1},
        {"134085600000000000", 1764086400}, {"1", -11644473600},       {"9223372036854775806", 910692730085},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        int64_t seconds = -1;
        bool never = true;
        assert_true(im_time_from_filetime(rows[i].text, &seconds, &never));
        assert_false(never);
        assert_int_equal(seconds, rows[i].seconds);
    }
}

static void both_ends_mean_never(void **state) {
    (void)state;
    static const char *const texts[] = {"0", "9223372036854775807"};
    for (size_t i = 0; i < LENGTH(texts); i++) {
        int64_t seconds = 42;
        bool never = false;
        assert_true(im_time_from_filetime(texts[i], &seconds, &never));
        assert_true(never);
        assert_int_equal(seconds, 42);
    }
}

static void what_is_no_filetime_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"", "-1", "x", "1x", " 1", "1 ", "+1", "0x1", "1.0", "9223372036854775808"};
    for (size_t i = 0; i < LENGTH(texts); i++) {
        int64_t seconds = 42;
        bool never = false;
        if (im_time_from_filetime(texts[i], &seconds, &never))
            fail_msg("\"%s\" was taken for a FILETIME", texts[i]);
        assert_int_equal(seconds, 42);
    }
}

static void generalized_times_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text, *expect;
    } rows[] = {
        {"20261125200000.0Z", "2026-11-25T20:00:00Z"},
        {"20261125200000Z", "2026-11-25T20:00:00Z"},
        {"202611252000Z", "2026-11-25T20:00:00Z"},
        {"2026112520Z", "2026-11-25T20:00:00Z"},
        {"2026112520.5Z", "2026-11-25T20:30:00Z"},
        {"202611252000,25Z", "2026-11-25T20:00:15Z"},
        {"20261125200000.999999999999Z", "2026-11-25T20:00:00Z"},
        {"20261125210000+0100", "2026-11-25T20:00:00Z"},
        {"20261125210000+01", "2026-11-25T20:00:00Z"},
        {"20261125143000-0530", "2026-11-25T20:00:00Z"},
        {"16010101000000.0Z", "1601-01-01T00:00:00Z"},
        {"20240229000000Z", "2024-02-29T00:00:00Z"},
        {"20161231235960Z", "2017-01-01T00:00:00Z"}, /* a leap second */
        {"99991231235959Z", "9999-12-31T23:59:59Z"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        int64_t seconds = 0;
        char text[IM_TIME_TEXT_SIZE];
        if (!im_time_from_generalized(rows[i].text, &seconds))
            fail_msg("\"%s\" was refused", rows[i].text);
        im_time_to_rfc3339(seconds, text);
        assert_string_equal(text, rows[i].expect);
    }
}

static void what_is_no_generalized_time_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "Z",
        "2026Z",
        "20261125Z",
        "20261125200000",
        "20261125200000.Z",
        "20261125200000X",
        "20261125200000Zx",
        "20261325200000Z",
        "20260025200000Z",
        "20261100200000Z",
        "20260231000000Z",
        "20250229000000Z",
        "20261125240000Z",
        "20261125206000Z",
        "20261125200061Z",
        "20261125200000+1",
        "20261125200000+2400",
        "20261125200000+0160",
        "20261125200000+0a",
        "2026112520000Z",
        "-0261125200000Z",
        "202611252000000000Z",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) {
        int64_t seconds = 42;
        if (im_time_from_generalized(texts[i], &seconds))
            fail_msg("\"%s\" was taken for a time", texts[i]);
        assert_int_equal(seconds, 42);
    }
}

static void any_number_of_seconds_can_be_shown(void **state) {
    (void)state;
    char text[IM_TIME_TEXT_SIZE];
    im_time_to_rfc3339(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    im_time_to_rfc3339(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59Z");
    im_time_to_rfc3339(INT64_MAX, text);
    assert_string_equal(text, "9223372036854775807");
    im_time_to_rfc3339(INT64_MIN, text);
    assert_string_equal(text, "-9223372036854775808");
}

static void numbers_are_whole_texts_in_range(void **state) {
    (void)state;
    int64_t out = 42;
    assert_true(im_int_from_text("-7", -10, 10, &out));
    assert_int_equal(out, -7);
    assert_true(im_int_from_text("007", 0, 10, &out));
    assert_int_equal(out, 7);
    assert_true(im_int_from_text("-9223372036854775808", INT64_MIN, INT64_MAX, &out));
    assert_true(out == INT64_MIN);
    assert_true(im_int_from_text("9223372036854775807", INT64_MIN, INT64_MAX, &out));
    assert_true(out == INT64_MAX);
    assert_true(im_int_from_text("-00000000000000000000", INT64_MIN, INT64_MAX, &out));
    assert_int_equal(out, 0);
    static const char *const beyond[] = {"9223372036854775808", "-9223372036854775809", "18446744073709551616",
                                         "92233720368547758070"};
    for (size_t i = 0; i < LENGTH(beyond); i++) {
        out = 42;
        if (im_int_from_text(beyond[i], INT64_MIN, INT64_MAX, &out))
            fail_msg("%s was taken for a number", beyond[i]);
        assert_int_equal(out, 42);
    }
    static const char *const bad[] = {"", "-", "--1", "+1", " 1", "1 ", "1e3", "0x10", "11", "-11", "99999999999999999999"};
    for (size_t i = 0; i < LENGTH(bad); i++) {
        out = 42;
        if (im_int_from_text(bad[i], -10, 10, &out))
            fail_msg("\"%s\" was taken for a number", bad[i]);
        assert_int_equal(out, 42);
    }
    assert_false(im_int_from_text(NULL, 0, 1, &out));
}

static void dates(void **state) {
    static const char *const bad[] = {"",         "2027-3-31",  "2027-02-29", "2027-13-01",  "2027/03/31",
                                      "20270331", "2027-03-3x", "+027-03-31", "2027-03-311", "2027-03-31T00:00:00Z"};
    char text[IM_TIME_TEXT_SIZE];
    int64_t seconds = 7;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (im_date_from_text(bad[i], &seconds) || seconds != 7)
            fail_msg("\"%s\" is taken for a date", bad[i]);
    }
    assert_true(im_date_from_text("2028-02-29", &seconds));
    assert_int_equal(seconds, 1835395200);
    im_date_to_text(seconds + 86399, text);
    assert_string_equal(text, "2028-02-29");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filetimes_count_from_1601),
        cmocka_unit_test(both_ends_mean_never),
        cmocka_unit_test(what_is_no_filetime_is_refused),
        cmocka_unit_test(generalized_times_are_read),
        cmocka_unit_test(what_is_no_generalized_time_is_refused),
        cmocka_unit_test(any_number_of_seconds_can_be_shown),
        cmocka_unit_test(numbers_are_whole_texts_in_range),
        cmocka_unit_test(dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
