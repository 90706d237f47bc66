/* The rules about web servers against the folders in tests/golden/http: adding a case is adding a folder. */
#include "lib/model/http_facts.h"
#include "tests/unit/golden.h"
#include "tests/unit/oom.h"
#include "tests/unit/survey_world.h"
#include "tests/unit/unit.h"

#define TOP "tests/golden/http"

/* What a report shows: of several rules that describe one fault the most exact. */
static void tell_heard(struct survey_world *w, struct im_buf *out) {
    size_t count;
    const struct im_rule *rules = im_rules(IM_SCOPE_HTTP, &count);
    struct im_sink sink = {.pool = w->pool};
    for (size_t i = 0; i < count; i++) {
        sink.rule = &rules[i];
        (void)rules[i].survey(&w->survey, &sink);
    }
    assert_false(sink.failed);
    sink.count = sink.items ? im_findings_hide(sink.items, sink.count) : 0;
    for (size_t i = 0; i < sink.count; i++)
        im_buf_addf(out, "heard %s %s\n", sink.items[i].rule->id, sink.items[i].subject);
    im_sink_free(&sink);
}

static void tell(const char *facts_path, struct im_buf *out) {
    struct survey_world *w = survey_world_from_file(facts_path);
    survey_tell(IM_SCOPE_HTTP, w, out);
    tell_heard(w, out);
    survey_world_free(&w);
}

static void every_rule_is_complete(void **state) {
    (void)state;
    survey_check_rules(IM_SCOPE_HTTP, TOP);
}

/* Every rule at once, on facts in which most of them find something. */
static const char trouble[] =
    "http: {targets: [{host: a.corp.example, propfind: {outcome: refused, detail: no}},"
    "{host: b.corp.example, local: 127.0.0.1, propfind: {status: 401, authenticate: ['Digest realm=x']}, get: {status: 200}},"
    "{host: c.corp.example, propfind: {status: 401, authenticate: [Basic]}}, {host: d.corp.example, propfind: {status: 500}},"
    "{host: e.corp.example, propfind: {outcome: no-address, detail: none}}, {host: f.corp.example, propfind: {status: 503}},"
    "{host: g.corp.example, propfind: {status: 403}}, {host: h.corp.example, propfind: {status: 405}}],"
    "users: [{account: anna, physical: http://a.corp.example/x, logical: {status: 302, version: 1, location: /x}, followed: "
    "{status: 404}}, {account: b'ert, logical: {status: 404, version: '1', url: \"http://a.corp.example/b'ert\"}}]}";

static enum im_err judge(void *user, struct im_error *e) {
    const struct survey_world *w = user;
    size_t count;
    const struct im_rule *rules = im_rules(IM_SCOPE_HTTP, &count);
    bool failed = false;
    for (size_t i = 0; i < count; i++) {
        struct im_sink sink = {.pool = im_pool_new(), .rule = &rules[i]};
        failed = failed || !sink.pool;
        if (sink.pool)
            (void)rules[i].survey(&w->survey, &sink);
        failed = failed || sink.failed;
        im_sink_free(&sink);
        im_pool_free(&sink.pool);
    }
    return failed ? im_error_nomem(e) : IM_OK;
}

static void running_out_of_memory_is_remembered(void **state) {
    (void)state;
    struct survey_world *w = survey_world_from_text(trouble);
    assert_true(oom_every_allocation(judge, w) > 20);
    survey_world_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_rule_is_complete),
                                       cmocka_unit_test(running_out_of_memory_is_remembered)};
    int failed = golden_run_surveys(TOP, tell);
    return cmocka_run_group_tests(tests, NULL, NULL) + failed;
}
