/* Limits: numbers, shares, and what people write instead. */
#include "tests/unit/unit.h"

#include "tools/amount.h"

static void numbers_and_shares(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t total, amount;
    } rows[] = {
        {"0", 10, 0},
        {"50", 10, 50},
        {"999999999", 1, 999999999},
        {"007", 1, 7},
        {"0%", 10, 0},
        {"5%", 100, 5},
        {"5%", 119, 5},
        {"50%", 5, 2},
        {"100%", 33, 33},
        {"2.5%", 200, 5},
        {"0.1%", 999, 0},
        {"0.1%", 1000, 1},
        {"2.3%", 1000, 23},
        {"33.3%", 1000, 333},
        {"7%", 0, 0},
        {"99.9%", 1000000000, 999000000},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_amount amount = {0};
        struct im_error e = {0};
        if (im_amount_parse("max-changes", rows[i].text, &amount, &e) != IM_OK)
            fail_msg("%s: %s", rows[i].text, e.text);
        if (im_amount_of(&amount, rows[i].total) != rows[i].amount)
            fail_msg("%s of %zu are %zu", rows[i].text, rows[i].total, im_amount_of(&amount, rows[i].total));
        assert_int_equal(amount.is_percent, strchr(rows[i].text, '%') != NULL);
    }
}

static void what_is_no_amount(void **state) {
    (void)state;
    static const struct {
        const char *text, *word;
    } rows[] = {
        {"", "neither"},        {"%", "neither"},     {"-1", "neither"},  {"+1", "neither"},         {"5 %", "neither"},
        {"5%%", "neither"},     {"1.5", "neither"},   {"1.%", "neither"}, {".5%", "neither"},        {"2,5%", "neither"},
        {"1e3", "neither"},     {"0x10", "neither"},  {"ten", "neither"}, {"1000000000", "neither"}, {"101%", "than all"},
        {"100.1%", "than all"}, {"5,000", "neither"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct im_amount amount;
        struct im_error e = {0};
        if (im_amount_parse("max-changes", rows[i].text, &amount, &e) != IM_E_USAGE)
            fail_msg("\"%s\" was accepted", rows[i].text);
        assert_mentions(e.text, "--max-changes: ");
        assert_mentions(e.text, rows[i].word);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_shares),
        cmocka_unit_test(what_is_no_amount),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
