/* Domain controllers, all of them in memory, that are asked to fetch objects: what they answer, and that they are asked side by
 * side. */
#include "lib/directory/fetching.h"

#include "tests/unit/memdir.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#define SOURCE "CN=NTDS Settings,CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,DC=corp,DC=example"
#define UNKNOWN "00002035: rootdse_modify: unknown attribute to change!"

enum { SERVERS = 3, MANY = 40, AT_ONCE = 16 };

/* A server is found by the replica's uri: "0", "1", "2"; "closed" is none, "stopped" is one where somebody asks to stop. */
static struct memdir *servers[SERVERS];

struct fixture {
    struct im_pool *pool;
    struct im_replica replica[SERVERS];
    struct im_fetching each[SERVERS];
    struct im_live_options options;
    struct im_to_fetch what;
    size_t count; /* servers that are asked */
    size_t seen[SERVERS];
    struct im_error e;
};

static enum im_err open_server(const struct im_live_options *options, const struct im_replica *replica, struct im_directory **out,
                               struct im_error *e) {
    (void)options;
    if (strcmp(replica->uri, "closed") == 0)
        return im_error_set(e, IM_E_CONNECT, "nobody listens");
    if (strcmp(replica->uri, "stopped") == 0)
        return im_error_set(e, IM_E_INTERRUPTED, "stopped on request");
    return memdir_open(servers[replica->uri[0] - '0'], out, e);
}

static void renew(void) {
    for (size_t i = 0; i < SERVERS; i++) {
        memdir_free(&servers[i]);
        servers[i] = memdir_new(NULL, MEMDIR_AD);
    }
}

static int set_up(void **state) {
    static const char *const uris[] = {"0", "1", "2"};
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->pool = im_pool_new();
    for (size_t i = 0; i < SERVERS; i++) {
        f->replica[i] = (struct im_replica){.name = uris[i], .uri = uris[i]};
        f->each[i].replica = &f->replica[i];
    }
    f->count = 1;
    f->what = (struct im_to_fetch){.options = &f->options, .source = SOURCE, .open = open_server};
    renew();
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < SERVERS; i++)
        memdir_free(&servers[i]);
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

/* The first server's. */
static const struct im_fetching *fetch(struct fixture *f, size_t objects, enum im_err expected) {
    const char **refs = im_pool_array(f->pool, objects + 1, sizeof *refs);
    assert_non_null(refs);
    for (size_t i = 0; i < objects; i++)
        refs[i] = im_pool_printf(f->pool, "<GUID=%zu>", i);
    f->what.refs = refs;
    f->what.count = objects;
    im_error_clear(&f->e);
    assert_int_equal(im_replicas_fetch(&f->what, f->each, f->count, &f->e), expected);
    return &f->each[0];
}

static void fault(size_t server, size_t nth, int code, const char *text) {
    memdir_fault(servers[server], (struct memdir_fault){.kind = MEMDIR_MODIFY, .nth = nth, .code = code, .diagnostic = text});
}

static size_t asked(size_t server) {
    return memdir_count(servers[server], MEMDIR_MODIFY);
}

static bool has_all(const struct im_fetching *x, size_t objects) {
    return x->has_ended && x->why.code == IM_OK && x->fetched == objects && !x->failed && !x->is_unsupported;
}

/* ---- one server ---- */

static void everything_is_fetched(void **state) {
    struct fixture *f = *state;
    const struct im_fetching *x = fetch(f, MANY, IM_OK);
    assert_true(has_all(x, MANY));
    assert_int_equal(x->family, IM_FAMILY_AD);
    assert_int_equal(asked(0), MANY);
    assert_int_equal(memdir_in_flight(servers[0]), AT_ONCE);
    const struct im_attr *value = im_entry_attr(memdir_entry(servers[0], ""), "replicateSingleObject");
    assert_string_equal(value->values[0].bv_val, SOURCE ":<GUID=39>");
    assert_true(has_all(fetch(f, 0, IM_OK), 0));
}

static void samba_knows_no_such_request(void **state) {
    static const struct {
        int code;
        const char *text;
    } says[] = {{53, UNKNOWN}, {16, ""}, {17, ""}};
    struct fixture *f = *state;
    for (size_t i = 0; i < LENGTH(says); i++) {
        renew();
        fault(0, 0, says[i].code, says[i].text);
        const struct im_fetching *x = fetch(f, MANY, IM_OK);
        assert_true(x->has_ended && x->why.code == IM_OK && x->is_unsupported && !x->fetched && !x->failed);
        assert_true(asked(0) <= AT_ONCE);
    }
}

static void one_object_is_refused(void **state) {
    struct fixture *f = *state;
    fault(0, 3, 53, "00002105: SvcErr: the replica is busy");
    fault(0, 30, 1, "second");
    const struct im_fetching *x = fetch(f, MANY, IM_OK);
    assert_true(x->has_ended && x->fetched == MANY - 2 && x->failed == 2 && !x->is_unsupported);
    assert_int_equal(x->why.code, IM_E_SERVER);
    assert_mentions(x->why.text, "fetching <GUID=2>");
    assert_mentions(x->why.text, "busy");
}

static void the_right_is_missing(void **state) {
    struct fixture *f = *state;
    fault(0, 0, 50, "");
    const struct im_fetching *x = fetch(f, MANY, IM_OK);
    assert_int_equal(x->why.code, IM_E_SERVER);
    assert_true(x->fetched == 0 && x->failed == AT_ONCE);
    assert_true(asked(0) <= AT_ONCE);
}

/* What is busy at first is asked again after a while, for the same objects. */
static void busy_at_first(void **state) {
    static const int codes[] = {51, 52};
    struct fixture *f = *state;
    for (size_t i = 0; i < LENGTH(codes); i++) {
        renew();
        for (size_t nth = 1; nth <= 20; nth++)
            fault(0, nth, codes[i], "");
        assert_true(has_all(fetch(f, MANY, IM_OK), MANY));
        assert_int_equal(asked(0), MANY + 20);
        assert_int_equal(memdir_paused_ms(servers[0]), 200 + 200); /* in the second round most were answered */
    }
}

/* A success in between begins the patience anew. */
static void busy_now_and_then(void **state) {
    struct fixture *f = *state;
    for (size_t nth = 1; nth < 20; nth += 2)
        fault(0, nth, 51, "");
    assert_true(has_all(fetch(f, 10, IM_OK), 10));
    assert_int_equal(memdir_paused_ms(servers[0]), 200 + 200 + 200 + 400);
}

static void busy_for_good(void **state) {
    struct fixture *f = *state;
    fault(0, 0, 51, "0000200E: SvcErr: busy");
    const struct im_fetching *x = fetch(f, MANY, IM_OK);
    assert_int_equal(x->why.code, IM_E_SERVER);
    assert_true(x->fetched == 0 && x->failed == AT_ONCE && !x->is_unsupported);
    assert_int_equal(asked(0), 7 * AT_ONCE);
    assert_int_equal(memdir_paused_ms(servers[0]), 200 * (1 + 2 + 4 + 8 + 16 + 32));
    assert_mentions(x->why.text, "busy");
}

static void the_connection_is_lost(void **state) {
    struct fixture *f = *state;
    memdir_fault(servers[0], (struct memdir_fault){.kind = MEMDIR_MODIFY, .nth = 20, .error = IM_E_LOST});
    const struct im_fetching *x = fetch(f, MANY, IM_OK);
    assert_true(x->has_ended && x->why.code == IM_E_LOST && x->fetched < MANY);
}

/* ---- several ---- */

static void note_the_others(struct memdir *m, size_t nth, void *user) {
    struct fixture *f = user;
    (void)m;
    (void)nth;
    for (size_t i = 0; i < SERVERS; i++)
        f->seen[i] = asked(i);
}

/* The last one is asked before another one has answered more than a few. */
static void they_are_asked_side_by_side(void **state) {
    struct fixture *f = *state;
    f->count = SERVERS;
    memdir_before(servers[2], MEMDIR_MODIFY, 1, note_the_others, f);
    (void)fetch(f, MANY, IM_OK);
    for (size_t i = 0; i < SERVERS; i++)
        assert_true(has_all(&f->each[i], MANY));
    assert_true(f->seen[0] >= AT_ONCE && f->seen[0] <= AT_ONCE + SERVERS);
    assert_true(f->seen[1] >= AT_ONCE && f->seen[1] <= AT_ONCE + SERVERS);
}

/* What becomes of one is nothing to the others. */
static void each_has_its_own_fault(void **state) {
    struct fixture *f = *state;
    f->count = SERVERS;
    memdir_fault(servers[0], (struct memdir_fault){.kind = MEMDIR_MODIFY, .nth = 20, .error = IM_E_LOST});
    f->replica[1].uri = "closed";
    for (size_t nth = 1; nth <= AT_ONCE; nth++)
        fault(2, nth, 51, "");
    (void)fetch(f, MANY, IM_OK);
    assert_true(f->each[0].has_ended && f->each[0].why.code == IM_E_LOST);
    assert_true(f->each[1].has_ended && f->each[1].why.code == IM_E_CONNECT && f->each[1].fetched == 0);
    assert_mentions(f->each[1].why.text, "nobody listens");
    assert_true(has_all(&f->each[2], MANY));
}

static void nobody_waits_for_a_busy_one(void **state) {
    struct fixture *f = *state;
    f->count = SERVERS;
    for (size_t nth = 1; nth <= AT_ONCE; nth++)
        fault(0, nth, 51, "");
    memdir_before(servers[0], MEMDIR_MODIFY, AT_ONCE + 1, note_the_others, f);
    (void)fetch(f, MANY, IM_OK);
    for (size_t i = 0; i < SERVERS; i++)
        assert_true(has_all(&f->each[i], MANY));
    assert_true(f->seen[1] == MANY && f->seen[2] == MANY);
    assert_int_equal(memdir_paused_ms(servers[0]), 200);
    assert_int_equal(memdir_paused_ms(servers[1]) + memdir_paused_ms(servers[2]), 0);
}

/* Each has its own pauses: the one that may go on first is waited for. */
static void all_are_busy(void **state) {
    struct fixture *f = *state;
    f->count = 2;
    fault(0, 1, 51, "");
    fault(0, 2, 51, "");
    fault(1, 1, 51, "");
    (void)fetch(f, 1, IM_OK);
    assert_true(has_all(&f->each[0], 1) && has_all(&f->each[1], 1));
    assert_int_equal(memdir_paused_ms(servers[0]), 200 + 400);
    assert_int_equal(memdir_paused_ms(servers[1]), 200);
}

static void there_are_none(void **state) {
    struct fixture *f = *state;
    f->count = 0;
    (void)fetch(f, MANY, IM_OK);
    assert_int_equal(asked(0), 0);
}

/* ---- stopping ---- */

static atomic_int stop;

static void ask_to_stop(struct memdir *m, size_t nth, void *user) {
    (void)m;
    (void)nth;
    (void)user;
    stop = 1;
}

/* It is heard while answers are awaited; who has ended by then is told of. */
static void a_stop_is_heard(void **state) {
    struct fixture *f = *state;
    f->count = SERVERS;
    f->options.stop = &stop;
    f->replica[1].uri = "closed";
    stop = 0;
    memdir_before(servers[2], MEMDIR_MODIFY, AT_ONCE + 1, ask_to_stop, NULL);
    (void)fetch(f, MANY, IM_E_INTERRUPTED);
    assert_mentions(f->e.text, "while objects were fetched");
    assert_true(!f->each[0].has_ended && f->each[1].has_ended && !f->each[2].has_ended);
    assert_true(asked(2) < AT_ONCE + SERVERS);
    renew();
    (void)fetch(f, MANY, IM_E_INTERRUPTED);
    assert_int_equal(asked(0), 0);
}

static void a_stop_while_one_is_connected_to(void **state) {
    struct fixture *f = *state;
    f->count = 2;
    f->replica[1].uri = "stopped";
    (void)fetch(f, MANY, IM_E_INTERRUPTED);
    assert_mentions(f->e.text, "while objects were fetched");
    assert_true(!f->each[1].has_ended);
}

/* ---- memory ---- */

static enum im_err starve(void *user, struct im_error *e) {
    struct fixture *f = user;
    static const char *const refs[] = {"<GUID=1>", "<GUID=2>", "<GUID=3>"};
    size_t left = oom_pause();
    renew();
    f->what.refs = refs;
    f->what.count = LENGTH(refs);
    oom_fail_at(left);
    return im_replicas_fetch(&f->what, f->each, f->count, e);
}

static void without_memory(void **state) {
    struct fixture *f = *state;
    f->count = 2;
    assert_true(oom_every_allocation(starve, f) > 5);
    assert_true(has_all(&f->each[0], 3) && has_all(&f->each[1], 3));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(everything_is_fetched),
        TEST(samba_knows_no_such_request),
        TEST(one_object_is_refused),
        TEST(the_right_is_missing),
        TEST(busy_at_first),
        TEST(busy_now_and_then),
        TEST(busy_for_good),
        TEST(the_connection_is_lost),
        TEST(they_are_asked_side_by_side),
        TEST(each_has_its_own_fault),
        TEST(nobody_waits_for_a_busy_one),
        TEST(all_are_busy),
        TEST(there_are_none),
        TEST(a_stop_is_heard),
        TEST(a_stop_while_one_is_connected_to),
        TEST(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
