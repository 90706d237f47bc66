/* Growing strings and growing arrays. */
#include "lib/base/buf.h"
#include "lib/base/vec.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

static void an_empty_buffer_is_usable(void **state) {
    (void)state;
    struct im_buf b = IM_BUF_INIT;
    assert_string_equal(im_buf_str(&b), "");
    assert_int_equal(im_buf_value(&b).bv_len, 0);
    char *taken = im_buf_take(&b);
    assert_string_equal(taken, "");
    free(taken);
    im_buf_free(&b);
    im_buf_free(NULL);
}

static void pieces_are_appended(void **state) {
    (void)state;
    struct im_buf b = IM_BUF_INIT;
    im_buf_adds(&b, "one");
    im_buf_addc(&b, ',');
    im_buf_addf(&b, "%d+%s", 2, "three");
    im_buf_add(&b, NULL, 0);
    im_buf_add(&b, "\0x", 2);
    assert_int_equal(b.len, 13);
    assert_memory_equal(b.data, "one,2+three\0x", 14);
    struct berval view = im_buf_value(&b);
    assert_ptr_equal(view.bv_val, b.data);
    assert_int_equal(view.bv_len, b.len);
    im_buf_free(&b);
    assert_null(b.data);
}

static void it_grows_far_beyond_its_first_size(void **state) {
    (void)state;
    struct im_buf b = IM_BUF_INIT;
    for (int i = 0; i < 100000; i++)
        im_buf_addc(&b, (char)('a' + i % 26));
    im_buf_addf(&b, "%01000d", 0);
    assert_int_equal(b.len, 101000);
    for (size_t i = 0; i < 100000; i++)
        assert_int_equal(b.data[i], 'a' + (int)(i % 26));
    assert_int_equal(strlen(b.data), b.len);
    im_buf_free(&b);
}

static void a_size_that_overflows_fails(void **state) {
    (void)state;
    struct im_buf b = IM_BUF_INIT;
    im_buf_adds(&b, "abc");
    im_buf_add(&b, "x", SIZE_MAX - 2);
    assert_true(b.failed);
    assert_int_equal(b.len, 3);
    im_buf_free(&b);
}

static void a_failure_is_remembered_until_cleared(void **state) {
    (void)state;
    struct im_buf b = IM_BUF_INIT;
    oom_fail_at(1);
    im_buf_adds(&b, "lost");
    oom_fail_at(0);
    im_buf_adds(&b, "after");
    im_buf_addf(&b, "%d", 1);
    assert_true(b.failed);
    assert_int_equal(b.len, 0);
    assert_string_equal(im_buf_str(&b), "");
    im_buf_clear(&b);
    im_buf_adds(&b, "kept");
    assert_false(b.failed);
    assert_string_equal(im_buf_str(&b), "kept");
    im_buf_free(&b);
}

static void taking_a_failed_buffer_gives_nothing(void **state) {
    (void)state;
    struct im_buf b = IM_BUF_INIT;
    im_buf_adds(&b, "abc");
    oom_fail_at(1);
    im_buf_addf(&b, "%0200d", 0);
    oom_fail_at(0);
    assert_null(im_buf_take(&b));
    assert_null(b.data);
    assert_false(b.failed);
}

static void clearing_keeps_the_memory(void **state) {
    (void)state;
    struct im_buf b = IM_BUF_INIT;
    im_buf_adds(&b, "abc");
    const char *before = b.data;
    im_buf_clear(&b);
    assert_string_equal(im_buf_str(&b), "");
    im_buf_adds(&b, "x");
    assert_ptr_equal(b.data, before);
    char *taken = im_buf_take(&b);
    assert_string_equal(taken, "x");
    assert_null(b.data);
    free(taken);
}

struct numbers {
    long *items;
    size_t count, cap;
};

static void a_vector_holds_what_was_pushed(void **state) {
    (void)state;
    struct numbers v = {0};
    for (long i = 0; i < 1000; i++) {
        long *slot = im_vec_push(&v);
        assert_non_null(slot);
        assert_int_equal(*slot, 0);
        *slot = i;
    }
    for (long i = 0; i < 1000; i++)
        assert_int_equal(v.items[i], i);
    im_vec_free(&v);
    assert_null(v.items);
    assert_int_equal(v.count + v.cap, 0);
}

static void a_vector_that_cannot_grow_is_unchanged(void **state) {
    (void)state;
    struct numbers v = {0};
    for (long i = 0; i < 8; i++)
        *(long *)im_vec_push(&v) = i;
    oom_fail_at(1);
    assert_null(im_vec_push(&v));
    oom_fail_at(0);
    assert_int_equal(v.count, 8);
    assert_int_equal(v.items[7], 7);
    assert_non_null(im_vec_push(&v));
    im_vec_free(&v);
}

static void a_vector_does_not_overflow(void **state) {
    (void)state;
    long *items = NULL;
    size_t count = 0;
    size_t cap = 0;
    assert_null(im_vec_grow(&items, &count, &cap, SIZE_MAX / 4));
    count = cap = SIZE_MAX / 2 + 1;
    assert_null(im_vec_grow(&items, &count, &cap, 1));
    assert_null(items);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_usable),
        cmocka_unit_test(pieces_are_appended),
        cmocka_unit_test(it_grows_far_beyond_its_first_size),
        cmocka_unit_test(a_size_that_overflows_fails),
        cmocka_unit_test(a_failure_is_remembered_until_cleared),
        cmocka_unit_test(taking_a_failed_buffer_gives_nothing),
        cmocka_unit_test(clearing_keeps_the_memory),
        cmocka_unit_test(a_vector_holds_what_was_pushed),
        cmocka_unit_test(a_vector_that_cannot_grow_is_unchanged),
        cmocka_unit_test(a_vector_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
