/* The words of the question before a change. */
#include "tests/unit/unit.h"

#include "tools/consent.h"

static void assert_asks(const struct im_summary *planned, size_t count, const char *question) {
    static const char *const names[] = {"jdoe", "jörg", "anna"};
    struct im_buf text = IM_BUF_INIT;
    im_consent_write(planned, names, count, &text);
    assert_string_equal(im_buf_str(&text), question);
    im_buf_free(&text);
}

static void the_question_says_how_many_and_who(void **state) {
    (void)state;
    struct im_summary planned = {.total = 3310, .counts = {[IM_CHANGED] = 1204, [IM_UNCHANGED] = 2094, [IM_REFUSED] = 12}};
    assert_asks(&planned, 3, "1,204 of 3,310 accounts would change (first: jdoe, jörg, anna ...), 12 refused. Go on?");
    assert_asks(&planned, 0, "1,204 of 3,310 accounts would change, 12 refused. Go on?");
    planned = (struct im_summary){.total = 1, .counts = {[IM_CHANGED] = 1}};
    assert_asks(&planned, 1, "1 of 1 account would change (jdoe). Go on?");
    planned = (struct im_summary){.total = 3, .counts = {[IM_CHANGED] = 3}};
    assert_asks(&planned, 3, "3 of 3 accounts would change (first: jdoe, jörg, anna). Go on?");
    planned = (struct im_summary){.total = 9,
                                  .counts = {[IM_CHANGED] = 2,
                                             [IM_FAILED] = 1,
                                             [IM_OUT_NOT_FOUND] = 1,
                                             [IM_AMBIGUOUS] = 3,
                                             [IM_CONFLICT] = 1,
                                             [IM_NOT_ATTEMPTED] = 1}};
    assert_asks(&planned, 1,
                "2 of 9 accounts would change (first: jdoe ...), 1 failed, 1 not found, 3 ambiguous, 1 in conflict, "
                "1 not looked at. Go on?");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_question_says_how_many_and_who)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
