/* Names that are looked up often. */
#include "lib/base/names.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <stdio.h>

enum { MANY = 3000 };

/* Alike in their beginning, end and length, as those of schemas are. */
static const char *name_of(struct im_pool *pool, size_t i, bool is_capital) {
    return im_pool_printf(pool, is_capital ? "MSEXCH-%04zu-ATTRIBUTE" : "msExch-%04zu-Attribute", i);
}

static void each_is_found_in_whatever_case(void **state) {
    (void)state;
    struct im_pool *pool = im_pool_new();
    struct im_names names;
    assert_true(im_names_make(&names, MANY, pool));
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(im_names_add(&names, name_of(pool, i, false), (uint32_t)i)->place, i);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(im_names_find(&names, name_of(pool, i, false))->place, i);
        assert_int_equal(im_names_find(&names, name_of(pool, i, true))->place, i);
    }
    assert_null(im_names_find(&names, name_of(pool, MANY, false)));
    assert_null(im_names_find(&names, ""));
    im_pool_free(&pool);
}

static void the_first_of_two_stays(void **state) {
    (void)state;
    struct im_pool *pool = im_pool_new();
    struct im_names names;
    assert_true(im_names_make(&names, 3, pool));
    assert_int_equal(im_names_add(&names, "mail", 1)->place, 1);
    assert_int_equal(im_names_add(&names, "Mail", 2)->place, 1);
    assert_int_equal(im_names_add(&names, "", 3)->place, 3);
    assert_int_equal(im_names_find(&names, "MAIL")->place, 1);
    assert_string_equal(im_names_find(&names, "MAIL")->text, "mail");
    assert_int_equal(im_names_find(&names, "")->place, 3);
    im_pool_free(&pool);
}

/* Letters that differ by the bit of their case, and are none. */
static void only_letters_have_a_case(void **state) {
    (void)state;
    struct im_pool *pool = im_pool_new();
    struct im_names names;
    assert_true(im_names_make(&names, 2, pool));
    (void)im_names_add(&names, "a@b", 1);
    (void)im_names_add(&names, "a[b", 2);
    assert_null(im_names_find(&names, "a`b"));
    assert_null(im_names_find(&names, "a{b"));
    assert_int_equal(im_names_find(&names, "A@B")->place, 1);
    im_pool_free(&pool);
}

static enum im_err make_once(void *user, struct im_error *e) {
    struct im_pool *pool = im_pool_new();
    struct im_names names;
    (void)user;
    enum im_err err = pool && im_names_make(&names, MANY, pool) ? IM_OK : im_error_nomem(e);
    im_pool_free(&pool);
    return err;
}

static void without_memory_it_says_so(void **state) {
    (void)state;
    assert_true(oom_every_allocation(make_once, NULL) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_found_in_whatever_case),
        cmocka_unit_test(the_first_of_two_stays),
        cmocka_unit_test(only_letters_have_a_case),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
