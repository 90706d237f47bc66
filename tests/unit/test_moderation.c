#include "lib/directory/moderation.h"
#include "tests/unit/unit.h"

/* The clock stands at at_us when nothing is left to be read; taken messages came before. */
static int64_t dry(struct im_moderation *m, int64_t at_us, size_t taken, size_t due) {
    m->taken = taken;
    return im_moderation_rest(m, due, at_us);
}

/* As if answers had come all the time, one each each_us. */
static struct im_moderation going(int64_t each_us) {
    return (struct im_moderation){.dry_us = 1000000, .each_us = each_us};
}

static void test_first_answers_are_waited_for(void **state) {
    (void)state;
    struct im_moderation m = {0};
    assert_int_equal(dry(&m, 5000000, 0, 64), 0);
    assert_int_equal(dry(&m, 5000100, 1, 64), 0); /* nothing is known of their speed yet */
}

static void test_a_fourth_of_what_is_due_may_come(void **state) {
    (void)state;
    struct im_moderation m = going(20);
    assert_int_equal(dry(&m, 1000200, 10, 64), 64 / 4 * 20);
}

static void test_speed_is_learnt(void **state) {
    (void)state;
    struct im_moderation m = {0};
    (void)dry(&m, 1000000, 1, 64);
    int64_t last = 0;
    for (int i = 1; i <= 12; i++) /* ten answers a millisecond */
        last = dry(&m, 1000000 + i * 1000, 10, 32);
    assert_in_range(last, 700, 800);
    for (int i = 1; i <= 12; i++) /* a hundred */
        last = dry(&m, 1012000 + i * 1000, 100, 32);
    assert_in_range(last, 80, 90);
}

static void test_few_are_waited_for_one_by_one(void **state) {
    (void)state;
    struct im_moderation m = going(100);
    assert_int_equal(dry(&m, 1000100, 1, 15), 0);
    assert_int_equal(dry(&m, 1000200, 1, 16), 400);
}

static void test_half_a_message_is_waited_for(void **state) {
    (void)state;
    struct im_moderation m = going(100);
    assert_int_equal(dry(&m, 1000100, 0, 500), 0);
    assert_int_equal(m.each_us, 100);
}

static void test_a_short_rest_is_none(void **state) {
    (void)state;
    struct im_moderation m = going(2);
    assert_int_equal(dry(&m, 1000020, 10, 96), 0);
}

static void test_no_rest_is_long(void **state) {
    (void)state;
    struct im_moderation m = going(150);
    assert_int_equal(dry(&m, 1000150, 1, 512), 1000);
    m = going(100);
    assert_int_equal(dry(&m, INT64_MAX, 1, 2000), 1000); /* somebody was asked in between, and went for lunch */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_answers_are_waited_for),
        cmocka_unit_test(test_a_fourth_of_what_is_due_may_come),
        cmocka_unit_test(test_speed_is_learnt),
        cmocka_unit_test(test_few_are_waited_for_one_by_one),
        cmocka_unit_test(test_half_a_message_is_waited_for),
        cmocka_unit_test(test_a_short_rest_is_none),
        cmocka_unit_test(test_no_rest_is_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
