/* Entries as they were read. */
#include "lib/data/entry.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

struct fixture {
    struct im_pool *pool;
    struct berval mails[2], raw[1];
    struct im_attr attrs[3];
    struct im_entry entry;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    f->pool = im_pool_new();
    f->mails[0] = VALUE("Jane@Corp.Example");
    f->mails[1] = VALUE("jd@corp.example");
    f->raw[0] = VALUE("a\0b");
    f->attrs[0] = (struct im_attr){.name = "mail", .values = f->mails, .count = 2};
    f->attrs[1] = (struct im_attr){.name = "objectGUID", .values = f->raw, .count = 1};
    f->attrs[2] = (struct im_attr){.name = "description"};
    f->entry = (struct im_entry){.dn = "CN=Jane", .attrs = f->attrs, .count = 3, .line = 12};
    *state = f;
    return f->pool ? 0 : -1;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

static void attributes_are_found_without_letter_case(void **state) {
    struct fixture *f = *state;
    assert_ptr_equal(im_entry_attr(&f->entry, "MAIL"), &f->attrs[0]);
    assert_null(im_entry_attr(&f->entry, "mai"));
    assert_null(im_entry_attr(&f->entry, ""));
    assert_null(im_entry_attr(&f->entry, "description")); /* without values it is absent */
    assert_ptr_equal(im_entry_value(&f->entry, "mail"), &f->mails[0]);
    assert_null(im_entry_value(&f->entry, "description"));
    assert_string_equal(im_entry_string(&f->entry, "Mail"), "Jane@Corp.Example");
    assert_string_equal(im_entry_string(&f->entry, "objectguid"), "a"); /* cut at its NUL */
    assert_null(im_entry_string(&f->entry, "nothing"));
    struct im_entry empty = {.dn = ""};
    assert_null(im_entry_attr(&empty, "mail"));
}

static void values_are_found_without_letter_case(void **state) {
    struct fixture *f = *state;
    assert_true(im_entry_has_value(&f->entry, "mail", "jane@corp.example"));
    assert_true(im_entry_has_value(&f->entry, "mail", "JD@corp.example"));
    assert_false(im_entry_has_value(&f->entry, "mail", "jane"));
    assert_false(im_entry_has_value(&f->entry, "objectGUID", "a"));
    assert_false(im_entry_has_value(&f->entry, "nothing", ""));
}

static void values_are_equal_byte_by_byte(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        size_t a_len, b_len;
        bool equal;
    } rows[] = {
        {"a\0b", "a\0b", 3, 3, true}, {"a\0b", "a\0c", 3, 3, false}, {"a", "A", 1, 1, false},
        {"a", "ab", 1, 2, false},     {NULL, "", 0, 0, true},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct berval a = value_of(rows[i].a, rows[i].a_len);
        struct berval b = value_of(rows[i].b, rows[i].b_len);
        assert_int_equal(im_value_equal(&a, &b), rows[i].equal);
        assert_int_equal(im_value_equal(&b, &a), rows[i].equal);
    }
}

static void a_copy_shares_nothing(void **state) {
    struct fixture *f = *state;
    struct im_entry *copy = im_entry_copy(&f->entry, f->pool);
    assert_non_null(copy);
    assert_string_equal(copy->dn, "CN=Jane");
    assert_ptr_not_equal(copy->dn, f->entry.dn);
    assert_int_equal(copy->line, 12);
    assert_int_equal(copy->count, 3);
    for (size_t i = 0; i < copy->count; i++) {
        assert_string_equal(copy->attrs[i].name, f->attrs[i].name);
        assert_int_equal(copy->attrs[i].count, f->attrs[i].count);
        for (size_t k = 0; k < copy->attrs[i].count; k++) {
            assert_true(im_value_equal(&copy->attrs[i].values[k], &f->attrs[i].values[k]));
            assert_ptr_not_equal(copy->attrs[i].values[k].bv_val, f->attrs[i].values[k].bv_val);
            assert_int_equal(copy->attrs[i].values[k].bv_val[copy->attrs[i].values[k].bv_len], '\0');
        }
    }
}

static void a_copy_that_does_not_fit_is_null(void **state) {
    struct fixture *f = *state;
    char large[9000] = {0};
    f->mails[1] = value_of(large, sizeof large);
    oom_fail_at(2); /* the pool's first block, then one for the large value */
    assert_null(im_entry_copy(&f->entry, f->pool));
    oom_fail_at(0);
}

#define WITH_ENTRY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_ENTRY(attributes_are_found_without_letter_case), WITH_ENTRY(values_are_found_without_letter_case),
        cmocka_unit_test(values_are_equal_byte_by_byte),      WITH_ENTRY(a_copy_shares_nothing),
        WITH_ENTRY(a_copy_that_does_not_fit_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
