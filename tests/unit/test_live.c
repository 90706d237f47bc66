/* The live directory: waiting, losing the connection, and getting another one. */
#include "lib/directory/live.h"

#include "tests/unit/oom.h"
#include "tests/unit/stub.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define CONTEXT "dc=corp,dc=example"

enum { NO_RIGHT = 50, MANY = 400 };

struct fixture {
    struct stub server;
    struct im_config config;
    const char *uri;
    atomic_int stop;
    struct im_secret *password;
    struct im_directory *d;
    struct im_error e;
};

static struct im_secret *make_password(const struct fixture *f) {
    char path[100];
    struct im_secret *password = NULL;
    (void)snprintf(path, sizeof path, "%s/pw", f->server.folder);
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "x\n", 2), 2);
    (void)close(fd);
    assert_int_equal(im_secret_from_file(path, &password, NULL), IM_OK);
    (void)unlink(path);
    return password;
}

static int begin(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    stub_new(&f->server);
    stub_start(&f->server, CONTEXT);
    f->uri = f->server.uri;
    f->password = make_password(f);
    f->config = (struct im_config){
        .uris = {.items = &f->uri, .count = 1}, .timeout_s = 60, .connect_timeout_s = 60, .bind_method = IM_BIND_ANONYMOUS};
    struct im_live_options options = {.config = &f->config, .password = f->password, .stop = &f->stop};
    if (im_live_open(&options, &f->d, &f->e) != IM_OK)
        fail_msg("%s", f->e.text);
    *state = f;
    return 0;
}

static int end(void **state) {
    struct fixture *f = *state;
    im_directory_free(&f->d);
    im_secret_free(&f->password);
    stub_free(&f->server);
    free(f);
    return 0;
}

static void start(struct fixture *f, const char *dn, void *token) {
    struct berval value = VALUE("v");
    struct im_op op = {.kind = IM_OP_REPLACE, .attribute = "sn", .values = &value, .count = 1};
    struct im_change change = {.dn = dn, .ops = &op, .count = 1};
    assert_int_equal(im_directory_start_modify(f->d, &change, token, &f->e), IM_OK);
}

static void ask(struct fixture *f, const char *dn, void *token) {
    struct im_search search = {.base = dn, .scope = IM_SEARCH_BASE};
    assert_int_equal(im_directory_start_search(f->d, &search, token, &f->e), IM_OK);
}

static struct im_event expect(struct fixture *f, int64_t wait_ms, enum im_event_kind kind, const void *token) {
    struct im_event event = {.kind = IM_EVENT_ENTRY};
    if (im_directory_wait(f->d, wait_ms, &event, &f->e) != IM_OK)
        fail_msg("%s", f->e.text);
    assert_int_equal(event.kind, kind);
    assert_ptr_equal(event.token, token);
    return event;
}

static void fails(struct fixture *f, int64_t wait_ms, enum im_err err) {
    struct im_event event;
    im_error_clear(&f->e);
    assert_int_equal(im_directory_wait(f->d, wait_ms, &event, &f->e), err);
    assert_int_equal(f->e.code, err);
}

/* ---- waiting ---- */

static void test_wait_has_a_limit(void **state) {
    struct fixture *f = *state;
    int held, other, release;
    (void)expect(f, 0, IM_EVENT_NONE, NULL);
    int64_t before_ms = im_directory_now_ms(f->d);
    (void)expect(f, 5, IM_EVENT_NONE, NULL);
    assert_true(im_directory_now_ms(f->d) - before_ms >= 5);
    start(f, "cn=held", &held);
    ask(f, "cn=held too", &other);
    (void)expect(f, 0, IM_EVENT_NONE, NULL);
    (void)expect(f, 1, IM_EVENT_NONE, NULL);
    start(f, "cn=release", &release);
    assert_int_equal(expect(f, -1, IM_EVENT_DONE, &release).answer.code, 0);
    (void)expect(f, -1, IM_EVENT_DONE, &other);
    (void)expect(f, -1, IM_EVENT_DONE, &held);
    (void)expect(f, 0, IM_EVENT_NONE, NULL);
}

/* What comes together is read together, and handed out one by one without waiting for more. */
static void test_many_in_any_order(void **state) {
    struct fixture *f = *state;
    static int tokens[MANY];
    int release;
    for (size_t i = 0; i < MANY; i++)
        start(f, "cn=held", &tokens[i]);
    start(f, "cn=release", &release);
    (void)expect(f, -1, IM_EVENT_DONE, &release);
    for (size_t i = MANY; i-- > 0;)
        (void)expect(f, -1, IM_EVENT_DONE, &tokens[i]);
    (void)expect(f, 0, IM_EVENT_NONE, NULL);
}

static void test_an_answer_belongs_to_its_request(void **state) {
    struct fixture *f = *state;
    int refused, found;
    start(f, "cn=no", &refused);
    ask(f, "cn=ok", &found);
    struct im_event event = expect(f, -1, IM_EVENT_DONE, &refused);
    assert_int_equal(event.answer.code, NO_RIGHT);
    assert_string_equal(event.answer.diagnostic, "not you");
    event = expect(f, -1, IM_EVENT_ENTRY, &found);
    assert_string_equal(event.entry->dn, "cn=ok");
    assert_string_equal(im_entry_string(event.entry, "sn"), "ok");
    (void)expect(f, -1, IM_EVENT_DONE, &found);
}

static void test_what_is_abandoned_is_silent(void **state) {
    struct fixture *f = *state;
    int held, other, release;
    ask(f, "cn=held", &held);
    ask(f, "cn=held too", &other);
    im_directory_abandon(f->d, &held);
    ask(f, "cn=release", &release);
    (void)expect(f, -1, IM_EVENT_DONE, &release);
    (void)expect(f, -1, IM_EVENT_DONE, &other);
    (void)expect(f, 5, IM_EVENT_NONE, NULL);
}

static void test_parts_are_joined(void **state) {
    struct fixture *f = *state;
    int token;
    ask(f, "cn=parts", &token);
    struct im_event event = expect(f, -1, IM_EVENT_ENTRY, &token);
    const struct im_attr *member = im_entry_attr(event.entry, "member");
    assert_non_null(member);
    assert_int_equal(member->count, 5);
    for (size_t i = 0; i < member->count; i++)
        assert_int_equal(member->values[i].bv_val[0], 'a' + (int)i);
    assert_int_equal(event.entry->count, 3);
    assert_non_null(im_entry_attr(event.entry, "userCertificate"));
    assert_non_null(im_entry_attr(event.entry, "cn;lang-de"));
    (void)expect(f, -1, IM_EVENT_DONE, &token);
}

/* A stop ends a pause and the wait for a search, but not that for a change. */
static void test_stop(void **state) {
    struct fixture *f = *state;
    int token;
    f->stop = 1;
    fails(f, 60000, IM_E_INTERRUPTED);
    ask(f, "cn=held", &token);
    fails(f, -1, IM_E_INTERRUPTED);
    start(f, "cn=held", &token);
    (void)expect(f, 1, IM_EVENT_NONE, NULL);
}

static void test_deadline(void **state) {
    struct fixture *f = *state;
    int token;
    f->config.timeout_s = 0;
    start(f, "cn=held", &token);
    fails(f, -1, IM_E_TIMEOUT);
    fails(f, 0, IM_E_LOST); /* an answer that comes now would be anybody's */
}

/* ---- another connection ---- */

static void lose(struct fixture *f) {
    int token;
    start(f, "cn=cut", &token);
    fails(f, -1, IM_E_LOST);
}

static void works(struct fixture *f) {
    int token;
    (void)expect(f, 0, IM_EVENT_NONE, NULL);
    start(f, "cn=ok", &token);
    (void)expect(f, -1, IM_EVENT_DONE, &token);
}

static void stays_lost(struct fixture *f) {
    struct im_search search = {.base = "cn=ok", .scope = IM_SEARCH_BASE};
    assert_int_equal(im_directory_start_search(f->d, &search, NULL, NULL), IM_E_LOST);
    fails(f, -1, IM_E_LOST);
    (void)expect(f, 1, IM_EVENT_NONE, NULL); /* but one may rest before the next attempt */
    f->stop = 1;
    fails(f, 60000, IM_E_INTERRUPTED);
    f->stop = 0;
}

static void reopen_fails(struct fixture *f, enum im_err err) {
    im_error_clear(&f->e);
    assert_int_equal(im_directory_reopen(f->d, &f->e), err);
    assert_int_equal(f->e.code, err);
    stays_lost(f);
    im_error_clear(&f->e);
}

static void test_reopen(void **state) {
    struct fixture *f = *state;
    int held;
    start(f, "cn=held", &held);
    lose(f);
    fails(f, 0, IM_E_LOST); /* something is still in flight */
    im_error_clear(&f->e);
    assert_int_equal(im_directory_reopen(f->d, &f->e), IM_OK);
    works(f);
    assert_string_equal(im_directory_identity(f->d), "anonymous");
    assert_int_equal(im_directory_reopen(f->d, &f->e), IM_OK); /* also where nothing was lost */
    works(f);
}

static void test_loss_during_a_pause(void **state) {
    struct fixture *f = *state;
    stub_stop(&f->server);
    fails(f, 60000, IM_E_LOST);
    (void)expect(f, 1, IM_EVENT_NONE, NULL);
}

static void test_reopen_without_a_server(void **state) {
    struct fixture *f = *state;
    stub_stop(&f->server);
    reopen_fails(f, IM_E_CONNECT);
    stub_start(&f->server, CONTEXT);
    assert_int_equal(im_directory_reopen(f->d, &f->e), IM_OK);
    works(f);
}

static void test_reopen_at_another_server(void **state) {
    struct fixture *f = *state;
    stub_stop(&f->server);
    stub_start(&f->server, "dc=other");
    reopen_fails(f, IM_E_PROTOCOL);
    stub_stop(&f->server);
    stub_start(&f->server, CONTEXT);
    assert_int_equal(im_directory_reopen(f->d, &f->e), IM_OK);
    works(f);
}

static void test_reopen_as_somebody_else(void **state) {
    struct fixture *f = *state;
    f->config.bind_method = IM_BIND_SIMPLE;
    f->config.bind_dn = "cn=else";
    reopen_fails(f, IM_E_AUTH);
    f->config.bind_method = IM_BIND_ANONYMOUS;
    assert_int_equal(im_directory_reopen(f->d, &f->e), IM_OK);
    works(f);
}

static enum im_err reopen(void *user, struct im_error *e) {
    return im_directory_reopen(user, e);
}

static void test_reopen_out_of_memory(void **state) {
    struct fixture *f = *state;
    assert_true(oom_every_allocation(reopen, f->d) > 5);
    works(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_wait_has_a_limit, begin, end),
        cmocka_unit_test_setup_teardown(test_many_in_any_order, begin, end),
        cmocka_unit_test_setup_teardown(test_an_answer_belongs_to_its_request, begin, end),
        cmocka_unit_test_setup_teardown(test_what_is_abandoned_is_silent, begin, end),
        cmocka_unit_test_setup_teardown(test_parts_are_joined, begin, end),
        cmocka_unit_test_setup_teardown(test_stop, begin, end),
        cmocka_unit_test_setup_teardown(test_deadline, begin, end),
        cmocka_unit_test_setup_teardown(test_reopen, begin, end),
        cmocka_unit_test_setup_teardown(test_loss_during_a_pause, begin, end),
        cmocka_unit_test_setup_teardown(test_reopen_without_a_server, begin, end),
        cmocka_unit_test_setup_teardown(test_reopen_at_another_server, begin, end),
        cmocka_unit_test_setup_teardown(test_reopen_as_somebody_else, begin, end),
        cmocka_unit_test_setup_teardown(test_reopen_out_of_memory, begin, end),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as the commands do */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
