/* What a selection remembers of each account comes back as it was put in. */
#include "lib/base/buf.h"
#include "lib/model/chosen.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static struct im_pool *pool;

static int set_up(void **state) {
    (void)state;
    pool = im_pool_new();
    return pool ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    im_pool_free(&pool);
    return 0;
}

static enum im_err add(struct im_chosen *chosen, const char *dn, const char *guid, struct im_error *e) {
    struct berval value = value_of(guid, 16);
    struct im_attr attr = {.name = "objectGUID", .values = &value, .count = 1};
    struct im_entry entry = {.dn = dn, .attrs = &attr, .count = guid != NULL};
    return im_chosen_add(chosen, &entry, e);
}

static struct im_identity next(const struct im_chosen *chosen, struct im_chosen_place *place) {
    struct im_identity identity = {.text = NULL};
    bool is_end = false;
    assert_int_equal(im_chosen_next(chosen, place, pool, &identity, &is_end, NULL), IM_OK);
    assert_int_equal(is_end, identity.text == NULL);
    return identity;
}

static void names_come_back_as_spelled(void **state) {
    (void)state;
    static const char *const dns[] = {"uid=a,ou=People,dc=x",
                                      "uid=b,ou=People,dc=x",
                                      "uid=c\\, d , OU=People,dc=x",
                                      "dc=x",
                                      "uid=e,ou=Other,dc=x",
                                      "uid=f\\2cg,ou=People,dc=x",
                                      "not a DN",
                                      ""};
    struct im_chosen *chosen = im_chosen_new(false);
    struct im_chosen_place place = {0};
    for (size_t i = 0; i < LENGTH(dns); i++)
        assert_int_equal(add(chosen, dns[i], "0123456789abcdef", NULL), IM_OK);
    assert_int_equal(im_chosen_count(chosen), LENGTH(dns));
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < LENGTH(dns); i++) {
            struct im_identity identity = next(chosen, &place);
            assert_int_equal(identity.kind, IM_ID_DN);
            assert_string_equal(identity.text, dns[i]);
        }
        assert_null(next(chosen, &place).text);
        assert_null(next(chosen, &place).text);
        place = (struct im_chosen_place){0};
    }
    im_chosen_free(&chosen);
    assert_null(chosen);
}

static void active_directory_is_kept_by_guid(void **state) {
    (void)state;
    struct im_chosen *chosen = im_chosen_new(true);
    struct im_chosen_place place = {0};
    assert_int_equal(add(chosen, "CN=a,DC=x", "\x03\x02\x01\x00\x05\x04\x07\x06\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", NULL), IM_OK);
    assert_int_equal(add(chosen, "CN=b,DC=x", NULL, NULL), IM_OK);
    struct im_identity identity = next(chosen, &place);
    assert_int_equal(identity.kind, IM_ID_GUID);
    assert_string_equal(identity.text, "00010203-0405-0607-0809-0a0b0c0d0e0f");
    identity = next(chosen, &place);
    assert_int_equal(identity.kind, IM_ID_DN);
    assert_string_equal(identity.text, "CN=b,DC=x");
    assert_null(next(chosen, &place).text);
    im_chosen_free(&chosen);
}

static void many_places_and_long_names(void **state) {
    (void)state;
    enum { MANY = 20000 };
    struct im_chosen *chosen = im_chosen_new(false);
    struct im_chosen_place place = {0};
    char dn[256];
    struct im_buf text = {0};
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(dn, sizeof dn, "uid=user-%zu,ou=place-%zu,dc=x", i, i % 300);
        assert_int_equal(add(chosen, dn, NULL, NULL), IM_OK);
    }
    im_buf_adds(&text, "cn=");
    for (size_t i = 0; i < 100000; i++)
        im_buf_addc(&text, 'x');
    assert_int_equal(add(chosen, im_buf_str(&text), NULL, NULL), IM_OK);
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(dn, sizeof dn, "uid=user-%zu,ou=place-%zu,dc=x", i, i % 300);
        assert_string_equal(next(chosen, &place).text, dn);
        im_pool_reset(pool);
    }
    assert_string_equal(next(chosen, &place).text, im_buf_str(&text));
    assert_null(next(chosen, &place).text);
    im_buf_free(&text);
    im_chosen_free(&chosen);
}

static void nobody(void **state) {
    (void)state;
    struct im_chosen *chosen = im_chosen_new(true);
    struct im_chosen_place place = {0};
    assert_null(next(chosen, &place).text);
    im_chosen_free(&chosen);
}

static enum im_err fill(void *user, struct im_error *e) {
    struct im_chosen *chosen = im_chosen_new(true);
    struct im_pool *own = im_pool_new();
    struct im_chosen_place place = {0};
    struct im_identity identity;
    bool is_end = false;
    (void)user;
    enum im_err err = chosen && own ? IM_OK : im_error_nomem(e);
    if (err == IM_OK)
        err = add(chosen, "CN=a,DC=x", "0123456789abcdef", e);
    if (err == IM_OK)
        err = add(chosen, "CN=a,DC=x", NULL, e);
    while (err == IM_OK && !is_end)
        err = im_chosen_next(chosen, &place, own, &identity, &is_end, e);
    im_chosen_free(&chosen);
    im_pool_free(&own);
    return err;
}

static void without_memory_it_says_so(void **state) {
    (void)state;
    assert_true(oom_every_allocation(fill, NULL) > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_come_back_as_spelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(active_directory_is_kept_by_guid, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_places_and_long_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody, set_up, tear_down),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
