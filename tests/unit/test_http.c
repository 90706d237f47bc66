/* Asking web servers: what needs no server, and running out of memory in the midst of it. Real servers are asked by
 * tests/integration/test_http.py. */
#include "lib/probe/http.h"

#include "lib/probe/http_fetch.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "imhome1.corp.example"

/* A server in a thread: it says the same to everybody, and closes. */
struct server {
    int socket;
    long port;
    pthread_t thread;
};

static const char said[] = "HTTP/1.1 302 x\r\nRVP-Notifications-Version: 0.2\r\nServer: Microsoft-IIS/5.0\r\n"
                           "WWW-Authenticate: NTLM\r\nWWW-Authenticate: Digest realm=\"im\"\r\n"
                           "Location: http://" HOST "/instmsg/elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

static void *serve(void *user) {
    const struct server *s = user;
    for (int client; (client = accept(s->socket, NULL, NULL)) >= 0; close(client)) {
        char asked[4096] = "";
        ssize_t len = 0;
        for (ssize_t more; len < 4000 && !strstr(asked, "\r\n\r\n"); asked[len += more] = '\0') {
            more = recv(client, asked + len, sizeof asked - 1 - (size_t)len, 0);
            if (more <= 0)
                break;
        }
        (void)!send(client, said, sizeof said - 1, MSG_NOSIGNAL);
    }
    return NULL;
}

static int start(void **state) {
    static struct server s;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr generic;
    socklen_t len = sizeof address;
    memcpy(&generic, &address, sizeof generic);
    s.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s.socket, &generic, len) != 0 || listen(s.socket, 16) != 0 || getsockname(s.socket, &generic, &len) != 0)
        return -1;
    memcpy(&address, &generic, sizeof address);
    s.port = ntohs(address.sin_port);
    *state = &s;
    return pthread_create(&s.thread, NULL, serve, &s);
}

static int end(void **state) {
    const struct server *s = *state;
    shutdown(s->socket, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    return close(s->socket);
}

struct attempt {
    const struct im_profile *profile;
    long port;
};

static enum im_err gather(void *user, struct im_error *e) {
    static const char *const here[] = {"127.0.0.1"};
    static const struct im_http_host hosts[] = {{HOST, IM_HTTP_HOME}, {"Gone.corp.example.", IM_HTTP_DOMAIN}};
    static const struct im_http_person people[] = {
        {"anna", "CN=Anna", "http://" HOST "/instmsg/aliases/anna", "http://" HOST "/instmsg/local/im/instmsg/aliases/anna"}};
    const struct attempt *a = user;
    const struct im_http_place places[] = {{HOST, here, 1, a->port}, {"gone.corp.example", NULL, 0, 0}};
    const struct im_http_wanted wanted = {a->profile, hosts, 2, people, 1, places, 2, 60000, NULL};
    struct im_http_facts facts = {0};
    struct im_pool *pool = im_pool_new();
    enum im_err err = pool ? im_http_gather(&wanted, pool, &facts, e) : im_error_nomem(e);
    if (err == IM_OK) {
        const struct im_http_target *t = im_http_target(&facts, HOST);
        assert_int_equal(facts.target_count, 2);
        assert_int_equal(im_http_schemes(t), IM_HTTP_NTLM | IM_HTTP_DIGEST);
        assert_string_equal(t->local_address, "127.0.0.1");
        assert_string_equal(facts.targets[1].host, "gone.corp.example");
        assert_int_equal(facts.targets[1].propfind.outcome, IM_HTTP_NO_ADDRESS);
        assert_string_equal(facts.users[0].followed.url, "http://" HOST "/instmsg/elsewhere");
        assert_int_equal(facts.users[0].followed.status, 302);
    }
    im_pool_free(&pool);
    return err;
}

static void running_out_of_memory_is_an_error(void **state) {
    const struct server *s = *state;
    struct im_profile *profile = NULL;
    assert_int_equal(im_profile_load("exchange2000", &profile, NULL), IM_OK);
    struct attempt a = {profile, s->port};
    assert_true(oom_every_allocation(gather, &a) > 3);
    im_profile_free(&profile);
}

static void a_profile_without_web_servers_asks_none(void **state) {
    (void)state;
    static const struct im_profile profile = {.name = "none"};
    static const struct im_http_host hosts[] = {{HOST, IM_HTTP_HOME}};
    const struct im_http_wanted wanted = {.profile = &profile, .hosts = hosts, .host_count = 1, .timeout_ms = 1000};
    struct im_http_facts facts = {0};
    struct im_error e = {0};
    assert_int_equal(im_http_gather(&wanted, NULL, &facts, &e), IM_OK);
    assert_int_equal(facts.target_count, 0);
}

static void addresses_of_this_machine(void **state) {
    (void)state;
    static const char *const here[] = {"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"};
    static const char *const elsewhere[] = {"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "", "localhost", "127.0.0.1x"};
    for (size_t i = 0; i < LENGTH(here); i++) {
        if (!im_http_is_local(here[i]))
            fail_msg("%s is not local", here[i]);
    }
    for (size_t i = 0; i < LENGTH(elsewhere); i++) {
        if (im_http_is_local(elsewhere[i]))
            fail_msg("%s is local", elsewhere[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(running_out_of_memory_is_an_error, start, end),
        cmocka_unit_test(a_profile_without_web_servers_asks_none),
        cmocka_unit_test(addresses_of_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
