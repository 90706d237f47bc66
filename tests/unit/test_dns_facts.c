/* What name servers said: looking it up, planning what to ask, reading messages; and running out of memory in each. */
#include "lib/model/dns_facts.h"

#include "lib/model/dns_names.h"
#include "lib/probe/dns.h"
#include "lib/probe/dns_plan.h"
#include "tests/unit/oom.h"
#include "tests/unit/survey_world.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct im_profile_srv srv[] = {{"_one._tcp", 1}, {"_two._tcp", 2}};
static const struct im_dns_resolver resolvers[] = {{.name = "first", .address = "192.0.2.1", .is_given = true},
                                                   {.name = "second", .address = "192.0.2.2", .is_given = true}};

struct fixture {
    struct im_pool *pool;
    struct im_dns_facts facts;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    f->pool = im_pool_new();
    *state = f;
    return im_dns_facts_begin(&f->facts, srv, LENGTH(srv), resolvers, LENGTH(resolvers), f->pool, NULL) == IM_OK ? 0 : -1;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    im_dns_facts_free(&f->facts);
    im_pool_free(&f->pool);
    free(f);
    return 0;
}

/* One resolver's answer; SRV records have this target. */
static void answer(struct fixture *f, size_t resolver, const char *name, enum im_dns_type type, enum im_dns_state state,
                   const char *text) {
    struct im_dns_record *record = im_pool_alloc(f->pool, sizeof *record);
    *record = (struct im_dns_record){.text = text};
    assert_int_equal(im_dns_facts_want(&f->facts, name, type, false, NULL), IM_OK);
    for (size_t i = 0; i < f->facts.answers.count; i++) {
        struct im_dns_answer *a = f->facts.answers.items[i];
        if (a != im_dns_answer_of(&f->facts, resolver, name, type))
            continue;
        a->state = state;
        a->records = record;
        a->count = text != NULL;
        a->trouble = state == IM_DNS_FAILED ? "SERVFAIL" : NULL;
    }
}

static void the_first_resolver_that_knows_decides(void **state) {
    struct fixture *f = *state;
    assert_null(im_dns_answer(&f->facts, "a.example", IM_DNS_A));
    assert_int_equal(im_dns_facts_want(&f->facts, "a.example", IM_DNS_A, false, NULL), IM_OK);
    assert_null(im_dns_answer(&f->facts, "a.example", IM_DNS_A)); /* wanted is not asked */
    answer(f, 0, "a.example", IM_DNS_A, IM_DNS_FAILED, NULL);
    assert_int_equal(im_dns_answer(&f->facts, "a.example", IM_DNS_A)->state, IM_DNS_FAILED);
    answer(f, 1, "a.example", IM_DNS_A, IM_DNS_NODATA, NULL);
    assert_int_equal(im_dns_answer(&f->facts, "A.Example.", IM_DNS_A)->resolver, 1);
    answer(f, 0, "a.example", IM_DNS_A, IM_DNS_NXDOMAIN, NULL);
    assert_int_equal(im_dns_answer(&f->facts, "a.example", IM_DNS_A)->state, IM_DNS_NXDOMAIN);
    assert_null(im_dns_answer(&f->facts, "a.example", IM_DNS_AAAA));
    assert_int_equal(f->facts.answers.count, 2); /* one for each resolver, however often it is wanted */
}

static void addresses_of_both_kinds_count(void **state) {
    struct fixture *f = *state;
    static const struct {
        enum im_dns_state v4, v6, both;
    } rows[] = {
        {IM_DNS_FOUND, IM_DNS_FAILED, IM_DNS_FOUND},         {IM_DNS_NODATA, IM_DNS_FOUND, IM_DNS_FOUND},
        {IM_DNS_NODATA, IM_DNS_FAILED, IM_DNS_FAILED},       {IM_DNS_FAILED, IM_DNS_NXDOMAIN, IM_DNS_FAILED},
        {IM_DNS_NXDOMAIN, IM_DNS_NXDOMAIN, IM_DNS_NXDOMAIN}, {IM_DNS_NODATA, IM_DNS_NODATA, IM_DNS_NODATA},
        {IM_DNS_NODATA, IM_DNS_NOT_ASKED, IM_DNS_NOT_ASKED},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char name[32];
        snprintf(name, sizeof name, "n%zu.example", i);
        answer(f, 0, name, IM_DNS_A, rows[i].v4, NULL);
        answer(f, 0, name, IM_DNS_AAAA, rows[i].v6, NULL);
        assert_int_equal(im_dns_addresses(&f->facts, name).state, rows[i].both);
    }
    assert_int_equal(im_dns_addresses(&f->facts, "never.example").state, IM_DNS_NOT_ASKED);
}

static void one_of_the_labels_is_enough(void **state) {
    struct fixture *f = *state;
    enum im_dns_state got;
    assert_null(im_dns_srv_target(&f->facts, "x.example", &got));
    assert_int_equal(got, IM_DNS_NOT_ASKED);
    answer(f, 0, "_one._tcp.x.example", IM_DNS_SRV, IM_DNS_NXDOMAIN, NULL);
    answer(f, 0, "_two._tcp.x.example", IM_DNS_SRV, IM_DNS_FAILED, NULL);
    assert_null(im_dns_srv_target(&f->facts, "x.example", &got));
    assert_int_equal(got, IM_DNS_FAILED); /* one that is not known is never "missing" */
    answer(f, 0, "_two._tcp.x.example", IM_DNS_SRV, IM_DNS_FOUND, "two.example");
    assert_string_equal(im_dns_srv_target(&f->facts, "X.example", &got), "two.example");
    answer(f, 0, "_one._tcp.x.example", IM_DNS_SRV, IM_DNS_FOUND, "one.example");
    assert_string_equal(im_dns_srv_target(&f->facts, "x.example", &got), "one.example");
    answer(f, 0, "_one._tcp.x.example", IM_DNS_SRV, IM_DNS_FOUND, "");
    assert_null(im_dns_srv_target(&f->facts, "x.example", &got)); /* the target "." */
    assert_int_equal(got, IM_DNS_FOUND);
}

static void what_dns_cannot_hold_is_not_asked(void **state) {
    struct fixture *f = *state;
    assert_int_equal(im_dns_facts_want(&f->facts, "no name", IM_DNS_A, false, NULL), IM_OK);
    const struct im_dns_answer *got = im_dns_answer(&f->facts, "no name", IM_DNS_A);
    assert_int_equal(got->state, IM_DNS_FAILED);
    assert_mentions(got->trouble, "cannot hold");
}

/* What was an aside becomes important when somebody needs it; not the other way round. */
static void asides(void **state) {
    struct fixture *f = *state;
    im_dns_facts_want(&f->facts, "a.example", IM_DNS_A, true, NULL);
    assert_true(f->facts.answers.items[0]->is_aside);
    im_dns_facts_want(&f->facts, "a.example", IM_DNS_A, false, NULL);
    assert_false(f->facts.answers.items[0]->is_aside);
    im_dns_facts_want(&f->facts, "a.example", IM_DNS_A, true, NULL);
    assert_false(f->facts.answers.items[0]->is_aside);
}

static void wrong_names_follow_from_the_label(void **state) {
    (void)state;
    static const char *const rvp[] = {"_rvp_tcp.x.example", "rvp._tcp.x.example", "_rvp.tcp.x.example", "_rvp._udp.x.example",
                                      "_rvp._tcp.x.example.x.example"};
    char name[IM_DNS_NAME_SIZE];
    for (size_t i = 0; i < IM_DNS_MISTAKES; i++) {
        assert_true(im_dns_srv_mistake(i, "_rvp._tcp", "X.example.", name));
        assert_string_equal(name, rvp[i]);
    }
    assert_true(im_dns_srv_mistake(3, "_sip._tls", "x.example", name));
    assert_string_equal(name, "_sip._tcp.x.example");
    assert_false(im_dns_srv_mistake(0, "_rvp._tcp", "no name", name));
    assert_false(im_dns_srv_name("_rvp._tcp", "", name));
}

static void records_are_sorted(void **state) {
    (void)state;
    struct im_dns_record r[] = {{"b", 10, 0, 1}, {"c", 0, 5, 1}, {"A", 0, 9, 1}, {"a", 10, 0, 2}, {"B", 10, 0, 0}};
    static const char *const order[] = {"A", "c", "a", "B", "b"};
    im_dns_sort(r, LENGTH(r));
    for (size_t i = 0; i < LENGTH(r); i++)
        assert_string_equal(r[i].text, order[i]);
    im_dns_sort(NULL, 0);
}

static void names_of_an_organisation(void **state) {
    (void)state;
    struct survey_world *w =
        survey_world_from_text("servers:\n"
                               "  - { name: r, host: IM.corp.example, hosts-users: false }\n"
                               "  - { name: r2, host: r2.corp.example, domains: [im2.corp.example], hosts-users: false }\n"
                               "  - { name: h1, host: \"h1.corp.example:8080\" }\n"
                               "  - { name: h2, host: H2 }\n"
                               "  - { name: h3, host: 192.0.2.1 }\n"
                               "  - { name: h4 }\n"
                               "census: { im-domains: { im.corp.example: 1 }, mail-domains: { corp.example: 1, \"b\xc3\xbc"
                               "cher.example\": 2 } }\n");
    struct im_dns_names names = {.hosts = {NULL, 0}};
    assert_int_equal(im_dns_names(w->survey.census, w->survey.servers, w->pool, &names, NULL), IM_OK);
    assert_int_equal(names.mail_domains.count, 2);
    assert_string_equal(names.mail_domains.items[1], "xn--bcher-kva.example");
    assert_int_equal(names.im_domains.count, 2);
    assert_true(im_strings_have(&names.im_domains, "im2.corp.example"));
    assert_int_equal(names.hosts.count, 3);
    assert_true(im_strings_have(&names.hosts, "h1.corp.example"));
    assert_int_equal(im_dns_names(NULL, NULL, w->pool, &names, NULL), IM_OK);
    assert_int_equal(names.mail_domains.count + names.im_domains.count + names.hosts.count, 0);
    survey_world_free(&w);
}

/* ---- asking: a stop leaves what was not answered open ---- */

static int silent_server(char address[32]) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    snprintf(address, 32, "127.0.0.1:%u", (unsigned)ntohs(in.sin_port));
    return fd;
}

static void a_stop_leaves_questions_open(void **state) {
    struct fixture *f = *state;
    char address[32];
    const char *servers[] = {address};
    const char *domains[] = {"corp.example"};
    const atomic_int stop = 1;
    int fd = silent_server(address);
    struct im_dns_facts facts = {.pool = NULL};
    struct im_error e = {.code = IM_OK};
    const struct im_dns_wanted wanted = {.mail_domains = {domains, 1},
                                         .srv = srv,
                                         .srv_count = LENGTH(srv),
                                         .resolvers = {servers, 1},
                                         .timeout_s = 60,
                                         .stop = &stop};
    assert_int_equal(im_dns_gather(&wanted, f->pool, &facts, &e), IM_E_INTERRUPTED);
    assert_int_equal(facts.answers.count, LENGTH(srv));
    assert_int_equal(facts.answers.items[0]->state, IM_DNS_NOT_ASKED);
    assert_null(im_dns_srv_of(&facts, "corp.example"));
    assert_false(facts.resolvers[0].is_dead);
    im_dns_facts_free(&facts);
    close(fd);
}

/* ---- out of memory ---- */

static const unsigned char message[] = "\0\1\x85\x80\0\1\0\2\0\0\0\0\1x\7example\0\0\x21\0\1"
                                       "\xc0\x0c\0\5\0\1\0\0\0\1\0\4\1y\xc0\x0e"
                                       "\1y\7example\0\0\x21\0\1\0\0\0\1\0\x0a\0\1\0\2\0\x50\2im\0";

static enum im_err read_message(void *user, struct im_error *e) {
    (void)user;
    struct im_pool *pool = im_pool_new();
    struct im_dns_answer got = {.name = "x.example", .type = IM_DNS_SRV};
    bool is_truncated;
    enum im_err err = pool ? im_dns_read(&got, message, sizeof message - 1, pool, &is_truncated, e) : im_error_nomem(e);
    if (err == IM_OK) {
        assert_int_equal(got.state, IM_DNS_FOUND);
        assert_string_equal(got.records[0].text, "im");
        assert_int_equal(got.records[0].port, 80);
        assert_string_equal(got.aliases[0], "y.example");
    }
    im_pool_free(&pool);
    return err;
}

static enum im_err plan_all(void *user, struct im_error *e) {
    const struct survey_world *w = user;
    struct im_pool *pool = im_pool_new();
    struct im_dns_facts facts = {.pool = NULL};
    struct im_dns_names names = {.hosts = {NULL, 0}};
    size_t count = 0;
    enum im_err err = pool ? im_dns_names(w->survey.census, w->survey.servers, pool, &names, e) : im_error_nomem(e);
    if (err == IM_OK)
        err = im_dns_facts_begin(&facts, srv, LENGTH(srv), resolvers, LENGTH(resolvers), pool, e);
    const struct im_dns_wanted wanted = {
        .mail_domains = names.mail_domains, .im_domains = names.im_domains, .hosts = names.hosts};
    if (err == IM_OK)
        err = im_dns_plan(&wanted, &facts, &count, e);
    im_dns_facts_free(&facts);
    im_pool_free(&pool);
    return err;
}

static enum im_err judge_all(void *user, struct im_error *e) {
    const struct survey_world *w = user;
    size_t count;
    const struct im_rule *rules = im_rules(IM_SCOPE_DNS, &count);
    struct im_pool *pool = im_pool_new();
    bool has_failed = !pool;
    for (size_t i = 0; pool && i < count; i++) {
        struct im_sink sink = {.pool = pool, .rule = &rules[i]};
        rules[i].survey(&w->survey, &sink);
        has_failed = has_failed || sink.failed;
        im_sink_free(&sink);
    }
    im_pool_free(&pool);
    return has_failed ? im_error_nomem(e) : IM_OK;
}

static enum im_err ask_nobody(void *user, struct im_error *e) {
    const char *servers[] = {user};
    const char *domains[] = {"corp.example"};
    struct im_pool *pool = im_pool_new();
    struct im_dns_facts facts = {.pool = NULL};
    const struct im_dns_wanted wanted = {
        .mail_domains = {domains, 1}, .srv = srv, .srv_count = 1, .resolvers = {servers, 1}, .timeout_s = 60};
    enum im_err err = pool ? im_dns_gather(&wanted, pool, &facts, e) : im_error_nomem(e);
    im_dns_facts_free(&facts);
    im_pool_free(&pool);
    return err;
}

static void running_out_of_memory_is_an_error(void **state) {
    (void)state;
    static const char *const trouble =
        "external: true\n"
        "servers:\n"
        "  - { name: r, host: im.corp.example, hosts-users: false }\n"
        "  - { name: r1, host: r1.corp.example, domains: [im2.example], hosts-users: false }\n"
        "  - { name: h, host: h.corp.example }\n"
        "census: { im-domains: { im.corp.example: 1, im2.example: 1, no.example: 1 },\n"
        "          mail-domains: { a.example: 1, b.example: 1, c.example: 1, d.example: 1, e.example: 1, f.example: 1, "
        "g.example: 1,\n"
        "                          h.example: 1, i.example: 1, \"no name\": 1 } }\n"
        "dns:\n  resolvers: [{ name: 192.0.2.1 }, { name: 192.0.2.2, dead: silence }, { name: 192.0.2.3, zone: [] }]\n  zone:\n"
        "    - im.corp.example A 10.0.0.1\n    - im.corp.example A 192.0.2.2\n    - h.corp.example A 192.0.2.3\n"
        "    - h.corp.example A 192.0.2.4\n    - im2.example A 192.0.2.9\n    - r1.corp.example A 192.0.2.8\n"
        "    - b.example A 192.0.2.80\n    - _rvp_tcp.c.example SRV 0 0 80 im.corp.example\n    - d.example SRV 0 0 80 .\n"
        "    - e.example SRV 0 0 80 192.0.2.1\n    - f.example SRV 0 0 80 old.example\n    - g.example SRV 0 0 80 no.example\n"
        "    - h.example SRV 0 0 80 al.example\n    - al.example CNAME im.corp.example\n    - i.example SRV FAILED SERVFAIL\n";
    char address[32];
    struct survey_world *w = survey_world_from_text(trouble);
    close(silent_server(address)); /* nobody listens there now */
    assert_true(oom_every_allocation(read_message, NULL) > 2);
    assert_true(oom_every_allocation(plan_all, w) > 10);
    assert_true(oom_every_allocation(judge_all, w) > 100);
    assert_true(oom_every_allocation(ask_nobody, address) > 5);
    survey_world_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_resolver_that_knows_decides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(addresses_of_both_kinds_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_of_the_labels_is_enough, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_dns_cannot_hold_is_not_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(asides, set_up, tear_down),
        cmocka_unit_test(wrong_names_follow_from_the_label),
        cmocka_unit_test(records_are_sorted),
        cmocka_unit_test(names_of_an_organisation),
        cmocka_unit_test_setup_teardown(a_stop_leaves_questions_open, set_up, tear_down),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests_name("dns_facts", tests, NULL, NULL);
}
