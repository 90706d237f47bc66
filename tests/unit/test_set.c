/* Sets of byte strings, against a plain list of them. */
#include "lib/base/set.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <stdio.h>

enum { MANY = 5000 };

static void each_is_numbered_once(void **state) {
    (void)state;
    struct im_set *set = im_set_new();
    struct im_error e = {0};
    char text[32];
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < MANY; i++) {
            size_t number = MANY;
            bool is_new = false;
            int len = snprintf(text, sizeof text, "name-%zu", i * i);
            assert_int_equal(im_set_add(set, text, (size_t)len, &number, &is_new, &e), IM_OK);
            assert_int_equal(number, i);
            assert_int_equal(is_new, round == 0);
            assert_string_equal(im_set_text(set, number), text);
        }
    }
    assert_int_equal(im_set_count(set), MANY);
    assert_true(im_set_has(set, "name-4", 6));
    assert_false(im_set_has(set, "name-3", 6));
    im_set_free(&set);
    assert_null(set);
    im_set_free(&set);
}

static void bytes_and_lengths_count(void **state) {
    (void)state;
    struct im_set *set = im_set_new();
    const struct berval values[] = {VALUE(""),  VALUE("\0"),   VALUE("\0\0"), VALUE("a\0"),
                                    VALUE("a"), VALUE("a\0b"), VALUE("a\0c")};
    for (size_t i = 0; i < LENGTH(values); i++) {
        bool is_new = false;
        assert_false(im_set_has(set, values[i].bv_val, values[i].bv_len));
        assert_int_equal(im_set_add(set, values[i].bv_val, values[i].bv_len, NULL, &is_new, NULL), IM_OK);
        assert_true(is_new);
    }
    assert_int_equal(im_set_count(set), LENGTH(values));
    im_set_free(&set);
}

static enum im_err fill(void *user, struct im_error *e) {
    struct im_set *set = im_set_new();
    enum im_err err = set ? IM_OK : im_error_nomem(e);
    (void)user;
    for (size_t i = 0; err == IM_OK && i < 200; i++)
        err = im_set_add(set, &i, sizeof i, NULL, NULL, e);
    im_set_free(&set);
    return err;
}

static void without_memory_it_says_so(void **state) {
    (void)state;
    assert_true(oom_every_allocation(fill, NULL) > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_numbered_once),
        cmocka_unit_test(bytes_and_lengths_count),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
