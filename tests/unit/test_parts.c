/* One search as several: whatever the tree looks like, each entry comes once. */
#include "lib/directory/parts.h"

#include "lib/base/buf.h"
#include "tests/unit/memdir.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define BASE "dc=corp,dc=example"
#define ALL "(sn=*)"

enum { MANY = 70 }; /* more containers than two connections ask about */

static const struct memdir_attr attrs[] = {{"hasSubordinates", MEMDIR_HIDDEN}, {NULL, 0}};

struct fixture {
    struct memdir *m;
    struct im_directory *d;
    struct im_buf ldif, names;
    size_t fail_at, met;
    struct im_error e;
};

/* is_container: both kinds of servers are to see it. */
static void has(struct fixture *f, const char *dn, bool is_container, const char *more) {
    const char *class = !is_container || strncmp(dn, "cn=", 3) == 0 ? "person" : "organizationalUnit";
    im_buf_addf(&f->ldif, "dn: %s%s" BASE "\nobjectClass: top\nobjectClass: %s\nhasSubordinates: %s\n%s\n", dn, *dn ? "," : "",
                class, is_container ? "TRUE" : "FALSE", more);
}

static void opens(struct fixture *f, const char *root) {
    struct im_buf whole = IM_BUF_INIT;
    im_buf_adds(&whole, root);
    im_buf_adds(&whole, im_buf_str(&f->ldif));
    f->m = memdir_new(attrs, im_buf_str(&whole));
    assert_int_equal(memdir_open(f->m, &f->d, &f->e), IM_OK);
    im_buf_free(&whole);
}

static int begin(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    has(f, "", true, "sn: base\n");
    has(f, "ou=People", true, "");
    has(f, "cn=Top", false, "sn: top\n");
    *state = f;
    return 0;
}

static int end(void **state) {
    struct fixture *f = *state;
    im_directory_free(&f->d);
    memdir_free(&f->m);
    im_buf_free(&f->ldif);
    im_buf_free(&f->names);
    free(f);
    return 0;
}

/* ---- what comes ---- */

static enum im_err take(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct fixture *f = user;
    (void)lookup;
    im_buf_addf(&f->names, "%s;", im_entry_string(entry, "sn"));
    if (f->names.failed)
        return im_error_nomem(e);
    return f->fail_at && ++f->met == f->fail_at ? im_error_set(e, IM_E_IO, "disk full") : IM_OK;
}

static enum im_err search(struct fixture *f, size_t most) {
    static const char *const wanted[] = {"sn", NULL};
    const struct im_search all = {.base = BASE, .scope = IM_SEARCH_SUB, .filter = ALL, .attributes = wanted};
    im_buf_clear(&f->names);
    im_error_clear(&f->e);
    return im_parts_search(f->d, &all, most, take, f, &f->e);
}

static int by_text(const void *a, const void *b) {
    const char *const *one = a;
    const char *const *two = b;
    return strcmp(*one, *two);
}

/* The names in order. */
static void sorted(struct im_buf *names) {
    const char *words[4 * MANY] = {NULL};
    size_t count = 0;
    struct im_buf out = IM_BUF_INIT;
    for (char *word = strtok(names->data, ";"); word; word = strtok(NULL, ";")) {
        assert_true(count < LENGTH(words));
        words[count++] = word;
    }
    qsort(words, count, sizeof *words, by_text);
    for (size_t i = 0; i < count; i++)
        im_buf_addf(&out, "%s;", words[i]);
    im_buf_free(names);
    *names = out;
}

static void finds(struct fixture *f, size_t most, const char *expected) {
    assert_int_equal(search(f, most), IM_OK);
    sorted(&f->names);
    assert_string_equal(im_buf_str(&f->names), expected);
}

/* The same in parts as in one search; how many searches that took. */
static size_t divides(struct fixture *f, size_t most) {
    struct im_buf whole = IM_BUF_INIT;
    assert_int_equal(search(f, 1), IM_OK);
    sorted(&f->names);
    im_buf_adds(&whole, im_buf_str(&f->names));
    size_t before = memdir_count(f->m, MEMDIR_SEARCH);
    finds(f, most, im_buf_str(&whole));
    im_buf_free(&whole);
    return memdir_count(f->m, MEMDIR_SEARCH) - before;
}

/* ---- trees ---- */

static void grow(struct fixture *f) {
    has(f, "ou=Deep,ou=People", true, "");
    has(f, "ou=Deeper,ou=Deep,ou=People", true, "sn: a place with a name\n");
    has(f, "cn=Low,ou=Deeper,ou=Deep,ou=People", false, "sn: low\n");
    has(f, "cn=High,ou=People", false, "sn: high\n");
    has(f, "ou=Comma\\, Inc,ou=People", true, "");
    has(f, "cn=Ann\\, B,ou=Comma\\, Inc,ou=People", false, "sn: ann\n");
    has(f, "ou=Empty", true, "");
}

/* The base itself, the containers themselves, what is directly below them. */
static void test_every_entry_comes_once(void **state) {
    struct fixture *f = *state;
    grow(f);
    opens(f, MEMDIR_AD);
    finds(f, 4, "a place with a name;ann;base;high;low;top;");
    assert_int_equal(divides(f, 4), 2 * 6);
}

static void test_where_the_server_tells_of_each_entry(void **state) {
    struct fixture *f = *state;
    grow(f);
    has(f, "cn=Eve,ou=Deep,ou=People", true, "sn: eve\n"); /* an account may have entries below it there */
    has(f, "cn=Phone,cn=Eve,ou=Deep,ou=People", false, "sn: phone\n");
    opens(f, MEMDIR_OPENLDAP);
    finds(f, 4, "a place with a name;ann;base;eve;high;low;phone;top;");
    assert_int_equal(divides(f, 4), 1 + 2 * 7);
}

static void test_where_it_does_not_tell(void **state) {
    struct fixture *f = *state;
    im_buf_clear(&f->ldif);
    im_buf_adds(&f->ldif, "dn: " BASE "\nobjectClass: domain\nsn: base\n\ndn: ou=People," BASE
                          "\nobjectClass: organizationalUnit\n\ndn: cn=Ann,ou=People," BASE "\nobjectClass: person\nsn: ann\n\n");
    opens(f, MEMDIR_OPENLDAP);
    assert_int_equal(divides(f, 4), 1 + 1);
    finds(f, 4, "ann;base;");
}

static void grow_wide(struct fixture *f) {
    for (size_t i = 0; i < MANY; i++) {
        char dn[64];
        char sn[32];
        (void)snprintf(dn, sizeof dn, "ou=%zu,ou=People", i);
        has(f, dn, true, i % 2 ? "sn: container\n" : "");
        (void)snprintf(dn, sizeof dn, "cn=p%zu,ou=%zu,ou=People", i, i);
        (void)snprintf(sn, sizeof sn, "sn: person %zu\n", i);
        has(f, dn, false, sn);
    }
    has(f, "cn=High,ou=People", false, "sn: high\n");
}

static void test_too_many_containers_are_one_search(void **state) {
    struct fixture *f = *state;
    grow_wide(f);
    opens(f, MEMDIR_AD);
    assert_int_equal(divides(f, 2), 2 * 2 + 1);
    assert_int_equal(divides(f, 3), (size_t)2 * (2 + MANY));
}

/* ---- what may go wrong ---- */

static void test_a_part_that_is_cut_off_is_an_error(void **state) {
    struct fixture *f = *state;
    struct im_event event;
    grow(f);
    opens(f, MEMDIR_AD);
    for (size_t nth = 1; nth <= 2 * (size_t)6; nth++) {
        memdir_fault(f->m, (struct memdir_fault){
                               .kind = MEMDIR_SEARCH, .nth = memdir_count(f->m, MEMDIR_SEARCH) + nth, .code = 4, .entries = 1});
        assert_int_equal(search(f, 4), IM_E_TRUNCATED);
        assert_int_equal(im_directory_wait(f->d, 0, &event, &f->e), IM_OK); /* nothing is in flight */
        assert_int_equal(event.kind, IM_EVENT_NONE);
        assert_int_equal(search(f, 4), IM_OK);
    }
}

static void test_a_container_that_went_away_is_an_error(void **state) {
    struct fixture *f = *state;
    opens(f, MEMDIR_AD);
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = memdir_count(f->m, MEMDIR_SEARCH) + 4, .code = 32});
    assert_int_equal(search(f, 4), IM_E_INVISIBLE);
    assert_non_null(strstr(f->e.text, "ou=People"));
}

static void test_who_takes_entries_may_end_it(void **state) {
    struct fixture *f = *state;
    struct im_event event;
    grow(f);
    opens(f, MEMDIR_AD);
    for (f->fail_at = 1; f->fail_at <= 6; f->fail_at++) {
        f->met = 0;
        assert_int_equal(search(f, 4), IM_E_IO);
        assert_int_equal(f->met, f->fail_at);
        assert_int_equal(im_directory_wait(f->d, 0, &event, &f->e), IM_OK);
        assert_int_equal(event.kind, IM_EVENT_NONE);
    }
}

static void test_a_lost_connection(void **state) {
    struct fixture *f = *state;
    grow(f);
    opens(f, MEMDIR_AD);
    memdir_fault(f->m,
                 (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = memdir_count(f->m, MEMDIR_SEARCH) + 3, .error = IM_E_LOST});
    assert_int_equal(search(f, 4), IM_E_LOST);
}

static enum im_err again(void *user, struct im_error *e) {
    struct fixture *f = user;
    enum im_err err = search(f, 2);
    if (err != IM_OK && e)
        *e = f->e;
    return err;
}

static void test_out_of_memory(void **state) {
    struct fixture *f = *state;
    grow(f);
    opens(f, MEMDIR_AD);
    assert_true(oom_every_allocation(again, f) > 1);
}

static void test_out_of_memory_in_a_wide_tree(void **state) {
    struct fixture *f = *state;
    grow_wide(f);
    opens(f, MEMDIR_AD);
    assert_true(oom_every_allocation(again, f) > 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_entry_comes_once, begin, end),
        cmocka_unit_test_setup_teardown(test_where_the_server_tells_of_each_entry, begin, end),
        cmocka_unit_test_setup_teardown(test_where_it_does_not_tell, begin, end),
        cmocka_unit_test_setup_teardown(test_too_many_containers_are_one_search, begin, end),
        cmocka_unit_test_setup_teardown(test_a_part_that_is_cut_off_is_an_error, begin, end),
        cmocka_unit_test_setup_teardown(test_a_container_that_went_away_is_an_error, begin, end),
        cmocka_unit_test_setup_teardown(test_who_takes_entries_may_end_it, begin, end),
        cmocka_unit_test_setup_teardown(test_a_lost_connection, begin, end),
        cmocka_unit_test_setup_teardown(test_out_of_memory, begin, end),
        cmocka_unit_test_setup_teardown(test_out_of_memory_in_a_wide_tree, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
