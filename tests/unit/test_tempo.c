/* How many changes are in flight: a server is made up whose answers take time, and the clock is a number. */
#include "tests/unit/unit.h"

#include "lib/engine/tempo.h"

/* Sends as much as is allowed and answers after `round_trip_ms`, at most `rate` a millisecond. Returns the window after `count`.
 */
static size_t drive(struct im_tempo *t, int64_t round_trip_ms, double rate, size_t count) {
    size_t in_flight = 0, answered = 0, sent = 0;
    double budget = 0;
    enum { PAST = 1024 };
    size_t history[PAST] = {0}; /* sent by then, each millisecond */
    for (int64_t now = 0; answered < count; now++) {
        int64_t wait;
        size_t due = now >= round_trip_ms ? history[(now - round_trip_ms) % PAST] : 0;
        budget = budget + rate > 2 * rate ? 2 * rate : budget + rate;
        while (answered < due && budget >= 1) {
            im_tempo_answered(t, in_flight--, now);
            answered++;
            budget -= 1;
            while (im_tempo_allows(t, in_flight, now, &wait)) {
                im_tempo_sent(t);
                in_flight++;
                sent++;
            }
        }
        while (im_tempo_allows(t, in_flight, now, &wait)) {
            im_tempo_sent(t);
            in_flight++;
            sent++;
        }
        assert_true(in_flight <= t->max);
        history[now % PAST] = sent;
    }
    return t->window;
}

static void follows_the_round_trip(void **state) {
    struct im_tempo t;
    (void)state;
    im_tempo_begin(&t, 0, 512, 0);
    assert_int_equal(t.window, 16);
    size_t far = drive(&t, 20, 7, 20000); /* 7 a ms, 20 ms away: 140 are needed */
    assert_true(far >= 128 && far <= 512);
    im_tempo_begin(&t, 0, 512, 0);
    assert_int_equal(drive(&t, 200, 7, 40000), 512);
    im_tempo_begin(&t, 0, 512, 0);
    assert_true(drive(&t, 1, 7, 20000) <= 64); /* near: nothing is gained by more */
}

static void stays_where_it_is_told(void **state) {
    struct im_tempo t;
    (void)state;
    im_tempo_begin(&t, 3, 512, 0);
    assert_int_equal(drive(&t, 20, 7, 1000), 3);
    im_tempo_begin(&t, 9999, 512, 0);
    assert_int_equal(t.window, 512);
}

static void keeps_to_the_rate(void **state) {
    struct im_tempo t;
    int64_t wait;
    size_t sent = 0;
    (void)state;
    im_tempo_begin(&t, 0, 512, 50);
    for (int64_t now = 1000; now < 11000; now++) {
        while (im_tempo_allows(&t, 0, now, &wait)) {
            im_tempo_sent(&t);
            sent++;
        }
        assert_true(wait > 0 && wait <= 21);
    }
    assert_true(sent >= 495 && sent <= 503);
}

static void waits_longer_each_time_the_server_is_busy(void **state) {
    struct im_tempo t;
    int64_t now = 0, wait, last = 0;
    (void)state;
    im_tempo_begin(&t, 0, 512, 0);
    for (int i = 0; i < 10; i++) {
        im_tempo_busy(&t, now);
        im_tempo_busy(&t, now); /* the same breath counts once */
        assert_false(im_tempo_allows(&t, 0, now, &wait));
        assert_true(wait >= last && wait <= 5000);
        last = wait;
        now += wait;
        assert_true(im_tempo_allows(&t, 0, now, &wait));
    }
    assert_int_equal(last, 5000);
    assert_true(t.window >= 2 && t.window < 16);
    im_tempo_answered(&t, 1, now);
    im_tempo_busy(&t, now);
    assert_false(im_tempo_allows(&t, 0, now, &wait));
    assert_int_equal(wait, 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_round_trip),
        cmocka_unit_test(stays_where_it_is_told),
        cmocka_unit_test(keeps_to_the_rate),
        cmocka_unit_test(waits_longer_each_time_the_server_is_busy),
    };
    return cmocka_run_group_tests_name("tempo", tests, NULL, NULL);
}
