/* One person's sign-in as steps. */
#include "lib/model/sign_in.h"

#include "tests/unit/oom.h"
#include "tests/unit/survey_world.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#define LOGICAL "http://im.corp.example/instmsg/aliases/anna"
#define PHYSICAL "http://imhome1.corp.example/instmsg/local/im.corp.example/instmsg/aliases/anna"
#define ELSEWHERE "http://imhome2.corp.example/instmsg/aliases/anna"
#define DNS(zone) "dns: {zone: [" zone "]}\ncensus: {mail-domains: {corp.example: 1}, im-domains: {im.corp.example: 1}}\n"
#define SRV "corp.example SRV 0 0 80 im.corp.example, "
#define A "im.corp.example A 192.0.2.1"
#define TARGETS "targets: [{host: im.corp.example, roles: [router, domain]}, {host: imhome1.corp.example}]"
#define HTTP(answers) "http: {" TARGETS ", users: [{account: anna, physical: '" PHYSICAL "'" answers "}]}\n"
#define SENT ", logical: {status: 302, version: '0.2', location: '" PHYSICAL "'}"
#define ASKED "{status: 401, version: '0.2', authenticate: [NTLM]}"

static const struct im_account anna = {
    .dn = "CN=anna,DC=corp,DC=example",
    .mail = "anna@corp.example",
    .address = "anna@im.corp.example",
    .logical_url = LOGICAL,
    .physical_url = PHYSICAL,
};

static void check(const char *facts, const struct im_account *account, const char *expect) {
    struct survey_world *w = survey_world_from_text(facts);
    struct im_sign_in way;
    struct im_error e = {0};
    struct im_buf text = IM_BUF_INIT;
    assert_int_equal(im_sign_in(&w->survey, account, w->pool, &way, &e), IM_OK);
    for (size_t i = 0; i < way.count; i++) {
        im_step_text(&way.steps[i], &text);
        im_buf_addc(&text, '\n');
    }
    assert_string_equal(im_buf_str(&text), expect);
    im_buf_free(&text);
    survey_world_free(&w);
}

static void all_the_way(void **state) {
    (void)state;
    check(DNS(SRV A) HTTP(SENT ", home: " ASKED), &anna,
          "srv _rvp._tcp.corp.example: im.corp.example, ok\n"
          "address im.corp.example: 192.0.2.1, ok\n"
          "router " LOGICAL ": 302 to " PHYSICAL ", Microsoft-IIS/5.0, ok\n"
          "redirect " LOGICAL ": " PHYSICAL ", ok\n"
          "home " PHYSICAL ": 401 (NTLM), Microsoft-IIS/5.0, ok\n");
}

static void a_router_that_asks_the_home_itself(void **state) {
    (void)state;
    check(DNS(SRV A) HTTP(", logical: " ASKED ", home: " ASKED), &anna,
          "srv _rvp._tcp.corp.example: im.corp.example, ok\n"
          "address im.corp.example: 192.0.2.1, ok\n"
          "router " LOGICAL ": 401 (NTLM), Microsoft-IIS/5.0, ok\n"
          "home " PHYSICAL ": 401 (NTLM), Microsoft-IIS/5.0, ok\n");
}

static void one_server_and_one_domain(void **state) {
    (void)state;
    struct im_account only = anna;
    only.mail = "anna@IM.corp.example";
    only.physical_url = LOGICAL "/";
    check(DNS(A) HTTP(", logical: " ASKED), &only,
          "address im.corp.example: 192.0.2.1, ok\n"
          "home " LOGICAL ": 401 (NTLM), Microsoft-IIS/5.0, ok\n");
}

static void what_goes_wrong(void **state) {
    (void)state;
    static const char rest[] = "router " LOGICAL ": not asked, unknown\nhome " PHYSICAL ": not asked, unknown\n";
    char expect[1024];
    snprintf(expect, sizeof expect, "%s%s",
             "srv _rvp._tcp.corp.example: no such record: only the IM address can be used, but the directory says "
             "anna@im.corp.example, problem\naddress im.corp.example: no address, problem\n",
             rest);
    check(DNS(""), &anna, expect);
    snprintf(expect, sizeof expect, "%s%s",
             "srv _rvp._tcp.corp.example: SERVFAIL, unknown\naddress im.corp.example: SERVFAIL, unknown\n", rest);
    check(DNS("corp.example SRV FAILED SERVFAIL, im.corp.example A FAILED SERVFAIL"), &anna, expect);
    snprintf(expect, sizeof expect, "%s%s",
             "srv _rvp._tcp.corp.example: old.corp.example, but the directory says im.corp.example, problem\n"
             "address old.corp.example: 192.0.2.9, ok\n",
             rest);
    check(DNS("corp.example SRV 0 0 80 old.corp.example, old.corp.example A 192.0.2.9"), &anna, expect);
    snprintf(expect, sizeof expect, "%s%s",
             "srv _rvp._tcp.corp.example: not asked, unknown\naddress im.corp.example: not asked, unknown\n", rest);
    check("{}", &anna, expect);
}

static void answers_that_lead_nowhere(void **state) {
    (void)state;
    static const struct {
        const char *answers, *expect;
    } rows[] = {
        {HTTP(", logical: {status: 302, version: '0.2', location: '" ELSEWHERE
              "'}, home: {status: 404, version: '0.2'}, followed: " ASKED),
         "router " LOGICAL ": 302 to " ELSEWHERE ", Microsoft-IIS/5.0, ok\n"
         "redirect " LOGICAL ": " ELSEWHERE ", but the directory says " PHYSICAL ", problem\n"
         "home " ELSEWHERE ": 401 (NTLM), Microsoft-IIS/5.0, ok\n"},
        {HTTP(SENT ", home: {status: 404, version: '0.2'}"), "router " LOGICAL ": 302 to " PHYSICAL ", Microsoft-IIS/5.0, ok\n"
                                                             "redirect " LOGICAL ": " PHYSICAL ", ok\n"
                                                             "home " PHYSICAL ": 404, Microsoft-IIS/5.0, problem\n"},
        {HTTP(", logical: {outcome: timeout, detail: no answer}, home: {status: 401, authenticate: [NTLM]}"),
         "router " LOGICAL ": no answer, problem\n"
         "home " PHYSICAL ": 401 (NTLM), Microsoft-IIS/5.0, unknown\n"},
        {HTTP(", logical: {status: 404, server: nginx}, home: {status: 401, version: '0.2', authenticate: [Basic]}"),
         "router " LOGICAL ": 404, nginx, problem\n"
         "home " PHYSICAL ": 401 (Basic), Microsoft-IIS/5.0, problem\n"},
        {HTTP(", logical: {status: 302, location: 'https://x'}, home: {outcome: no-address, detail: no name}"),
         "router " LOGICAL ": 302 to https://x, Microsoft-IIS/5.0, problem\n"
         "redirect " LOGICAL ": https://x, but the directory says " PHYSICAL ", problem\n"
         "home " PHYSICAL ": no name, unknown\n"},
        {HTTP(", logical: {status: 401, version: '0.2', server: \"a\\e[31mb\", authenticate: [NTLM]}"),
         "router " LOGICAL ": 401 (NTLM), a\\x1b[31mb, ok\n"
         "home " PHYSICAL ": not asked, unknown\n"},
    };
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char facts[2048];
        char expect[2048];
        snprintf(facts, sizeof facts, "%s%s", DNS(SRV A), rows[i].answers);
        snprintf(expect, sizeof expect, "%s%s",
                 "srv _rvp._tcp.corp.example: im.corp.example, ok\naddress im.corp.example: 192.0.2.1, ok\n", rows[i].expect);
        check(facts, &anna, expect);
    }
}

static void somebody_who_is_not_enabled(void **state) {
    (void)state;
    static const struct im_account nobody = {.dn = "CN=bert,DC=corp,DC=example"};
    check(DNS(SRV A) HTTP(SENT), &nobody, "");
}

static enum im_err walk(void *user, struct im_error *e) {
    const struct im_survey *survey = user;
    struct im_sign_in way;
    struct im_pool *pool = im_pool_new();
    enum im_err err = pool ? im_sign_in(survey, &anna, pool, &way, e) : im_error_nomem(e);
    im_pool_free(&pool);
    return err;
}

static void running_out_of_memory_is_an_error(void **state) {
    (void)state;
    struct survey_world *w = survey_world_from_text(DNS(SRV A) HTTP(SENT ", home: " ASKED));
    assert_true(oom_every_allocation(walk, &w->survey) > 3);
    survey_world_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_the_way),
        cmocka_unit_test(a_router_that_asks_the_home_itself),
        cmocka_unit_test(one_server_and_one_domain),
        cmocka_unit_test(what_goes_wrong),
        cmocka_unit_test(answers_that_lead_nowhere),
        cmocka_unit_test(somebody_who_is_not_enabled),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
