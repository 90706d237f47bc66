/* The account rules, on the folders of tests/golden/rules: every rule fires where it should, and only there. */
#include "tests/unit/golden.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#define TOP "tests/golden/rules"

/* "fires ID: message", "skipped ID: reason", in the table's order; then what a refusal would say first. */
static void tell(struct world *w, const struct im_entry *entry, struct im_buf *out) {
    struct im_account account = world_account(w, entry);
    struct im_want want = world_want(w, &account);
    struct im_facts facts = {.context = &w->context,
                             .account = &account,
                             .want = &want,
                             .servers = &w->servers,
                             .holders = w->holders,
                             .holder_count = w->holder_count,
                             .is_preflight = true};
    size_t count;
    const struct im_rule *rules = im_rules(IM_SCOPE_ACCOUNT, &count);
    for (size_t i = 0; i < count; i++) {
        struct im_judgement j = {.message = IM_BUF_INIT, .remedy = IM_BUF_INIT, .severity = rules[i].severity};
        enum im_verdict verdict = rules[i].check(&facts, &j);
        if (verdict != IM_FINE)
            im_buf_addf(out, "%s %s: %s\n", verdict == IM_FIRES ? "fires" : "skipped", rules[i].id, im_buf_str(&j.message));
        if (verdict == IM_FIRES && j.severity != rules[i].severity)
            im_buf_addf(out, "severity %s\n", im_severity_name(j.severity));
        if (j.remedy.len)
            im_buf_addf(out, "remedy %s\n", im_buf_str(&j.remedy));
        im_buf_free(&j.message);
        im_buf_free(&j.remedy);
    }
    struct im_finding *findings = NULL;
    struct im_error e = {.code = IM_OK};
    assert_int_equal(im_rules_judge(&facts, IM_BLOCKS_ENABLE, w->pool, &findings, &count, &e), IM_OK);
    im_buf_addf(out, "reason: %s\n", count ? findings[0].rule->id : "none");
}

static void every_rule_has_folders(void **state) {
    (void)state;
    size_t count;
    const struct im_rule *rules = im_rules(IM_SCOPE_ACCOUNT, &count);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        char fires[80];
        snprintf(fires, sizeof fires, "fires %s:", rules[i].id);
        if (golden_count(TOP, rules[i].id) < 3)
            fail_msg("%s has less than three folders", rules[i].id);
        if (!golden_has(TOP, rules[i].id, fires, true))
            fail_msg("%s fires in no folder of its own", rules[i].id);
        if (!golden_has(TOP, rules[i].id, fires, false))
            fail_msg("%s is silent in no folder of its own", rules[i].id);
    }
}

static void rules_are_found_by_their_id(void **state) {
    (void)state;
    size_t count;
    const struct im_rule *rules = im_rules(IM_SCOPE_ACCOUNT, &count);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(im_rule_find(rules[i].id), &rules[i]);
        if (!*rules[i].title || !*rules[i].cause || !*rules[i].remedy || !*rules[i].source)
            fail_msg("%s: the row is not complete", rules[i].id);
    }
    assert_int_equal(im_rule_find("account-not-writable")->blocks, IM_BLOCKS_ENABLE | IM_BLOCKS_MOVE);
    assert_null(im_rule_find("account-nothing"));
    assert_null(im_rule_find(""));
    assert_string_equal(im_severity_name(im_rule_find("account-alias-unsafe")->severity), "warning");
    assert_string_equal(im_scope_name(IM_SCOPE_ACCOUNT), "account");
}

/* A rule counts where the profile lists it and where it blocks what is to be done. */
static void the_profile_and_the_action_choose_the_rules(void **state) {
    (void)state;
    struct world *w = world_from_text("request: { home: router1, domain: nowhere.example }");
    struct im_account account = world_account(w, world_entry(w, "dn: CN=a\nsAMAccountName: a\nuserAccountControl: 514\n"));
    struct im_want want = world_want(w, &account);
    struct im_facts facts = {.context = &w->context, .account = &account, .want = &want, .servers = &w->servers};
    struct im_finding *found = NULL;
    size_t count = 0;
    assert_int_equal(im_rules_judge(&facts, IM_BLOCKS_ENABLE, w->pool, &found, &count, NULL), IM_OK);
    assert_int_equal(count, 4);
    assert_string_equal(found[0].rule->id, "account-not-security-principal");
    assert_string_equal(found[0].remedy, found[0].rule->remedy);
    assert_int_equal(im_rules_judge(&facts, IM_BLOCKS_MOVE, w->pool, &found, &count, NULL), IM_OK);
    assert_int_equal(count, 2); /* moving is blocked by the target only */
    assert_string_equal(found[0].rule->id, "account-domain-unknown");
    static const char *only[] = {"account-disabled"};
    w->profile->rules = only;
    w->profile->rule_count = 1;
    assert_int_equal(im_rules_judge(&facts, IM_BLOCKS_ENABLE, w->pool, &found, &count, NULL), IM_OK);
    assert_int_equal(count, 1);
    assert_string_equal(found[0].rule->id, "account-disabled");
    world_free(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_rule_has_folders), cmocka_unit_test(rules_are_found_by_their_id),
                                       cmocka_unit_test(the_profile_and_the_action_choose_the_rules)};
    int failed = golden_run(TOP, tell);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
