/* What was written is waited for on other servers: directories in memory, in which time passes without waiting. */
#include "lib/engine/arrivals.h"

#include "lib/base/vec.h"
#include "tests/unit/memdir.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <stdatomic.h>
#include <stdio.h>

#define BASE "dc=corp,dc=example"
#define ADDRESS "msExchIMAddress"
#define PHYSICAL "msExchIMPhysicalURL"

enum { SERVERS = 3, CROWD = 1100 };

/* The thread of a replica finds its directory by the replica's uri: "0", "1", "2"; "closed" is none, "starved" finds no memory.
 */
static struct memdir *servers[SERVERS];
static size_t starve_at; /* the n-th allocation of the thread fails */

struct fixture {
    struct im_profile *profile;
    struct im_pool *pool;
    struct im_config config;
    atomic_int stop;
    struct im_live_options options;
    struct im_replica replica[SERVERS];
    struct im_replicas replicas;
    struct im_written *written;
    struct im_awaited awaited;
    struct im_arrival *found;
    struct im_error e;
};

static enum im_err open_server(const struct im_live_options *options, const struct im_replica *replica, struct im_directory **out,
                               struct im_error *e) {
    assert_non_null(options->config);
    if (strcmp(replica->uri, "closed") == 0)
        return im_error_set(e, IM_E_CONNECT, "the door is closed");
    if (strcmp(replica->uri, "starved") == 0)
        return im_error_nomem(e);
    enum im_err err = memdir_open(servers[replica->uri[0] - '0'], out, e);
    oom_fail_at(starve_at);
    return err;
}

static char *crowd(size_t count) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text, MEMDIR_OPENLDAP "dn: " BASE "\nobjectClass: domain\n\n");
    for (size_t i = 0; i < count; i++)
        im_buf_addf(&text, "dn: cn=p%zu," BASE "\nobjectClass: person\n\n", i);
    assert_false(text.failed);
    char *copy = strdup(im_buf_str(&text));
    im_buf_free(&text);
    return copy;
}

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    static const char *const uris[SERVERS] = {"0", "1", "2"};
    char *ldif = crowd(20);
    assert_non_null(f);
    f->pool = im_pool_new();
    assert_int_equal(im_profile_load("exchange2000", &f->profile, &f->e), IM_OK);
    f->config.timeout_s = 30;
    f->config.connect_timeout_s = 10;
    f->options = (struct im_live_options){.config = &f->config, .stop = &f->stop};
    for (size_t i = 0; i < SERVERS; i++) {
        servers[i] = memdir_new(NULL, ldif);
        f->replica[i] = (struct im_replica){.name = uris[i], .uri = uris[i]};
    }
    free(ldif);
    starve_at = 0;
    f->replicas = (struct im_replicas){.items = f->replica, .count = 1};
    f->written = im_written_new(f->profile);
    assert_non_null(f->written);
    f->awaited = (struct im_awaited){
        .options = &f->options, .replicas = &f->replicas, .written = f->written, .seconds = 60, .open = open_server};
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < SERVERS; i++)
        memdir_free(&servers[i]);
    im_written_free(&f->written);
    im_profile_free(&f->profile);
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

static const char *dn_of(struct fixture *f, size_t number) {
    return im_pool_printf(f->pool, "cn=p%zu," BASE, number);
}

/* value NULL: the attribute was emptied. */
static void written(struct fixture *f, size_t number, enum im_outcome outcome, const char *attribute, const char *value) {
    struct berval after = value ? value_of(value, strlen(value)) : value_of("", 0);
    const struct im_plan_diff diff = {.attribute = attribute, .after = &after, .after_count = value ? 1 : 0};
    const char *dn = dn_of(f, number);
    const struct im_result result = {.dn = dn,
                                     .ref = dn,
                                     .account = im_pool_printf(f->pool, "p%zu", number),
                                     .outcome = outcome,
                                     .diffs = &diff,
                                     .diff_count = 1};
    assert_int_equal(im_written_add(f->written, &result, &f->e), IM_OK);
}

static const struct im_arrival *await(struct fixture *f, enum im_err expected) {
    im_error_clear(&f->e);
    f->found = NULL;
    enum im_err err = im_arrivals_await(&f->awaited, f->pool, &f->found, &f->e);
    if (err != expected)
        fail_msg("%d instead of %d: %s", (int)err, (int)expected, f->e.text);
    return f->found;
}

static void set(size_t server, struct fixture *f, size_t number, const char *attribute, const char *value) {
    memdir_set(servers[server], dn_of(f, number), attribute, value);
}

/* ---- arriving ---- */

static void it_is_there_at_once(void **state) {
    struct fixture *f = *state;
    written(f, 0, IM_CHANGED, ADDRESS, "a@im.corp.example");
    written(f, 1, IM_UNCHANGED, ADDRESS, "b@im.corp.example");
    written(f, 2, IM_REFUSED, ADDRESS, "c@im.corp.example");
    set(0, f, 0, ADDRESS, "a@im.corp.example");
    assert_int_equal(im_written_count(f->written), 1);
    assert_string_equal(im_written_refs(f->written)[0], dn_of(f, 0));
    const struct im_arrival *a = await(f, IM_OK);
    assert_int_equal(a->state, IM_ARRIVED);
    assert_true(a->accounts == 1 && a->lacking == 0 && a->missing_count == 0 && a->seconds == 0);
    assert_null(a->trouble);
    assert_ptr_equal(a->replica, &f->replica[0]);
    assert_int_equal(memdir_count(servers[0], MEMDIR_SEARCH), 1);
}

static void change_comes(struct memdir *m, size_t nth, void *user) {
    (void)nth;
    (void)user;
    memdir_set(m, "cn=p0," BASE, ADDRESS, "a@im.corp.example");
}

static void it_comes_later(void **state) {
    struct fixture *f = *state;
    written(f, 0, IM_CHANGED, ADDRESS, "a@im.corp.example");
    memdir_before(servers[0], MEMDIR_SEARCH, 4, change_comes, NULL);
    const struct im_arrival *a = await(f, IM_OK);
    assert_int_equal(a->state, IM_ARRIVED);
    assert_true(a->seconds > 1.39 && a->seconds < 1.41); /* 0.2, 0.4, 0.8 seconds between looks */
    assert_int_equal(memdir_count(servers[0], MEMDIR_SEARCH), 4);
}

static void only_who_lacks_is_asked_again(void **state) {
    struct fixture *f = *state;
    written(f, 0, IM_CHANGED, ADDRESS, "a@im.corp.example");
    written(f, 1, IM_CHANGED, ADDRESS, "b@im.corp.example");
    set(0, f, 1, ADDRESS, "b@im.corp.example");
    memdir_before(servers[0], MEMDIR_SEARCH, 3, change_comes, NULL);
    assert_int_equal(await(f, IM_OK)->state, IM_ARRIVED);
    assert_int_equal(memdir_count(servers[0], MEMDIR_SEARCH), 3);
}

static void more_than_one_batch(void **state) {
    struct fixture *f = *state;
    char *ldif = crowd(CROWD);
    memdir_free(&servers[0]);
    servers[0] = memdir_new(NULL, ldif);
    free(ldif);
    for (size_t i = 0; i < CROWD; i++) {
        written(f, i, IM_CHANGED, ADDRESS, "x@im.corp.example");
        if (i != 777)
            set(0, f, i, ADDRESS, "x@im.corp.example");
    }
    const struct im_arrival *a = await(f, IM_OK);
    assert_int_equal(a->state, IM_LAGGING);
    assert_true(a->lacking == 1 && a->missing_count == 1 && a->accounts == CROWD);
    assert_string_equal(a->missing[0], "p777");
}

/* ---- what counts as there ---- */

static enum im_arrival_state seen(struct fixture *f, const char *attribute, const char *wanted, const char *there) {
    im_written_free(&f->written);
    f->written = im_written_new(f->profile);
    f->awaited.written = f->written;
    written(f, 0, IM_CHANGED, attribute, wanted);
    set(0, f, 0, attribute, there);
    return await(f, IM_OK)->state;
}

static void spelling_does_not_count(void **state) {
    struct fixture *f = *state;
    assert_int_equal(seen(f, ADDRESS, "Ann@im.corp.example", "ann@IM.corp.example"), IM_ARRIVED);
    assert_int_equal(seen(f, PHYSICAL, "http://a.example/instmsg/local/b/instmsg/aliases/x",
                          "http://A.example/instmsg/local/b/instmsg/aliases/x/"),
                     IM_ARRIVED);
    assert_int_equal(seen(f, "msExchIMVirtualServer", "CN=1, CN=IM", "cn=1,cn=im"), IM_ARRIVED);
    assert_int_equal(seen(f, "msExchIMACL", "abc", "ABC"), IM_LAGGING);
    assert_int_equal(seen(f, ADDRESS, "ann@im.corp.example", "bob@im.corp.example"), IM_LAGGING);
}

static void what_was_removed_must_be_gone(void **state) {
    struct fixture *f = *state;
    assert_int_equal(seen(f, ADDRESS, NULL, NULL), IM_ARRIVED);
    assert_int_equal(seen(f, ADDRESS, NULL, "ann@im.corp.example"), IM_LAGGING);
    assert_int_equal(seen(f, ADDRESS, "ann@im.corp.example", NULL), IM_LAGGING);
}

static void the_class_is_no_value_of_ours(void **state) {
    struct fixture *f = *state;
    written(f, 0, IM_CHANGED, "objectClass", "msExchIMRecipient");
    assert_int_equal(await(f, IM_OK)->state, IM_ARRIVED);
}

static void an_account_that_is_not_there_lags(void **state) {
    struct fixture *f = *state;
    written(f, 99, IM_CHANGED, ADDRESS, NULL);
    const struct im_arrival *a = await(f, IM_OK);
    assert_int_equal(a->state, IM_LAGGING);
    assert_string_equal(a->missing[0], "p99");
}

/* ---- not arriving ---- */

static void the_time_is_over(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < 14; i++)
        written(f, i, IM_CHANGED, ADDRESS, "x@im.corp.example");
    const struct im_arrival *a = await(f, IM_OK);
    assert_int_equal(a->state, IM_LAGGING);
    assert_int_equal(memdir_paused_ms(servers[0]), 60000);
    assert_true(a->seconds == 60);
    assert_true(a->lacking == 14 && a->missing_count == IM_MISSING_SHOWN);
    assert_string_equal(a->missing[9], "p9");
    assert_null(a->trouble);
}

static void its_replication_is_off(void **state) {
    struct fixture *f = *state;
    f->replica[0].no_inbound = true;
    written(f, 0, IM_CHANGED, ADDRESS, "x@im.corp.example");
    assert_mentions(await(f, IM_OK)->trouble, "turned off");
    set(0, f, 0, ADDRESS, "x@im.corp.example");
    assert_null(await(f, IM_OK)->trouble);
}

static void nobody_opens(void **state) {
    struct fixture *f = *state;
    f->replica[0].uri = "closed";
    written(f, 0, IM_CHANGED, ADDRESS, "x@im.corp.example");
    const struct im_arrival *a = await(f, IM_OK);
    assert_int_equal(a->state, IM_UNREACHABLE);
    assert_string_equal(a->trouble, "the door is closed");
    assert_true(a->lacking == 1 && a->seconds == 0);
}

static void a_lost_server_is_asked_again(void **state) {
    struct fixture *f = *state;
    written(f, 0, IM_CHANGED, ADDRESS, "a@im.corp.example");
    memdir_fault(servers[0], (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 2, .error = IM_E_LOST});
    memdir_fault(servers[0], (struct memdir_fault){.kind = MEMDIR_OPEN, .nth = 1, .error = IM_E_CONNECT});
    memdir_before(servers[0], MEMDIR_SEARCH, 4, change_comes, NULL);
    const struct im_arrival *a = await(f, IM_OK);
    assert_int_equal(a->state, IM_ARRIVED);
    assert_int_equal(memdir_count(servers[0], MEMDIR_OPEN), 2);
}

static void a_lost_server_that_stays_away(void **state) {
    struct fixture *f = *state;
    written(f, 0, IM_CHANGED, ADDRESS, "a@im.corp.example");
    memdir_fault(servers[0], (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 2, .error = IM_E_LOST});
    memdir_fault(servers[0], (struct memdir_fault){.kind = MEMDIR_OPEN, .nth = 0, .error = IM_E_CONNECT});
    const struct im_arrival *a = await(f, IM_OK);
    assert_int_equal(a->state, IM_UNREACHABLE);
    assert_true(*a->trouble != '\0' && a->seconds == 60);
}

/* What it has shown counts, and is not asked for again. */
static void a_busy_server_is_asked_again(void **state) {
    static const int codes[] = {51, 52};
    struct fixture *f = *state;
    for (size_t i = 0; i < 3; i++)
        written(f, i, IM_CHANGED, ADDRESS, "a@im.example");
    for (size_t i = 0; i < LENGTH(codes); i++) {
        for (size_t number = 0; number < 3; number++)
            set(i, f, number, ADDRESS, "a@im.example");
        memdir_fault(servers[i], (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 2, .code = codes[i]});
        f->replica[0].uri = i ? "1" : "0";
        const struct im_arrival *a = await(f, IM_OK);
        assert_int_equal(a->state, IM_ARRIVED);
        assert_null(a->trouble);
        assert_int_equal(memdir_paused_ms(servers[i]), 200);
    }
}

static void a_server_that_stays_busy_lags(void **state) {
    struct fixture *f = *state;
    written(f, 0, IM_CHANGED, ADDRESS, "a@im.example");
    memdir_fault(servers[0], (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 0, .code = 51});
    const struct im_arrival *a = await(f, IM_OK);
    assert_int_equal(a->state, IM_LAGGING);
    assert_int_equal(a->lacking, 1);
    assert_mentions(a->trouble, "busy");
}

static void no_answer_will_come_later(void **state) {
    struct fixture *f = *state;
    written(f, 0, IM_CHANGED, ADDRESS, "a@im.corp.example");
    memdir_fault(servers[0], (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 2, .code = 50});
    const struct im_arrival *a = await(f, IM_OK);
    assert_int_equal(a->state, IM_UNREACHABLE);
    assert_true(a->seconds < 1);
}

static void stopped(void **state) {
    struct fixture *f = *state;
    f->replicas.count = 2;
    written(f, 0, IM_CHANGED, ADDRESS, "a@im.corp.example");
    set(1, f, 0, ADDRESS, "a@im.corp.example");
    memdir_fault(servers[0], (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 3, .error = IM_E_INTERRUPTED});
    const struct im_arrival *a = await(f, IM_E_INTERRUPTED);
    assert_non_null(a);
    assert_int_equal(a[0].state, IM_LAGGING);
    assert_int_equal(a[1].state, IM_ARRIVED);
}

static void each_on_its_own(void **state) {
    struct fixture *f = *state;
    f->replicas.count = SERVERS;
    f->replica[1].uri = "closed";
    written(f, 0, IM_CHANGED, ADDRESS, "a@im.corp.example");
    set(2, f, 0, ADDRESS, "a@im.corp.example");
    const struct im_arrival *a = await(f, IM_OK);
    assert_true(a[0].state == IM_LAGGING && a[1].state == IM_UNREACHABLE && a[2].state == IM_ARRIVED);
}

static void nobody_to_wait_for(void **state) {
    struct fixture *f = *state;
    f->replicas.count = 0;
    written(f, 0, IM_CHANGED, ADDRESS, "a@im.corp.example");
    assert_non_null(await(f, IM_OK));
}

/* ---- without memory ---- */

static enum im_err starve_all(void *user, struct im_error *e) {
    struct fixture *f = user;
    struct im_written *w = im_written_new(f->profile);
    if (!w)
        return im_error_nomem(e);
    struct berval after = VALUE("a@im.corp.example");
    const struct im_plan_diff diff = {.attribute = ADDRESS, .after = &after, .after_count = 1};
    const struct im_result result = {.dn = "cn=p0," BASE, .outcome = IM_CHANGED, .diffs = &diff, .diff_count = 1};
    struct im_awaited awaited = f->awaited;
    awaited.written = w;
    enum im_err err = im_written_add(w, &result, e);
    if (err == IM_OK)
        err = im_arrivals_await(&awaited, f->pool, &f->found, e);
    im_written_free(&w);
    return err;
}

static void keeping_and_telling(void **state) {
    struct fixture *f = *state;
    f->replica[0].uri = "closed";
    assert_true(oom_every_allocation(starve_all, f) > 5);
}

/* Where a value could not be compared, it is looked at again. */
static void comparing_in_a_thread(void **state) {
    struct fixture *f = *state;
    written(f, 0, IM_CHANGED, "msExchIMVirtualServer", "CN=1,CN=IM");
    set(0, f, 0, "msExchIMVirtualServer", "cn=1, cn=im");
    for (starve_at = 1; starve_at < 20; starve_at++)
        assert_int_equal(await(f, IM_OK)->state, IM_ARRIVED);
}

/* Running out of memory in a thread is no state of a server. */
static void opening_in_a_thread(void **state) {
    struct fixture *f = *state;
    f->replica[0].uri = "starved";
    written(f, 0, IM_CHANGED, ADDRESS, "a@im.corp.example");
    (void)await(f, IM_E_NOMEM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(it_is_there_at_once),
        TEST(it_comes_later),
        TEST(only_who_lacks_is_asked_again),
        TEST(more_than_one_batch),
        TEST(spelling_does_not_count),
        TEST(what_was_removed_must_be_gone),
        TEST(the_class_is_no_value_of_ours),
        TEST(an_account_that_is_not_there_lags),
        TEST(the_time_is_over),
        TEST(its_replication_is_off),
        TEST(nobody_opens),
        TEST(a_lost_server_is_asked_again),
        TEST(a_lost_server_that_stays_away),
        TEST(a_busy_server_is_asked_again),
        TEST(a_server_that_stays_busy_lags),
        TEST(no_answer_will_come_later),
        TEST(stopped),
        TEST(each_on_its_own),
        TEST(nobody_to_wait_for),
        TEST(keeping_and_telling),
        TEST(comparing_in_a_thread),
        TEST(opening_in_a_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
