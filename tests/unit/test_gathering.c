/* Requests that go out together: nothing before it is asked for, all of it in order, and nothing lost at the end. */
#include "lib/directory/gathering.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LARGE = 40000, ROOM = 4 * LARGE };

struct pair {
    Sockbuf *socket;
    struct im_gathering *gathering;
    int other; /* end */
    char *got;
};

static struct pair begin(void) {
    int ends[2];
    struct pair p = {.socket = ber_sockbuf_alloc(), .got = calloc(1, ROOM)};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_non_null(p.got);
    p.other = ends[1];
    assert_int_equal(ber_sockbuf_ctrl(p.socket, LBER_SB_OPT_SET_FD, &ends[0]), 1);
    assert_int_equal(ber_sockbuf_add_io(p.socket, &ber_sockbuf_io_fd, LBER_SBIOD_LEVEL_PROVIDER, NULL), 0);
    p.gathering = im_gathering_begin(p.socket);
    assert_non_null(p.gathering);
    return p;
}

static int put(const struct pair *p, const char *bytes, size_t len) {
    BerElement *ber = ber_alloc_t(0);
    assert_non_null(ber);
    assert_int_equal(ber_write(ber, bytes, len, 0), (ber_slen_t)len);
    return ber_flush2(p->socket, ber, LBER_FLUSH_FREE_ALWAYS);
}

/* What the other end can read now. */
static size_t arrived(const struct pair *p) {
    ssize_t count = recv(p->other, p->got, ROOM, MSG_DONTWAIT);
    return count > 0 ? (size_t)count : 0;
}

static void end(struct pair *p) {
    if (p->socket)
        ber_sockbuf_free(p->socket);
    (void)close(p->other);
    free(p->got);
}

static void requests_wait_and_keep_their_order(void **state) {
    (void)state;
    struct pair p = begin();
    assert_int_equal(put(&p, "one", 3), 0);
    assert_int_equal(put(&p, "two", 3), 0);
    assert_int_equal(arrived(&p), 0);
    assert_true(im_gathering_flush(p.gathering));
    assert_int_equal(arrived(&p), 6);
    assert_memory_equal(p.got, "onetwo", 6);
    assert_true(im_gathering_flush(p.gathering));
    assert_int_equal(arrived(&p), 0);
    assert_true(im_gathering_flush(NULL));
    end(&p);
}

static void a_large_one_goes_behind_what_waits(void **state) {
    (void)state;
    struct pair p = begin();
    char *large = malloc(LARGE);
    assert_non_null(large);
    memset(large, 'x', LARGE);
    assert_int_equal(put(&p, "one", 3), 0);
    assert_int_equal(put(&p, large, LARGE), 0);
    assert_int_equal(put(&p, "two", 3), 0);
    assert_true(im_gathering_flush(p.gathering));
    assert_int_equal(arrived(&p), LARGE + 6);
    assert_memory_equal(p.got, "onexxx", 6);
    assert_memory_equal(p.got + LARGE, "xxxtwo", 6);
    free(large);
    end(&p);
}

static void not_more_than_some_wait(void **state) {
    (void)state;
    struct pair p = begin();
    char request[500];
    size_t total = 0;
    memset(request, 'r', sizeof request);
    for (int i = 0; i < 40; i++)
        assert_int_equal(put(&p, request, sizeof request), 0);
    total += arrived(&p);
    assert_in_range(total, 1, 40 * sizeof request - 1);
    assert_true(im_gathering_flush(p.gathering));
    assert_int_equal(total + arrived(&p), 40 * sizeof request);
    end(&p);
}

static void the_end_sends_the_rest_and_keeps_nothing_back(void **state) {
    (void)state;
    struct pair p = begin();
    assert_int_equal(put(&p, "one", 3), 0);
    im_gathering_end(p.gathering);
    assert_int_equal(arrived(&p), 3);
    assert_int_equal(put(&p, "unbind", 6), 0);
    assert_int_equal(arrived(&p), 6);
    assert_memory_equal(p.got, "unbind", 6);
    im_gathering_end(NULL);
    end(&p);
}

static void a_broken_connection_is_told(void **state) {
    (void)state;
    struct pair p = begin();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)shutdown(p.other, SHUT_RDWR);
    assert_int_equal(put(&p, "one", 3), 0);
    assert_false(im_gathering_flush(p.gathering));
    end(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_wait_and_keep_their_order),
        cmocka_unit_test(a_large_one_goes_behind_what_waits),
        cmocka_unit_test(not_more_than_some_wait),
        cmocka_unit_test(the_end_sends_the_rest_and_keeps_nothing_back),
        cmocka_unit_test(a_broken_connection_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
