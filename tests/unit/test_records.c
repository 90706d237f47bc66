/* Plans and journals as inputs of a run. */
#include "lib/engine/records.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <unistd.h>

struct fixture {
    char path[64];
    struct im_pool *pool;
    struct im_journal *journal;
    struct im_records *records;
    struct im_error e;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    (void)snprintf(f->path, sizeof f->path, "/tmp/imdir-records-%ld", (long)getpid());
    (void)unlink(f->path);
    f->pool = im_pool_new();
    *state = f;
    return f->pool ? 0 : -1;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_records_close(&f->records);
    im_records_close(&f->records);
    im_journal_free(&f->journal);
    im_pool_free(&f->pool);
    (void)unlink(f->path);
    free(f);
    return 0;
}

static void begin(struct fixture *f, enum im_journal_kind kind) {
    const struct im_journal_head head = {.kind = kind, .command = "imenable", .profile = "p", .directory = "d"};
    assert_int_equal(im_journal_create(f->path, &head, &f->journal, &f->e), IM_OK);
}

#define NONE IM_OUTCOME_COUNT /* no result */

/* Adds a change of one attribute and of another that is kept; "" is no value. */
static void add(struct fixture *f, struct im_record record, const char *before, const char *after, enum im_outcome outcome) {
    const struct berval values[] = {value_of(before, strlen(before)), value_of(after, strlen(after)), VALUE("kept")};
    const struct im_plan_diff diffs[] = {
        {"address", &values[0], &values[1], *before != '\0', *after != '\0'},
        {"home", &values[2], &values[2], 1, 1},
    };
    size_t id;
    record.diffs = diffs;
    record.diff_count = 2;
    assert_int_equal(im_journal_add(f->journal, &record, &id, &f->e), IM_OK);
    if (outcome != NONE)
        assert_int_equal(im_journal_result(f->journal, id, outcome, &f->e), IM_OK);
}

#define GUID_A "aaaaaaaa-0000-0000-0000-000000000001"
#define GUID_B "bbbbbbbb-0000-0000-0000-000000000002"
static const struct im_record a = {.dn = "cn=a,dc=x", .guid = GUID_A, .account = "a"};
static const struct im_record b = {.dn = "cn=b,dc=x", .guid = GUID_B, .account = "b", .input = "b@x", .source = "list:2"};
static const struct im_record c = {.dn = "cn=c,dc=x"};

static void finish(struct fixture *f, enum im_journal_kind kind) {
    const struct im_summary summary = {0};
    assert_int_equal(im_journal_end(f->journal, &summary, true, &f->e), IM_OK);
    im_journal_free(&f->journal);
    if (im_records_open(f->path, kind, &f->records, &f->e) != IM_OK)
        fail_msg("%s", f->e.text);
}

static void next(struct fixture *f, struct im_input *out) {
    struct im_inputs inputs = im_records_inputs(f->records);
    bool is_end = true;
    assert_int_equal(inputs.next(inputs.user, f->pool, out, &is_end, &f->e), IM_OK);
    assert_false(is_end);
}

static void assert_end(struct fixture *f) {
    struct im_inputs inputs = im_records_inputs(f->records);
    struct im_input input;
    bool is_end = false;
    assert_int_equal(inputs.next(inputs.user, f->pool, &input, &is_end, &f->e), IM_OK);
    assert_true(is_end);
}

static void rewind_all(struct fixture *f) {
    struct im_inputs inputs = im_records_inputs(f->records);
    assert_int_equal(inputs.rewind(inputs.user, &f->e), IM_OK);
}

/* The next input is the change `id`, of the address, and leads from `before` to `after`. */
static void assert_next(struct fixture *f, size_t id, const char *before, const char *after) {
    struct im_input input;
    next(f, &input);
    const struct im_plan_diff *diff = &input.record->diffs[0];
    assert_int_equal(input.record->id, id);
    assert_string_equal(diff->attribute, "address");
    assert_int_equal(diff->before_count, *before != '\0');
    assert_int_equal(diff->after_count, *after != '\0');
    if (*before)
        assert_string_equal(diff->before[0].bv_val, before);
    if (*after)
        assert_string_equal(diff->after[0].bv_val, after);
}

static void plan_comes_in_its_order(void **state) {
    struct fixture *f = *state;
    begin(f, IM_PLAN_FILE);
    add(f, a, "", "1", NONE);
    add(f, b, "1", "2", NONE);
    add(f, c, "1", "", NONE);
    finish(f, IM_PLAN_FILE);
    assert_true(im_journal_is_complete(im_records_reader(f->records)));
    for (int round = 0; round < 2; round++) {
        assert_next(f, 1, "", "1");
        assert_next(f, 2, "1", "2");
        assert_next(f, 3, "1", "");
        assert_end(f);
        assert_end(f);
        rewind_all(f);
    }
}

static void who_is_meant(void **state) {
    struct fixture *f = *state;
    char source[96];
    struct im_input input;
    begin(f, IM_PLAN_FILE);
    add(f, a, "", "1", NONE);
    add(f, b, "", "1", NONE);
    add(f, c, "", "1", NONE);
    finish(f, IM_PLAN_FILE);
    next(f, &input);
    (void)snprintf(source, sizeof source, "%s:2", f->path);
    assert_string_equal(input.source, source);
    assert_string_equal(input.text, "a");
    assert_int_equal(input.identity.kind, IM_ID_GUID);
    assert_string_equal(input.identity.text, GUID_A);
    assert_true(!input.row && !input.bad && !input.home && !input.domain && !input.address);
    assert_int_equal(input.record->state, IM_RECORD_PLANNED);
    next(f, &input);
    assert_string_equal(input.text, "b@x");
    assert_string_equal(input.record->source, "list:2");
    next(f, &input);
    assert_string_equal(input.text, "cn=c,dc=x");
    assert_int_equal(input.identity.kind, IM_ID_DN);
    assert_string_equal(input.identity.text, "cn=c,dc=x");
}

static void journal_comes_backwards_without_what_was_not_made(void **state) {
    struct fixture *f = *state;
    begin(f, IM_JOURNAL);
    add(f, a, "", "1", IM_CHANGED);
    add(f, b, "", "2", IM_FAILED);
    add(f, c, "", "3", NONE);
    add(f, b, "", "4", IM_CONFLICT);
    add(f, b, "", "5", IM_CHANGED);
    finish(f, IM_JOURNAL);
    for (int round = 0; round < 2; round++) {
        assert_next(f, 5, "", "5");
        assert_next(f, 3, "", "3");
        assert_next(f, 1, "", "1");
        assert_end(f);
        rewind_all(f);
    }
}

static void nothing_to_take_back(void **state) {
    struct fixture *f = *state;
    begin(f, IM_JOURNAL);
    add(f, a, "", "1", IM_FAILED);
    finish(f, IM_JOURNAL);
    assert_end(f);
}

/* Sent, the connection lost, read again: it had not been made. */
static void earlier_change_was_not_made(void **state) {
    struct fixture *f = *state;
    begin(f, IM_JOURNAL);
    add(f, a, "old", "new", NONE);
    add(f, b, "", "1", IM_CHANGED);
    add(f, a, "old", "new", IM_CHANGED);
    finish(f, IM_JOURNAL);
    for (int round = 0; round < 2; round++) {
        assert_next(f, 3, "old", "new");
        assert_next(f, 2, "", "1");
        assert_end(f);
        rewind_all(f);
    }
}

/* It had been made, and the second change went on from there. */
static void later_change_goes_on_from_the_earlier(void **state) {
    struct fixture *f = *state;
    begin(f, IM_JOURNAL);
    add(f, a, "first", "second", NONE);
    add(f, b, "x", "y", NONE);
    add(f, a, "SECOND", "third", NONE);
    add(f, a, "third", "", IM_CHANGED);
    finish(f, IM_JOURNAL);
    for (int round = 0; round < 2; round++) {
        assert_next(f, 4, "first", "");
        assert_next(f, 2, "x", "y");
        assert_end(f);
        rewind_all(f);
    }
}

/* Somebody else came in between: what is theirs is what we go back to. */
static void foreign_value_in_between_stays(void **state) {
    struct fixture *f = *state;
    begin(f, IM_JOURNAL);
    add(f, a, "old", "new", NONE);
    add(f, a, "foreign", "new", IM_CHANGED);
    finish(f, IM_JOURNAL);
    assert_next(f, 2, "foreign", "new");
    assert_end(f);
}

static void value_that_came_or_went_in_between_is_foreign(void **state) {
    struct fixture *f = *state;
    begin(f, IM_JOURNAL);
    add(f, a, "old", "", NONE);
    add(f, b, "old", "new", NONE);
    add(f, a, "foreign", "", IM_CHANGED);
    add(f, b, "", "new", IM_CHANGED);
    finish(f, IM_JOURNAL);
    assert_next(f, 4, "", "new");
    assert_next(f, 3, "foreign", "");
    assert_end(f);
}

/* The one in the middle was not made, the one before it was. */
static void gap_in_the_chain(void **state) {
    struct fixture *f = *state;
    begin(f, IM_JOURNAL);
    add(f, c, "1", "2", NONE);
    add(f, c, "2", "3", NONE);
    add(f, c, "2", "4", NONE);
    finish(f, IM_JOURNAL);
    assert_next(f, 3, "1", "4");
    assert_end(f);
}

static void last_change_of_the_account_was_not_made(void **state) {
    struct fixture *f = *state;
    begin(f, IM_JOURNAL);
    add(f, a, "1", "2", NONE);
    add(f, a, "2", "3", IM_FAILED);
    finish(f, IM_JOURNAL);
    assert_next(f, 1, "1", "2");
    assert_end(f);
}

static void accounts_by_dn_are_compared_as_dns(void **state) {
    struct fixture *f = *state;
    const struct im_record other = {.dn = "CN=C, DC=X"};
    const struct im_record with_guid = {.dn = "cn=c,dc=x", .guid = GUID_B};
    begin(f, IM_JOURNAL);
    add(f, with_guid, "1", "2", NONE);
    add(f, c, "1", "2", NONE);
    add(f, other, "2", "3", NONE);
    finish(f, IM_JOURNAL);
    assert_next(f, 3, "1", "3");
    assert_next(f, 1, "1", "2");
    assert_end(f);
}

/* An attribute that only one of two joined changes has. */
static void attributes_come_and_go(void **state) {
    struct fixture *f = *state;
    const struct berval x = VALUE("x"), y = VALUE("y");
    const struct im_plan_diff sets[][2] = {
        {{"address", NULL, &x, 0, 1}, {"url", &y, NULL, 1, 0}},
        {{"address", &x, &y, 1, 1}, {"acl", NULL, &y, 0, 1}},
    };
    begin(f, IM_JOURNAL);
    for (size_t i = 0; i < LENGTH(sets); i++) {
        struct im_record record = a;
        size_t id;
        record.diffs = sets[i];
        record.diff_count = 2;
        assert_int_equal(im_journal_add(f->journal, &record, &id, &f->e), IM_OK);
    }
    finish(f, IM_JOURNAL);
    struct im_input input;
    next(f, &input);
    const struct im_plan_diff *diffs = input.record->diffs;
    assert_int_equal(input.record->diff_count, 3);
    assert_string_equal(diffs[0].attribute, "address");
    assert_int_equal(diffs[0].before_count, 0);
    assert_string_equal(diffs[0].after[0].bv_val, "y");
    assert_string_equal(diffs[1].attribute, "acl");
    assert_int_equal(diffs[1].before_count, 0);
    assert_string_equal(diffs[1].after[0].bv_val, "y");
    assert_string_equal(diffs[2].attribute, "url");
    assert_string_equal(diffs[2].before[0].bv_val, "y");
    assert_int_equal(diffs[2].after_count, 0);
    assert_end(f);
}

/* Every account once, whatever is on record of it. */
static void many_unknown(void **state) {
    struct fixture *f = *state;
    enum { ACCOUNTS = 300, ROUNDS = 4 };
    bool seen[ACCOUNTS] = {false};
    begin(f, IM_JOURNAL);
    for (int i = 0; i < ACCOUNTS * ROUNDS; i++) {
        char dn[32];
        (void)snprintf(dn, sizeof dn, "cn=%d,dc=x", i * 7 % ACCOUNTS);
        const struct im_record record = {.dn = dn};
        add(f, record, "old", "new", (i + i / ACCOUNTS) % 5 == 4 ? IM_CONFLICT : NONE);
    }
    finish(f, IM_JOURNAL);
    for (int i = 0; i < ACCOUNTS; i++) {
        struct im_input input;
        next(f, &input);
        size_t number = strtoul(input.text + 3, NULL, 10);
        assert_false(seen[number]);
        seen[number] = true;
    }
    assert_end(f);
}

static enum im_err attempt(void *user, struct im_error *e) {
    const struct fixture *f = user;
    struct im_records *records = NULL;
    struct im_pool *pool = im_pool_new();
    enum im_err err = pool ? im_records_open(f->path, IM_JOURNAL, &records, e) : im_error_nomem(e);
    for (bool is_end = false; err == IM_OK && !is_end;) {
        struct im_inputs inputs = im_records_inputs(records);
        struct im_input input;
        err = inputs.next(inputs.user, pool, &input, &is_end, e);
    }
    im_records_close(&records);
    im_pool_free(&pool);
    return err;
}

static void out_of_memory(void **state) {
    struct fixture *f = *state;
    begin(f, IM_JOURNAL);
    add(f, a, "1", "2", NONE);
    add(f, c, "1", "2", NONE);
    add(f, a, "2", "3", NONE);
    add(f, c, "1", "2", IM_CHANGED);
    finish(f, IM_JOURNAL);
    assert_true(oom_every_allocation(attempt, f) >= 10);
    oom_fail_at(0);
}

static void what_cannot_be_opened(void **state) {
    struct fixture *f = *state;
    assert_int_equal(im_records_open(f->path, IM_PLAN_FILE, &f->records, &f->e), IM_E_IO);
    assert_null(f->records);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(plan_comes_in_its_order),
        TEST(who_is_meant),
        TEST(journal_comes_backwards_without_what_was_not_made),
        TEST(nothing_to_take_back),
        TEST(earlier_change_was_not_made),
        TEST(later_change_goes_on_from_the_earlier),
        TEST(foreign_value_in_between_stays),
        TEST(value_that_came_or_went_in_between_is_foreign),
        TEST(gap_in_the_chain),
        TEST(last_change_of_the_account_was_not_made),
        TEST(accounts_by_dn_are_compared_as_dns),
        TEST(attributes_come_and_go),
        TEST(many_unknown),
        TEST(out_of_memory),
        TEST(what_cannot_be_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
