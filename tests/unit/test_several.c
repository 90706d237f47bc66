/* Several connections as one directory. */
#include "lib/directory/several.h"

#include "lib/directory/live.h"
#include "tests/unit/memdir.h"
#include "tests/unit/oom.h"
#include "tests/unit/stub.h"
#include "tests/unit/unit.h"

#include <signal.h>

#define ANN "cn=ann,dc=corp,dc=example"
#define BOB "cn=bob,dc=corp,dc=example"

enum { PARTS = 3 };

static const char people[] = MEMDIR_OPENLDAP "dn: dc=corp,dc=example\nobjectClass: domain\n\n"
                                             "dn: " ANN "\nobjectClass: person\nsn: Ann\n\n"
                                             "dn: " BOB "\nobjectClass: person\nsn: Bob\n\n";

struct fixture {
    struct memdir *m;
    struct im_directory *d;
    struct im_error e;
};

static enum im_err open_parts(struct memdir *m, struct im_directory **out, struct im_error *e) {
    struct im_directory *parts[PARTS] = {NULL};
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < PARTS; i++)
        err = memdir_open(m, &parts[i], e);
    if (err == IM_OK)
        return im_several_join(parts, PARTS, out, e);
    for (size_t i = 0; i < PARTS; i++)
        im_directory_free(&parts[i]);
    return err;
}

static int begin(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->m = memdir_new(NULL, people);
    assert_int_equal(open_parts(f->m, &f->d, &f->e), IM_OK);
    *state = f;
    return 0;
}

static int end(void **state) {
    struct fixture *f = *state;
    im_directory_free(&f->d);
    memdir_free(&f->m);
    free(f);
    return 0;
}

static enum im_err start(struct im_directory *d, const char *dn, void *token, struct im_error *e) {
    struct berval value = VALUE("new");
    struct im_op op = {.kind = IM_OP_REPLACE, .attribute = "sn", .values = &value, .count = 1};
    struct im_change change = {.dn = dn, .ops = &op, .count = 1};
    return im_directory_start_modify(d, &change, token, e);
}

static void starts(struct fixture *f, const char *dn, void *token) {
    assert_int_equal(start(f->d, dn, token, &f->e), IM_OK);
}

static void asks(struct fixture *f, void *token) {
    struct im_search search = {.base = ANN, .scope = IM_SEARCH_BASE};
    assert_int_equal(im_directory_start_search(f->d, &search, token, &f->e), IM_OK);
}

static void fails(struct fixture *f, enum im_err err) {
    struct im_event event;
    im_error_clear(&f->e);
    assert_int_equal(im_directory_wait(f->d, -1, &event, &f->e), err);
    assert_int_equal(f->e.code, err);
    im_error_clear(&f->e);
}

static void rests(struct fixture *f, int64_t ms) {
    struct im_event event = {.kind = IM_EVENT_DONE};
    assert_int_equal(im_directory_wait(f->d, ms, &event, &f->e), IM_OK);
    assert_int_equal(event.kind, IM_EVENT_NONE);
}

/* ---- spreading ---- */

static void test_changes_are_spread(void **state) {
    struct fixture *f = *state;
    int tokens[2 * PARTS];
    size_t seen[2 * PARTS] = {0};
    struct im_event event;
    for (size_t i = 0; i < LENGTH(tokens); i++)
        starts(f, ANN, &tokens[i]);
    assert_int_equal(memdir_in_flight(f->m), 2); /* on one connection */
    for (size_t i = 0; i < LENGTH(tokens); i++) {
        assert_int_equal(im_directory_wait(f->d, 0, &event, &f->e), IM_OK);
        assert_int_equal(event.kind, IM_EVENT_DONE);
        seen[(int *)event.token - tokens]++;
    }
    for (size_t i = 0; i < LENGTH(tokens); i++)
        assert_int_equal(seen[i], 1);
    rests(f, 7);
    assert_int_equal(im_directory_now_ms(f->d), 7);
}

static void test_searches_stay_together(void **state) {
    struct fixture *f = *state;
    int tokens[PARTS];
    struct im_event event;
    for (size_t i = 0; i < PARTS; i++)
        asks(f, &tokens[i]);
    assert_int_equal(memdir_in_flight(f->m), PARTS);
    im_directory_abandon(f->d, &tokens[1]);
    im_directory_abandon(f->d, &tokens[1]);
    for (size_t i = 0; i < PARTS; i += 2) {
        assert_int_equal(im_directory_next(f->d, &event, &f->e), IM_OK);
        assert_int_equal(event.kind, IM_EVENT_ENTRY);
        assert_string_equal(event.entry->dn, ANN);
        assert_ptr_equal(event.token, &tokens[i]);
        assert_int_equal(im_directory_next(f->d, &event, &f->e), IM_OK);
        assert_ptr_equal(event.token, &tokens[i]);
    }
    rests(f, 0);
}

/* Those that may go anywhere: where the fewest of them are, whatever else the first part does. */
static void test_searches_are_spread(void **state) {
    struct fixture *f = *state;
    int tokens[PARTS + 2];
    struct im_event event;
    const struct im_search anywhere = {.base = "dc=corp,dc=example", .scope = IM_SEARCH_SUB, .on_any = true};
    asks(f, &tokens[PARTS]);
    asks(f, &tokens[PARTS + 1]);
    for (size_t i = 0; i < PARTS; i++)
        assert_int_equal(im_directory_start_search(f->d, &anywhere, &tokens[i], &f->e), IM_OK);
    assert_int_equal(memdir_in_flight(f->m), 3); /* on the first */
    for (size_t done = 0; done < LENGTH(tokens);) {
        assert_int_equal(im_directory_next(f->d, &event, &f->e), IM_OK);
        done += event.kind == IM_EVENT_DONE;
    }
    rests(f, 0);
}

/* One part with many entries is not left for each of them, but the others have their turn. */
static void test_entries_come_in_streaks(void **state) {
    struct im_buf ldif = IM_BUF_INIT;
    struct fixture *f = *state;
    int tokens[2];
    size_t turns = 0;
    struct im_event event;
    const void *last = &tokens[0];
    const struct im_search anywhere = {.base = "dc=corp,dc=example", .scope = IM_SEARCH_SUB, .on_any = true};
    im_buf_adds(&ldif, people);
    for (size_t i = 0; i < 300; i++)
        im_buf_addf(&ldif, "dn: cn=p%zu,dc=corp,dc=example\nobjectClass: person\n\n", i);
    im_directory_free(&f->d);
    memdir_free(&f->m);
    f->m = memdir_new(NULL, im_buf_str(&ldif));
    im_buf_free(&ldif);
    assert_int_equal(open_parts(f->m, &f->d, &f->e), IM_OK);
    for (size_t i = 0; i < LENGTH(tokens); i++)
        assert_int_equal(im_directory_start_search(f->d, &anywhere, &tokens[i], &f->e), IM_OK);
    for (size_t done = 0; done < LENGTH(tokens);) {
        assert_int_equal(im_directory_next(f->d, &event, &f->e), IM_OK);
        done += event.kind == IM_EVENT_DONE;
        turns += event.token != last;
        last = event.token;
    }
    assert_in_range(turns, 2, 20);
}

static void test_a_change_is_never_abandoned(void **state) {
    struct fixture *f = *state;
    int token;
    struct im_event event;
    starts(f, ANN, &token);
    im_directory_abandon(f->d, &token);
    assert_int_equal(im_directory_next(f->d, &event, &f->e), IM_OK);
    assert_ptr_equal(event.token, &token);
}

static void test_the_calls_that_wait(void **state) {
    struct fixture *f = *state;
    struct im_pool *pool = im_pool_new();
    struct im_entry *entry = NULL;
    struct berval value = VALUE("person");
    struct im_attr attr = {"objectClass", &value, 1};
    struct im_entry added = {.dn = "cn=eve,dc=corp,dc=example", .attrs = &attr, .count = 1};
    struct im_search search = {.base = added.dn, .scope = IM_SEARCH_BASE};
    assert_int_equal(im_directory_add(f->d, &added, &f->e), IM_OK);
    assert_int_equal(im_directory_read(f->d, &search, pool, &entry, &f->e), IM_OK);
    assert_non_null(entry);
    assert_string_equal(im_directory_identity(f->d), "cn=tester");
    assert_string_equal(im_directory_rootdse(f->d)->default_nc, "dc=corp,dc=example");
    im_pool_free(&pool);
}

/* ---- losing one ---- */

static void lose_second(struct fixture *f, int *tokens) {
    struct im_event event;
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_MODIFY, .nth = 2, .error = IM_E_LOST});
    for (size_t i = 0; i < PARTS; i++)
        starts(f, i == 1 ? BOB : ANN, &tokens[i]);
    asks(f, &tokens[0]);
    assert_int_equal(im_directory_next(f->d, &event, &f->e), IM_OK);
    assert_ptr_equal(event.token, &tokens[0]);
    fails(f, IM_E_LOST);
}

static void test_losing_one_is_losing_all(void **state) {
    struct fixture *f = *state;
    int tokens[PARTS];
    lose_second(f, tokens);
    assert_int_equal(start(f->d, ANN, tokens, &f->e), IM_E_LOST);
    fails(f, IM_E_LOST);
    assert_int_equal(im_directory_reopen(f->d, &f->e), IM_OK);
    assert_int_equal(memdir_count(f->m, MEMDIR_OPEN), 1); /* the others are still there */
    rests(f, 5);                                          /* and have nothing more to say */
    struct im_event event;
    for (size_t i = 0; i < PARTS; i++)
        starts(f, BOB, &tokens[i]);
    for (size_t i = 0; i < PARTS; i++)
        assert_int_equal(im_directory_next(f->d, &event, &f->e), IM_OK);
    rests(f, 0);
}

static void test_several_attempts(void **state) {
    struct fixture *f = *state;
    int tokens[PARTS];
    lose_second(f, tokens);
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_OPEN, .nth = 1});
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_OPEN, .nth = 2, .error = IM_E_AUTH});
    assert_int_equal(im_directory_reopen(f->d, &f->e), IM_E_CONNECT);
    im_error_clear(&f->e);
    rests(f, 100);
    assert_int_equal(start(f->d, ANN, tokens, NULL), IM_E_LOST);
    fails(f, IM_E_LOST);
    assert_int_equal(im_directory_reopen(f->d, &f->e), IM_E_AUTH);
    im_error_clear(&f->e);
    assert_int_equal(im_directory_reopen(f->d, &f->e), IM_OK);
    assert_int_equal(memdir_count(f->m, MEMDIR_OPEN), 3);
    assert_int_equal(memdir_paused_ms(f->m), 100);
    starts(f, ANN, tokens);
}

static void test_losing_another_meanwhile(void **state) {
    struct fixture *f = *state;
    int tokens[PARTS];
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_MODIFY, .nth = 3, .error = IM_E_TIMEOUT});
    lose_second(f, tokens);
    assert_int_equal(im_directory_reopen(f->d, &f->e), IM_OK); /* what the third was asked is waited for */
    assert_int_equal(memdir_count(f->m, MEMDIR_OPEN), 2);
    starts(f, ANN, tokens);
}

/* ---- joining ---- */

static void test_different_servers(void **state) {
    struct fixture *f = *state;
    struct memdir *other = memdir_new(NULL, MEMDIR_AD "dn: DC=corp,DC=example\nobjectClass: domain\n\n");
    struct im_directory *parts[2] = {NULL};
    struct im_directory *d = NULL;
    assert_int_equal(memdir_open(f->m, &parts[0], &f->e), IM_OK);
    assert_int_equal(memdir_open(other, &parts[1], &f->e), IM_OK);
    assert_int_equal(im_several_join(parts, 2, &d, &f->e), IM_E_PROTOCOL);
    assert_null(d);
    memdir_free(&other);
}

static void test_one_alone(void **state) {
    struct fixture *f = *state;
    struct im_directory *part = NULL;
    struct im_directory *d = NULL;
    assert_int_equal(memdir_open(f->m, &part, &f->e), IM_OK);
    assert_int_equal(im_several_join(&part, 1, &d, &f->e), IM_OK);
    assert_ptr_equal(d, part);
    im_directory_free(&d);
}

static enum im_err work(void *user, struct im_error *e) {
    struct fixture *f = user;
    struct im_directory *d = NULL;
    struct im_event event;
    enum im_err err = open_parts(f->m, &d, e);
    if (err == IM_OK)
        err = start(d, ANN, NULL, e);
    if (err == IM_OK)
        err = im_directory_next(d, &event, e);
    if (err == IM_OK)
        err = im_directory_reopen(d, e);
    im_directory_free(&d);
    return err;
}

static void test_out_of_memory(void **state) {
    assert_true(oom_every_allocation(work, *state) > PARTS);
}

/* ---- with sockets ---- */

static void test_sockets(void **state) {
    (void)state;
    struct stub server;
    struct fixture f = {.e = {.code = IM_OK}};
    atomic_int stop = 0;
    int held, other;
    struct im_event event;
    stub_new(&server);
    stub_start(&server, "dc=corp,dc=example");
    const char *uri = server.uri;
    struct im_config config = {
        .uris = {.items = &uri, .count = 1}, .timeout_s = 60, .connect_timeout_s = 60, .bind_method = IM_BIND_ANONYMOUS};
    struct im_live_options options = {.config = &config, .stop = &stop};
    assert_int_equal(im_live_open_several(&options, 2, &f.d, &f.e), IM_OK);
    rests(&f, 1);
    starts(&f, "cn=held", &held);
    starts(&f, "cn=ok", &other); /* goes through the other one, whose answer ends the wait */
    assert_int_equal(im_directory_wait(f.d, -1, &event, &f.e), IM_OK);
    assert_ptr_equal(event.token, &other);
    stop = 1;
    rests(&f, 1); /* a change is in flight */
    starts(&f, "cn=cut", &other);
    fails(&f, IM_E_LOST);
    im_directory_free(&f.d);
    assert_int_equal(im_live_open_several(&options, 2, &f.d, &f.e), IM_E_INTERRUPTED);
    stop = 0;
    im_error_clear(&f.e);
    assert_int_equal(im_live_open_several(&options, 2, &f.d, &f.e), IM_OK);
    stop = 1;
    const struct im_search unanswered = {.base = "cn=held", .scope = IM_SEARCH_BASE};
    assert_int_equal(im_directory_start_search(f.d, &unanswered, &held, &f.e), IM_OK);
    fails(&f, IM_E_INTERRUPTED);
    im_directory_free(&f.d);
    stub_free(&server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_changes_are_spread, begin, end),
        cmocka_unit_test_setup_teardown(test_searches_stay_together, begin, end),
        cmocka_unit_test_setup_teardown(test_searches_are_spread, begin, end),
        cmocka_unit_test_setup_teardown(test_entries_come_in_streaks, begin, end),
        cmocka_unit_test_setup_teardown(test_a_change_is_never_abandoned, begin, end),
        cmocka_unit_test_setup_teardown(test_the_calls_that_wait, begin, end),
        cmocka_unit_test_setup_teardown(test_losing_one_is_losing_all, begin, end),
        cmocka_unit_test_setup_teardown(test_several_attempts, begin, end),
        cmocka_unit_test_setup_teardown(test_losing_another_meanwhile, begin, end),
        cmocka_unit_test_setup_teardown(test_different_servers, begin, end),
        cmocka_unit_test_setup_teardown(test_one_alone, begin, end),
        cmocka_unit_test_setup_teardown(test_out_of_memory, begin, end),
        cmocka_unit_test(test_sockets),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as the commands do */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
