/* Which rules are chosen, and what is said of those that were not asked to the end. */
#include "lib/rules/choice.h"
#include "tests/unit/oom.h"
#include "tests/unit/unit.h"

static struct im_pool *pool;
static struct im_profile *profile;
static struct im_choice choice;
static struct im_error e;

static int set_up(void **state) {
    (void)state;
    pool = im_pool_new();
    e = (struct im_error){.code = IM_OK};
    choice = (struct im_choice){.count = 0};
    return pool && im_profile_load("exchange2000", &profile, NULL) == IM_OK ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    im_profile_free(&profile);
    im_pool_free(&pool);
    return 0;
}

static struct im_strings words(const char **items, size_t count) {
    return (struct im_strings){.items = items, .count = count};
}

static enum im_err choose(unsigned scopes, struct im_strings only, struct im_strings without) {
    const struct im_choice_wanted wanted = {.scopes = scopes, .only = only, .without = without};
    return im_choice_make(profile, &wanted, pool, &choice, &e);
}

static const struct im_strings none = {.count = 0};

static void scopes_choose_their_rules(void **state) {
    (void)state;
    assert_int_equal(choose(1u << IM_SCOPE_SCHEMA | 1u << IM_SCOPE_DNS, none, none), IM_OK);
    assert_true(choice.count > 1);
    for (size_t i = 0; i < choice.count; i++)
        assert_true(choice.items[i].rule->scope == IM_SCOPE_SCHEMA || choice.items[i].rule->scope == IM_SCOPE_DNS);
    assert_true(im_choice_has_scope(&choice, IM_SCOPE_DNS) && !im_choice_has_scope(&choice, IM_SCOPE_ACCOUNT));
    assert_int_equal(choose(0, none, none), IM_OK);
    assert_int_equal(choice.count, 0);
}

static void a_rule_that_is_named_is_chosen_whatever_its_scope(void **state) {
    (void)state;
    const char *only[] = {"schema-missing", "account-disabled"}, *without[] = {"account-disabled"};
    assert_int_equal(choose(1u << IM_SCOPE_HTTP, words(only, 2), none), IM_OK);
    assert_int_equal(choice.count, 2);
    assert_string_equal(choice.items[0].rule->id, "account-disabled"); /* the order of the table */
    assert_int_equal(choose(1u << IM_SCOPE_HTTP, words(only, 2), words(without, 1)), IM_OK);
    assert_int_equal(choice.count, 1);
    assert_true(im_choice_has(&choice, "schema-missing") && !im_choice_has(&choice, "account-disabled"));
}

static void accounts_are_needed_where_a_rule_asks_for_them(void **state) {
    (void)state;
    const struct {
        enum im_scope scope;
        bool needs;
    } rows[] = {{IM_SCOPE_ACCOUNT, true}, {IM_SCOPE_SERVER, true},  {IM_SCOPE_DNS, true},
                {IM_SCOPE_HTTP, true},    {IM_SCOPE_SCHEMA, false}, {IM_SCOPE_REPLICATION, true}};
    for (size_t i = 0; i < LENGTH(rows); i++) {
        assert_int_equal(choose(1u << rows[i].scope, none, none), IM_OK);
        assert_int_equal(im_choice_needs_accounts(&choice), rows[i].needs);
    }
    const char *few[] = {"server-build-old", "replication-attr-differs", "schema-missing"};
    assert_int_equal(choose(0, words(few, 3), none), IM_OK);
    assert_false(im_choice_needs_accounts(&choice));
}

static void what_there_is_not_is_refused(void **state) {
    (void)state;
    const char *unknown[] = {"account-disable"};
    assert_int_equal(choose(0, words(unknown, 1), none), IM_E_USAGE);
    assert_string_equal(
        e.text, "--rule: there is no rule \"account-disable\"; did you mean \"account-disabled\"? --list-rules shows all");
    im_error_clear(&e);
    assert_int_equal(im_choice_check_rule("account-disabled", "--explain", &e), IM_OK);
    assert_int_equal(im_choice_check_rule("zzz", "--explain", &e), IM_E_USAGE);
    assert_string_equal(e.text, "--explain: there is no rule \"zzz\"; --list-rules shows all");
    im_error_clear(&e);
    assert_int_equal(choose(0, none, words(unknown, 1)), IM_E_USAGE);
    assert_non_null(strstr(e.text, "--skip: "));
}

static void what_the_profile_leaves_out_is_refused_where_it_is_named_and_else_not_chosen(void **state) {
    (void)state;
    const char *few[] = {"account-attrs-partial"}, *other[] = {"account-disabled"};
    struct im_profile narrow = *profile;
    const struct im_choice_wanted all = {.scopes = 1u << IM_SCOPE_ACCOUNT};
    const struct im_choice_wanted named = {.only = words(other, 1)};
    narrow.rules = few;
    narrow.rule_count = 1;
    assert_int_equal(im_choice_make(&narrow, &all, pool, &choice, &e), IM_OK);
    assert_int_equal(choice.count, 1);
    assert_int_equal(im_choice_make(&narrow, &named, pool, &choice, &e), IM_E_USAGE);
    assert_non_null(strstr(e.text, "exchange2000") ? strstr(e.text, "account-disabled") : NULL);
}

static void a_choice_is_partial_without_a_rule_that_says_no(void **state) {
    (void)state;
    const char *error[] = {"account-disabled"}, *info[] = {"account-not-enabled"}, *refusal[] = {"account-alias-unsafe"};
    assert_int_equal(choose(1u << IM_SCOPE_ACCOUNT, none, none), IM_OK);
    assert_false(im_choice_is_partial(&choice, profile));
    im_choice_drop(&choice, info[0]);
    assert_false(im_choice_is_partial(&choice, profile));
    im_choice_drop(&choice, error[0]);
    assert_true(im_choice_is_partial(&choice, profile));
    assert_int_equal(choose(1u << IM_SCOPE_ACCOUNT, none, words(refusal, 1)), IM_OK);
    assert_true(im_choice_is_partial(&choice, profile));
}

static void what_was_cut_short_is_no_pass(void **state) {
    (void)state;
    const char *only[] = {"account-disabled", "schema-missing", "schema-conflict"};
    assert_int_equal(choose(0, words(only, 3), none), IM_OK);
    choice.items[0].checked = 7;
    im_choice_find(&choice, im_rule_find("schema-missing"))->checked = 1;
    im_choice_cut_rest(&choice, "stopped");
    assert_int_equal(choice.items[0].checked, 7);
    assert_null(im_choice_find(&choice, im_rule_find("schema-missing"))->reason);
    assert_string_equal(im_choice_find(&choice, im_rule_find("schema-conflict"))->reason, "stopped");
    im_choice_cut_accounts(&choice, "cut off");
    assert_int_equal(choice.items[0].checked, 0);
    assert_int_equal(choice.items[0].skipped, 1);
    assert_string_equal(choice.items[0].reason, "cut off");
    assert_int_equal(im_choice_find(&choice, im_rule_find("schema-missing"))->checked, 1);
}

static void scopes_are_read(void **state) {
    (void)state;
    const char *two[] = {"http", "account", "http"}, *wrong[] = {"account", "Account"};
    const struct im_strings good = words(two, 3), bad = words(wrong, 2);
    unsigned scopes = 0;
    assert_int_equal(im_scopes_parse(&good, &scopes, &e), IM_OK);
    assert_int_equal(scopes, 1u << IM_SCOPE_HTTP | 1u << IM_SCOPE_ACCOUNT);
    assert_int_equal(im_scopes_parse(&bad, &scopes, &e), IM_E_USAGE);
    assert_int_equal(scopes, 1u << IM_SCOPE_HTTP | 1u << IM_SCOPE_ACCOUNT); /* set on success only */
    assert_non_null(strstr(e.text, "\"Account\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(scopes_choose_their_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rule_that_is_named_is_chosen_whatever_its_scope, set_up, tear_down),
        cmocka_unit_test_setup_teardown(accounts_are_needed_where_a_rule_asks_for_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_there_is_not_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_profile_leaves_out_is_refused_where_it_is_named_and_else_not_chosen, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_choice_is_partial_without_a_rule_that_says_no, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_cut_short_is_no_pass, set_up, tear_down),
        cmocka_unit_test_setup_teardown(scopes_are_read, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
