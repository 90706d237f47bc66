/* The line of progress: what it says at which width, and how fast it believes things go. */
#include "tests/unit/unit.h"

#include "tools/amount.h"
#include "tools/progress_line.h"

static const char *shown(const struct im_progress_line *line, size_t width) {
    static char text[256];
    struct im_buf out = IM_BUF_INIT;
    im_progress_line_write(line, width, &out);
    assert_true(out.len <= width && out.len < sizeof text);
    memcpy(text, im_buf_str(&out), out.len + 1);
    im_buf_free(&out);
    return text;
}

static void a_narrow_terminal_gets_what_matters_most(void **state) {
    (void)state;
    struct im_progress_line line = {"imenable", "writing", 1204, 3310, 3, 412.4};
    static const struct {
        size_t width;
        const char *text;
    } rows[] = {
        {200, "imenable: writing  [==============>                         ]  36%  1,204/3,310  412/s  0:05 left  3 failed"},
        {90, "imenable: writing  [========>              ]  36%  1,204/3,310  412/s  0:05 left  3 failed"},
        {79, "imenable: writing  [====>       ]  36%  1,204/3,310  412/s  0:05 left  3 failed"},
        {77, "imenable: writing  [===>      ]  36%  1,204/3,310  412/s  0:05 left  3 failed"},
        {76, "imenable: writing  36%  1,204/3,310  412/s  0:05 left  3 failed"},
        {60, "imenable: writing  36%  1,204/3,310  0:05 left  3 failed"},
        {50, "writing  36%  1,204/3,310  0:05 left  3 failed"},
        {40, "writing  36%  1,204/3,310"},
        {10, "writing  3"},
        {0, ""},
    };
    for (size_t i = 0; i < LENGTH(rows); i++)
        assert_string_equal(shown(&line, rows[i].width), rows[i].text);
}

static void what_is_not_known_is_not_shown(void **state) {
    (void)state;
    struct im_progress_line line = {"imenable", "planning", 1000000, 0, 0, 8123};
    assert_string_equal(shown(&line, 79), "imenable: planning  1,000,000  8,123/s");
    line = (struct im_progress_line){"imenable", "planning", 5, 0, 0, 0};
    assert_string_equal(shown(&line, 79), "imenable: planning  5");
    line = (struct im_progress_line){"imenable", "writing", 0, 9, 0, 0};
    assert_string_equal(shown(&line, 50), "imenable: writing  [>                  ]   0%  0/9");
}

static void time_left(void **state) {
    (void)state;
    static const struct {
        size_t done, total;
        double rate;
        const char *text;
    } rows[] = {
        {0, 100, 0.4, "0%  0/100  0.4/s  4:10 left"},
        {0, 7200, 1, "0%  0/7,200  1.0/s  2:00:00 left"},
        {0, 1000000000, 1, "0%  0/1,000,000,000  1.0/s  days left"},
        {9999, 10000, 20, "99%  9,999/10,000  20/s  0:00 left"}, /* not 100% before the end */
        {9, 9, 20, "100%  9/9  20/s"},
        {10, 9, 20, "100%  10/9  20/s"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_progress_line line = {"imenable", "writing", rows[i].done, rows[i].total, 0, rows[i].rate};
        assert_mentions(shown(&line, 120), rows[i].text);
    }
}

static void pace_is_the_mean_and_then_follows(void **state) {
    (void)state;
    struct im_progress_pace pace = {0};
    size_t done = 50;
    int64_t now = 1000000;
    im_progress_pace_note(&pace, now, done);
    im_progress_pace_note(&pace, now + 500, done + 100);
    assert_true(pace.rate == 0); /* too soon to say */
    for (int i = 0; i < 100; i++)
        im_progress_pace_note(&pace, now += 100, done += 10);
    assert_true(pace.rate > 99 && pace.rate < 101);
    double before = pace.rate;
    for (int i = 0; i < 10; i++)
        im_progress_pace_note(&pace, now += 100, done += 20); /* twice as fast, for a second */
    assert_true(pace.rate > before + 5 && pace.rate < 150);
    for (int i = 0; i < 300; i++)
        im_progress_pace_note(&pace, now += 100, done += 20);
    assert_true(pace.rate > 195 && pace.rate < 201);
    im_progress_pace_note(&pace, now += 20000, done); /* nothing came */
    assert_true(pace.rate < 50);
    im_progress_pace_note(&pace, now, done + 1000); /* no time passed */
    assert_true(pace.rate < 50);
    im_progress_pace_note(&pace, now + 10, 0); /* begun again */
    assert_true(pace.rate == 0);
}

static void thousands(void **state) {
    (void)state;
    static const struct {
        size_t number;
        const char *text;
    } rows[] = {{0, "0"}, {7, "7"}, {999, "999"}, {1000, "1,000"}, {1204, "1,204"}, {100000, "100,000"}, {1000000, "1,000,000"}};
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_buf text = IM_BUF_INIT;
        im_amount_write(rows[i].number, &text);
        assert_string_equal(im_buf_str(&text), rows[i].text);
        im_buf_free(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_narrow_terminal_gets_what_matters_most),
        cmocka_unit_test(what_is_not_known_is_not_shown),
        cmocka_unit_test(time_left),
        cmocka_unit_test(pace_is_the_mean_and_then_follows),
        cmocka_unit_test(thousands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
