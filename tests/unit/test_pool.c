/* Pools: many small pieces that end together. */
#include "lib/base/pool.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

static int set_up(void **state) {
    *state = im_pool_new();
    return *state ? 0 : -1;
}

static int tear_down(void **state) {
    struct im_pool *pool = *state;
    im_pool_free(&pool);
    return pool == NULL ? 0 : -1;
}

static void pieces_are_zeroed_aligned_and_apart(void **state) {
    unsigned char *pieces[300];
    for (size_t i = 0; i < LENGTH(pieces); i++) {
        size_t size = 1 + i * 7 % 200;
        pieces[i] = im_pool_alloc(*state, size);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(pieces[i][k], 0);
        memset(pieces[i], (int)(i & 0xff), size);
    }
    for (size_t i = 0; i < LENGTH(pieces); i++) {
        for (size_t k = 0; k < 1 + i * 7 % 200; k++)
            assert_int_equal(pieces[i][k], i & 0xff);
    }
}

static void large_pieces_have_room(void **state) {
    char *small = im_pool_strdup(*state, "small");
    char *large = im_pool_alloc(*state, 1 << 20);
    assert_non_null(large);
    memset(large, 'x', 1 << 20);
    assert_string_equal(small, "small");
    assert_string_equal(im_pool_strdup(*state, "after"), "after");
}

static void overflow_is_null(void **state) {
    assert_null(im_pool_array(*state, SIZE_MAX / 2, 3));
    assert_null(im_pool_alloc(*state, SIZE_MAX));
    assert_null(im_pool_alloc(*state, SIZE_MAX - 32));
    assert_null(im_pool_strndup(*state, "x", SIZE_MAX));
    assert_non_null(im_pool_array(*state, 0, 8));
    assert_non_null(im_pool_array(*state, 8, 0));
}

static void texts_are_copied(void **state) {
    assert_null(im_pool_strdup(*state, NULL));
    assert_string_equal(im_pool_strndup(*state, "abcdef", 3), "abc");
    assert_string_equal(im_pool_strndup(*state, NULL, 0), "");
    assert_string_equal(im_pool_printf(*state, "%s-%d", "a", 7), "a-7");
    char *padded = im_pool_printf(*state, "%05000d", 1);
    assert_int_equal(strlen(padded), 5000);
}

static void values_keep_their_nuls(void **state) {
    struct berval in = VALUE("a\0b");
    struct berval out = {0};
    assert_int_equal(im_pool_value(*state, &in, &out), 0);
    assert_int_equal(out.bv_len, 3);
    assert_memory_equal(out.bv_val, "a\0b", 4);
    struct berval empty = {0};
    assert_int_equal(im_pool_value(*state, &empty, &out), 0);
    assert_string_equal(out.bv_val, "");
}

static void a_reset_pool_gives_clean_pieces_again(void **state) {
    im_pool_reset(*state);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++) {
            unsigned char *piece = im_pool_alloc(*state, 500);
            for (size_t k = 0; k < 500; k++)
                assert_int_equal(piece[k], 0);
            memset(piece, 0xff, 500);
        }
        im_pool_reset(*state);
    }
}

static void out_of_memory_leaves_the_pool_usable(void **state) {
    char *before = im_pool_strdup(*state, "before");
    struct berval in = VALUE("x");
    struct berval out = VALUE("untouched");
    oom_fail_at(1);
    assert_null(im_pool_alloc(*state, 5000));
    oom_fail_at(1);
    assert_null(im_pool_printf(*state, "%05000d", 1));
    oom_fail_at(0);
    in.bv_len = SIZE_MAX;
    assert_int_equal(im_pool_value(*state, &in, &out), -1);
    assert_string_equal(out.bv_val, "untouched");
    assert_string_equal(before, "before");
    assert_non_null(im_pool_alloc(*state, 5000));
}

static void freeing_nothing_is_fine(void **state) {
    (void)state;
    struct im_pool *none = NULL;
    im_pool_free(NULL);
    im_pool_free(&none);
    oom_fail_at(1);
    assert_null(im_pool_new());
    oom_fail_at(0);
}

#define WITH_POOL(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_POOL(pieces_are_zeroed_aligned_and_apart),
        WITH_POOL(large_pieces_have_room),
        WITH_POOL(overflow_is_null),
        WITH_POOL(texts_are_copied),
        WITH_POOL(values_keep_their_nuls),
        WITH_POOL(a_reset_pool_gives_clean_pieces_again),
        WITH_POOL(out_of_memory_leaves_the_pool_usable),
        cmocka_unit_test(freeing_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
