/* The table of operations in flight, against a plain list of them. */
#include "lib/directory/live_table.h"

#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

enum { STEPS = 200000, MOST = 700 };

struct model {
    struct im_live_op *op;
    int msgid;
    int64_t deadline_ms;
    bool is_change;
};

struct fixture {
    struct im_pool *pool;
    struct im_live_table t;
    struct model in_flight[MOST];
    size_t count;
    int msgid;
    int64_t now_ms;
    uint32_t random;
};

/* Numbers that are the same in every run. */
static size_t pick(struct fixture *f, size_t below) {
    f->random = f->random * UINT32_C(1664525) + UINT32_C(1013904223);
    return (size_t)(f->random >> 8) % below;
}

static struct im_live_op *send_one(struct fixture *f, bool is_change) {
    struct im_live_op *op = im_live_table_begin(&f->t);
    assert_non_null(op);
    assert_int_equal(op->references, 0);
    op->references = 7; /* is gone when the place is used again */
    op->is_change = is_change;
    im_live_table_sent(&f->t, op, ++f->msgid, ++f->now_ms);
    f->in_flight[f->count++] = (struct model){op, f->msgid, f->now_ms, is_change};
    return op;
}

static void end_one(struct fixture *f, size_t i) {
    int msgid = f->in_flight[i].msgid;
    im_live_table_end(&f->t, f->in_flight[i].op);
    assert_null(im_live_table_find(&f->t, msgid));
    f->in_flight[i] = f->in_flight[--f->count];
}

static void check(const struct fixture *f) {
    int64_t earliest = INT64_MAX;
    size_t changes = 0;
    for (size_t i = 0; i < f->count; i++) {
        assert_ptr_equal(im_live_table_find(&f->t, f->in_flight[i].msgid), f->in_flight[i].op);
        if (f->in_flight[i].deadline_ms < earliest)
            earliest = f->in_flight[i].deadline_ms;
        changes += f->in_flight[i].is_change;
    }
    assert_int_equal(f->t.count, f->count);
    assert_int_equal(f->t.in_flight, f->count);
    assert_int_equal(f->t.changes, changes);
    if (f->count)
        assert_int_equal(f->t.sent.first->deadline_ms, earliest);
}

static void begin(struct fixture *f) {
    *f = (struct fixture){.pool = im_pool_new()};
    assert_non_null(f->pool);
    f->t.pool = f->pool;
}

static void end(struct fixture *f) {
    im_live_table_free(&f->t);
    assert_int_equal(f->t.count, 0);
    im_pool_free(&f->pool);
}

static void test_against_a_list(void **state) {
    (void)state;
    struct fixture f;
    begin(&f);
    for (size_t step = 0; step < STEPS; step++) {
        size_t i = f.count ? pick(&f, f.count) : 0;
        size_t kind = pick(&f, 100);
        bool is_filling = step / 5000 % 2 == 0;
        if (f.count < MOST && kind < (is_filling ? 55 : 35)) {
            (void)send_one(&f, kind % 2);
        } else if (f.count && kind < 90) {
            end_one(&f, i);
        } else if (f.count && kind < 95) { /* another page: another number */
            f.in_flight[i].msgid = ++f.msgid;
            f.in_flight[i].deadline_ms = ++f.now_ms;
            im_live_table_sent(&f.t, f.in_flight[i].op, f.msgid, f.now_ms);
        } else if (f.count) {
            f.in_flight[i].deadline_ms = ++f.now_ms;
            im_live_table_moved(&f.t, f.in_flight[i].op, f.now_ms);
        }
        if (step % 97 == 0)
            check(&f);
    }
    check(&f);
    end(&f);
}

/* One that stays while thousands pass: numbers that fall on its place go round it, and it is found whatever ends. */
static void test_one_stays(void **state) {
    (void)state;
    struct fixture f;
    begin(&f);
    struct im_live_op *stays = send_one(&f, false);
    int msgid = f.msgid;
    for (size_t i = 0; i < 5000; i++) {
        (void)send_one(&f, true);
        (void)send_one(&f, true);
        end_one(&f, f.count - 2);
        assert_ptr_equal(im_live_table_find(&f.t, msgid), stays);
        end_one(&f, f.count - 1);
        assert_ptr_equal(im_live_table_find(&f.t, msgid), stays);
    }
    assert_null(im_live_table_find(&f.t, f.msgid + 1));
    end(&f);
}

static void test_waiting(void **state) {
    (void)state;
    struct fixture f;
    int tokens[2];
    begin(&f);
    assert_null(im_live_table_find(&f.t, 1));
    struct im_live_op *first = im_live_table_begin(&f.t);
    struct im_live_op *second = im_live_table_begin(&f.t);
    first->is_paged = second->is_paged = true;
    first->token = &tokens[0];
    second->token = &tokens[1];
    im_live_table_sent(&f.t, first, 1, 1);
    im_live_table_wait(&f.t, second);
    assert_int_equal(f.t.in_flight, 1);
    assert_int_equal(f.t.pages, 1);
    assert_ptr_equal(im_live_table_find_token(&f.t, &tokens[1]), second);
    assert_ptr_equal(im_live_table_find_token(&f.t, &tokens[0]), first);
    assert_null(im_live_table_find_token(&f.t, &f));
    im_live_table_end(&f.t, first);
    assert_int_equal(f.t.pages, 0);
    assert_ptr_equal(f.t.waiting.first, second);
    im_live_table_sent(&f.t, second, 2, 2);
    assert_null(f.t.waiting.first);
    assert_ptr_equal(im_live_table_find(&f.t, 2), second);
    end(&f);
}

static void test_out_of_memory(void **state) {
    (void)state;
    bool worked = false;
    for (size_t n = 1; !worked; n++) {
        struct fixture f;
        begin(&f);
        oom_fail_at(n);
        worked = true;
        for (size_t i = 0; worked && i < 200; i++) {
            struct im_live_op *op = im_live_table_begin(&f.t);
            worked = op != NULL;
            if (op)
                im_live_table_sent(&f.t, op, (int)i + 1, 1);
        }
        oom_fail_at(0);
        for (int i = 1; i <= (int)f.t.count; i++)
            assert_non_null(im_live_table_find(&f.t, i));
        end(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_list),
        cmocka_unit_test(test_one_stays),
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
