/* What is shown of a move before it is asked about. */
#include "tests/unit/unit.h"

#include "tools/preview.h"

#define HOME1 "CN=imhome1,DC=corp,DC=example"
#define HOME2 "CN=imhome2,DC=corp,DC=example"
#define LOST "CN=lost,DC=corp,DC=example"

struct fixture {
    struct im_profile *profile;
    struct im_server server[3];
    struct im_servers servers;
    struct im_preview preview;
    struct im_error e;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(im_profile_load("exchange2000", &f->profile, &f->e), IM_OK);
    f->server[0] = (struct im_server){.name = "imhome1", .dn = HOME1, .hosts_users = true, .users = 700};
    f->server[1] = (struct im_server){.name = "imhome2", .dn = HOME2, .hosts_users = true, .users = 40, .capacity = 2500};
    f->server[2] = (struct im_server){.name = "z\x1b[31m", .dn = "CN=z", .hosts_users = true, .users = -1};
    f->servers = (struct im_servers){.items = f->server, .count = 3};
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_preview_free(&f->preview);
    im_profile_free(&f->profile);
    free(f);
    return 0;
}

static void begin(struct fixture *f, const char *from) {
    assert_int_equal(im_preview_begin(&f->preview, f->profile, &f->servers, from, &f->e), IM_OK);
}

static void moved(struct fixture *f, const char *before, const char *to) {
    const struct berval value = {.bv_len = before ? strlen(before) : 0, .bv_val = (char *)(uintptr_t)before};
    const struct im_plan_diff diff = {.attribute = "msExchIMVirtualServer", .before = &value, .before_count = before != NULL};
    const struct im_result r = {.account = "x", .outcome = IM_CHANGED, .home = to, .diffs = &diff, .diff_count = 1};
    assert_int_equal(im_preview_add(&f->preview, &r, &f->e), IM_OK);
}

static void refused(struct fixture *f, const char *account, enum im_outcome outcome, const char *reason) {
    const struct im_result r = {.account = account, .outcome = outcome, .reason = reason};
    assert_int_equal(im_preview_add(&f->preview, &r, &f->e), IM_OK);
}

static void assert_shows(struct fixture *f, const char *expected) {
    struct im_buf text = IM_BUF_INIT;
    im_preview_write(&f->preview, &text);
    assert_string_equal(im_buf_str(&text), expected);
    im_buf_free(&text);
}

static void ways_are_counted_with_what_is_there_then(void **state) {
    struct fixture *f = *state;
    begin(f, NULL);
    for (int i = 0; i < 500; i++)
        moved(f, HOME1, "imhome2");
    moved(f, HOME2, "imhome1");
    moved(f, "cn=imhome1, dc=corp, dc=example", "z\x1b[31m");
    assert_shows(f, "from     to           people      then  capacity\n"
                    "imhome1  imhome2         500       539      2500\n"
                    "imhome2  imhome1           1       200         -\n"
                    "imhome1  z\\x1b[31m         1         -         -\n");
}

static void a_home_that_is_gone_has_the_name_that_was_given(void **state) {
    struct fixture *f = *state;
    begin(f, "lost.corp.example");
    moved(f, LOST, "imhome2");
    moved(f, NULL, "imhome2"); /* only a URL named it */
    assert_shows(f, "from               to         people      then  capacity\n"
                    "lost.corp.example  imhome2         2        42      2500\n");
}

static void whoever_cannot_be_moved_is_named(void **state) {
    struct fixture *f = *state;
    begin(f, NULL);
    refused(f, "anna", IM_REFUSED, "full");
    refused(f, "b\nob", IM_REFUSED, "account-domain-unknown");
    refused(f, "carl", IM_REFUSED, "full");
    refused(f, "dora", IM_REFUSED, "full");
    refused(f, "emil", IM_REFUSED, "full");
    refused(f, NULL, IM_AMBIGUOUS, NULL);
    const struct im_result same = {.account = "fritz", .outcome = IM_UNCHANGED};
    assert_int_equal(im_preview_add(&f->preview, &same, &f->e), IM_OK);
    assert_shows(f, "cannot be moved: 4, full (anna, carl, dora, ...)\n"
                    "cannot be moved: 1, account-domain-unknown (b\\x0aob)\n"
                    "cannot be moved: 1, ambiguous (?)\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(ways_are_counted_with_what_is_there_then),
        TEST(a_home_that_is_gone_has_the_name_that_was_given),
        TEST(whoever_cannot_be_moved_is_named),
    };
    return cmocka_run_group_tests_name("preview", tests, NULL, NULL);
}
