/* The account rules, on the folders of tests/golden/rules: every rule fires where it should, and only there. */
#include "tests/unit/golden.h"
#include "tests/unit/unit.h"

#include <stdio.h>

#define TOP "tests/golden/rules"

/* "fires ID: message", "skipped ID: reason", in the table's order. */
static void tell_rule(struct world *w, const struct im_rule *rule, const struct im_facts *facts, struct im_buf *out) {
    struct im_judgement j = {.message = IM_BUF_INIT, .remedy = IM_BUF_INIT, .severity = rule->severity};
    enum im_verdict verdict = rule->check(facts, &j);
    const char *said = verdict == IM_SKIPPED ? im_judgement_reason(&j, w->pool) : im_buf_str(&j.message);
    if (verdict != IM_FINE)
        im_buf_addf(out, "%s %s: %s\n", verdict == IM_FIRES ? "fires" : "skipped", rule->id, said);
    if (verdict == IM_FIRES && j.severity != rule->severity)
        im_buf_addf(out, "severity %s\n", im_severity_name(j.severity));
    if (j.remedy.len)
        im_buf_addf(out, "remedy %s\n", im_buf_str(&j.remedy));
    if (verdict != IM_FIRES && j.message.len + j.remedy.len)
        fail_msg("%s says \"%s\" and means nothing", rule->id, im_buf_str(&j.message));
    if (verdict != IM_FINE && !*said)
        fail_msg("%s says nothing", rule->id);
    assert_false(j.message.failed || j.remedy.failed);
    im_buf_free(&j.message);
    im_buf_free(&j.remedy);
}

/* "hidden ID": what more exact rules say better. */
static void tell_hidden(struct world *w, const struct im_facts *facts, struct im_buf *out) {
    size_t count;
    size_t found = 0;
    struct im_error e = {.code = IM_OK};
    const struct im_rule *rules = im_rules(IM_SCOPE_ACCOUNT, &count);
    struct im_finding *findings = im_pool_array(w->pool, count, sizeof *findings);
    for (size_t i = 0; i < count; i++) {
        enum im_verdict verdict;
        assert_int_equal(im_rule_judge(&rules[i], facts, w->pool, &findings[found], &verdict, &e), IM_OK);
        found += verdict == IM_FIRES;
    }
    struct im_finding *all = im_pool_array(w->pool, count, sizeof *all);
    memcpy(all, findings, found * sizeof *all);
    size_t kept = im_findings_hide(findings, found);
    for (size_t i = 0, k = 0; i < found; i++) {
        if (k < kept && findings[k].rule == all[i].rule) {
            k++;
        } else {
            im_buf_addf(out, "hidden %s\n", all[i].rule->id);
        }
    }
}

/* What every rule says of the account, and then: in an audit what is hidden, else what a refusal would name first. */
static void tell(struct world *w, const struct im_entry *entry, struct im_buf *out) {
    struct im_account account = world_account(w, entry);
    struct im_want want = w->is_audit ? world_present(w, &account) : world_want(w, &account);
    struct im_facts facts = world_facts(w, &account, &want);
    size_t count;
    const struct im_rule *rules = im_rules(IM_SCOPE_ACCOUNT, &count);
    for (size_t i = 0; i < count; i++)
        tell_rule(w, &rules[i], &facts, out);
    tell_hidden(w, &facts, out);
    if (w->is_audit)
        return;
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
    struct im_facts facts = world_facts(w, &account, &want);
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
