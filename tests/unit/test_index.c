/* Hashes and the index that is made of them. */
#include "lib/base/hash.h"
#include "lib/base/index.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

/* Vectors of the paper's reference: key 00 01 .. 0f, message of n bytes 00 01 .. */
static void hashes_as_the_paper_says(void **state) {
    static const struct {
        size_t len;
        uint64_t hash;
    } rows[] = {{0, 0x726fdb47dd0e0e31U}, {1, 0x74f839c593dc67fdU},  {7, 0xab0200f58b01d137U},
                {8, 0x93f5f5799a932462U}, {15, 0xa129ca6149be45e5U}, {63, 0x958a324ceb064572U}};
    const uint64_t key[2] = {0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
    unsigned char message[64];
    (void)state;
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (unsigned char)i;
    for (size_t i = 0; i < LENGTH(rows); i++)
        assert_true(im_hash(message, rows[i].len, key) == rows[i].hash);
}

static void seeds_differ(void **state) {
    uint64_t a[2], b[2];
    (void)state;
    im_hash_seed(a);
    im_hash_seed(b);
    assert_true(a[0] != b[0] || a[1] != b[1]);
}

/* Few home slots, so that probing and moving up are what is tried: at the beginning, at the end, and where growing splits them.
 */
static uint64_t crowded(size_t n) {
    static const uint64_t homes[] = {1, 2, 3, 31, 63, 0xffffffff, 0xfffffffe, 0x7ff, 0x3ff};
    return homes[n % LENGTH(homes)] + ((uint64_t)(n + 1) << 32);
}

static void keeps_what_is_put_in(void **state) {
    enum { MANY = 3000 };
    static bool is_in[MANY];
    struct im_index *index = im_index_new();
    size_t count = 0;
    uint64_t seed = 88172645463325252U;
    (void)state;
    assert_non_null(index);
    memset(is_in, 0, sizeof is_in);
    for (int round = 0; round < 20000; round++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        size_t n = (size_t)(seed >> 20) % (round < 10000 ? 40 : MANY);
        bool is_new;
        if (seed % 3) {
            struct im_index_item *item = im_index_put(index, crowded(n), &is_new);
            assert_non_null(item);
            assert_int_equal(is_new, !is_in[n]);
            assert_true(is_new ? item->a == 0 && item->b == 0 : item->a == n + 1);
            item->a = (uint32_t)n + 1;
            count += is_new;
            is_in[n] = true;
        } else {
            im_index_remove(index, crowded(n));
            count -= is_in[n];
            is_in[n] = false;
        }
        assert_int_equal(im_index_count(index), count);
    }
    for (size_t n = 0; n < MANY; n++) {
        const struct im_index_item *item = im_index_find(index, crowded(n));
        assert_int_equal(item != NULL, is_in[n]);
        assert_true(!item || item->a == n + 1);
    }
    im_index_free(&index);
    im_index_free(&index);
}

/* Items that found no room at the end and stand at the beginning, when growing gives them another place. */
static void wrapped_items_are_found_after_growing(void **state) {
    enum { COUNT = 49, WRAPPED = 4 };                        /* one more than three quarters of 64 */
    static const uint64_t low[WRAPPED] = {127, 63, 127, 63}; /* home 63; in twice as many slots 127 or 63 */
    struct im_index *index = im_index_new();
    (void)state;
    assert_non_null(index);
    for (uint64_t i = 0; i < COUNT; i++) {
        uint64_t hash = (i < WRAPPED ? low[i] : 10 + i % 40) + ((i + 1) << 32);
        bool is_new;
        struct im_index_item *item = im_index_put(index, hash, &is_new);
        assert_non_null(item);
        assert_true(is_new);
        item->a = (uint32_t)i;
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        uint64_t hash = (i < WRAPPED ? low[i] : 10 + i % 40) + ((i + 1) << 32);
        const struct im_index_item *item = im_index_find(index, hash);
        assert_non_null(item);
        assert_int_equal(item->a, i);
    }
    im_index_free(&index);
}

static enum im_err fill(void *user, struct im_error *e) {
    struct im_index *index = im_index_new();
    enum im_err err = index ? IM_OK : im_error_nomem(e);
    (void)user;
    for (uint64_t i = 1; err == IM_OK && i < 200; i++) {
        bool is_new;
        if (!im_index_put(index, i, &is_new))
            err = im_error_nomem(e);
    }
    im_index_free(&index);
    return err;
}

static void runs_out_of_memory(void **state) {
    (void)state;
    assert_true(oom_every_allocation(fill, NULL) >= 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_the_paper_says), cmocka_unit_test(seeds_differ),
        cmocka_unit_test(keeps_what_is_put_in),     cmocka_unit_test(wrapped_items_are_found_after_growing),
        cmocka_unit_test(runs_out_of_memory),
    };
    return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
