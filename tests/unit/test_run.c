/* The walk of a changing command on a directory in memory: what somebody else does in between, what the connection does, and what
 * is told of each input. */
#include "lib/data/guid.h"
#include "tests/unit/oom.h"
#include "tests/unit/runner.h"

#include <stdio.h>

/* ---- the plain way ---- */

static void enables_in_one_modify(void **state) {
    struct fixture *f = *state;
    char *before = memdir_dump(f->m);
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_string_equal(f->told[0].dn, JANE);
    assert_string_equal(f->told[0].address, "jdoe@imhome1.corp.example");
    assert_string_equal(f->told[0].home, "imhome1");
    assert_int_equal(f->told[0].diff_count, 4);
    assert_int_equal(f->told[0].ldap_code, -1);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 1);
    assert_int_equal(f->changes, 1);
    assert_true(f->wrote);
    assert_string_equal(value(f, JANE, "msExchIMAddress"), "jdoe@imhome1.corp.example");
    assert_string_equal(value(f, JANE, "msExchIMMetaPhysicalURL"), "http://imhome1.corp.example/instmsg/aliases/jdoe");
    assert_string_equal(value(f, JANE, "msExchIMPhysicalURL"),
                        "http://imhome1.corp.example/instmsg/local/imhome1.corp.example/instmsg/aliases/jdoe");

    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_UNCHANGED);
    assert_int_equal(f->told[0].diff_count, 0);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 1);
    assert_false(f->wrote);

    f->request.action = IM_DISABLE;
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_string_equal(f->told[0].address, "");
    char *after = memdir_dump(f->m);
    assert_string_equal(before, after);
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_UNCHANGED);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 2);
    free(before);
    free(after);
}

static void dry_run_writes_nothing(void **state) {
    struct fixture *f = *state;
    char *before = memdir_dump(f->m);
    f->run.dry_run = true;
    assert_int_equal(RUN(f, "jdoe", "off", "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_int_equal(f->told[0].diff_count, 4);
    assert_int_equal(f->told[1].outcome, IM_REFUSED);
    assert_int_equal(f->told[2].outcome, IM_UNCHANGED);
    assert_int_equal(f->changes, 1);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 0);
    assert_false(f->wrote);
    char *after = memdir_dump(f->m);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void every_form_finds_the_same(void **state) {
    struct fixture *f = *state;
    static const char *const forms[] = {
        "moved",
        "MOVED",
        "CORP\\moved",
        "corp.example\\moved",
        "cn=moved, ou=people, dc=corp, dc=example",
        "moved@corp.example",
        "Moved@mail.example",
        "S-1-5-21-1-2-3-1104",
        "sam:moved",
        "upn:moved@corp.example",
        "mail:moved@mail.example",
        "dn:CN=Moved,OU=People,DC=corp,DC=example",
        "im:moved@imhome1.corp.example",
        "MOVED@imhome1.corp.example",
        NULL,
    };
    assert_int_equal(RUN(f, "moved"), IM_OK);
    assert_int_equal(run(f, forms), IM_OK);
    for (size_t i = 0; forms[i]; i++) {
        if (f->told[i].outcome != IM_UNCHANGED)
            fail_msg("%s: %s %s", forms[i], im_outcome_name(f->told[i].outcome), f->told[i].message);
        assert_string_equal(f->told[i].dn, MOVED);
    }
}

static void finds_by_guid(void **state) {
    struct fixture *f = *state;
    struct berval octets = *im_entry_value(memdir_entry(f->m, JANE), "objectGUID");
    char guid[IM_GUID_TEXT_SIZE];
    char braces[IM_GUID_TEXT_SIZE + 2];
    assert_true(im_guid_to_text(&octets, guid));
    (void)snprintf(braces, sizeof braces, "{%s}", guid);
    assert_int_equal(RUN(f, guid, braces), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_int_equal(f->told[1].outcome, IM_UNCHANGED);
    assert_string_equal(f->told[1].dn, JANE);
}

static void umlauts_and_commas(void **state) {
    struct fixture *f = *state;
    assert_int_equal(RUN(f, "CN=M\xc3\x9cLLER\\2C J\xc3\xb6rg,OU=People," BASE), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_string_equal(f->told[0].address, "jmueller@imhome1.corp.example");
}

static void letters_are_the_same_however_they_are_composed(void **state) {
    struct fixture *f = *state;
    memdir_set(f->m, JANE, "mail", "j\xc3\xbcrgen.k@mail.example");
    assert_int_equal(RUN(f, "jdoe", "mail:JU\xcc\x88RGEN.\xe2\x84\xaa@mail.example", "mail:jurgen.k@mail.example"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_int_equal(f->told[1].outcome, IM_UNCHANGED);
    assert_string_equal(f->told[1].dn, JANE);
    assert_int_equal(f->told[2].outcome, IM_OUT_NOT_FOUND);
    memdir_set(f->m, JANE, "mail", "jk@mail.example");
    assert_int_equal(RUN(f, "jdoe", "mail:j\xe2\x84\xaa@mail.example"), IM_OK); /* the sign of the kelvin is a K */
    assert_int_equal(f->told[1].outcome, IM_UNCHANGED);
}

static void nobody_and_several(void **state) {
    struct fixture *f = *state;
    assert_int_equal(RUN(f, "nobody", "twin@mail.example", "OTHER\\jdoe", "S-1-5-21-9-9-9-1104", NOBODY, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_OUT_NOT_FOUND);
    assert_mentions(f->told[0].message, "account name");
    assert_int_equal(f->told[1].outcome, IM_AMBIGUOUS);
    assert_mentions(f->told[1].message, "CN=Twin One,");
    assert_mentions(f->told[1].message, "CN=Twin Two,");
    assert_int_equal(f->told[2].outcome, IM_OUT_NOT_FOUND);
    assert_mentions(f->told[2].message, "CORP");
    assert_int_equal(f->told[3].outcome, IM_OUT_NOT_FOUND);
    assert_mentions(f->told[3].message, "SID history of CN=Moved,");
    assert_int_equal(f->told[4].outcome, IM_OUT_NOT_FOUND);
    assert_int_equal(f->told[5].outcome, IM_CHANGED);
    assert_string_equal(f->told[1].source, "list.txt:2");
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 1);
}

static void nothing_visible_is_not_nobody(void **state) {
    struct fixture *f = *state;
    f->run.resolver.base = "OU=IM," BASE;
    assert_int_equal(RUN(f, "jdoe"), IM_E_INVISIBLE);
    assert_mentions(f->e.text, "OU=IM,");
    assert_int_equal(f->told[0].outcome, IM_OUT_NOT_FOUND);
    f->run.resolver.base = "OU=Nowhere," BASE;
    assert_int_equal(RUN(f, "jdoe"), IM_E_INVISIBLE);
    assert_mentions(f->e.text, "OU=Nowhere,");
    assert_int_equal(f->told[0].outcome, IM_NOT_ATTEMPTED);
    f->run.resolver.base = BASE;
    assert_int_equal(RUN(f, "nobody"), IM_OK);
}

static void truncated_search_ends_the_run(void **state) {
    struct fixture *f = *state;
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 1, .code = 4, .entries = 1});
    assert_int_equal(RUN(f, "jdoe", "adam"), IM_E_TRUNCATED);
    assert_int_equal(f->told[0].outcome, IM_NOT_ATTEMPTED);
    assert_int_equal(f->told[1].outcome, IM_NOT_ATTEMPTED);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 0);
    assert_false(f->wrote);
}

/* ---- refusals ---- */

static void refuses_with_reason_and_allows_by_name(void **state) {
    struct fixture *f = *state;
    static const char *const allowed[] = {"account-disabled"};
    assert_int_equal(RUN(f, "off", "od d"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_REFUSED);
    assert_string_equal(f->told[0].reason, "account-disabled");
    assert_int_equal(f->told[1].outcome, IM_REFUSED);
    assert_string_equal(f->told[1].reason, "account-alias-unsafe");
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 0);
    f->request.allow = allowed;
    f->request.allow_count = 1;
    assert_int_equal(RUN(f, "off"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_string_equal(f->told[0].reason, "account-disabled");
    assert_mentions(f->told[0].message, "disabled");
    f->request.action = IM_DISABLE; /* which nothing blocks */
    f->request.allow_count = 0;
    assert_int_equal(RUN(f, "off"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
}

static void two_of_one_run_want_the_same_address(void **state) {
    struct fixture *f = *state;
    f->run.dry_run = true;
    assert_int_equal(RUN(f, "adam", "jdoe", "eve"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_int_equal(f->told[1].outcome, IM_CHANGED);
    assert_int_equal(f->told[2].outcome, IM_REFUSED);
    f->run.dry_run = false;
    assert_int_equal(RUN(f, "adam", "jdoe", "eve"), IM_OK); /* as if one were done after the other */
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_int_equal(f->told[1].outcome, IM_CHANGED);
    assert_int_equal(f->told[2].outcome, IM_REFUSED);
    assert_string_equal(f->told[2].reason, "account-address-duplicate");
    assert_mentions(f->told[2].message, ADAM);
    f->request.action = IM_DISABLE;
    assert_int_equal(RUN(f, "adam", "jdoe"), IM_OK);
    f->request.action = IM_ENABLE;
    /* Who has it keeps it, in whatever spelling. */
    assert_int_equal(RUN(f, "adam"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_int_equal(RUN(f, "eve", "adam"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_REFUSED);
    assert_string_equal(f->told[0].reason, "account-address-duplicate");
    assert_int_equal(f->told[1].outcome, IM_UNCHANGED);
}

static void rights_that_are_missing(void **state) {
    struct fixture *f = *state;
    f->context.asked_rights = true;
    memdir_set(f->m, JANE, "allowedAttributesEffective", "description");
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_REFUSED);
    assert_string_equal(f->told[0].reason, "account-not-writable");
    f->request.action = IM_DISABLE; /* nothing to remove: no right is needed */
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_UNCHANGED);
    memdir_set(f->m, JANE, "msExchIMAddress", "jdoe@imhome1.corp.example");
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_REFUSED);
    assert_string_equal(f->told[0].reason, "account-not-writable");
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 0);
}

static void unclear_home_stops_before_the_first_write(void **state) {
    struct fixture *f = *state;
    f->request.default_home = NULL;
    assert_int_equal(RUN(f, "jdoe", "nobody", "adam"), IM_E_USAGE);
    assert_mentions(f->e.text, "imhome1");
    assert_mentions(f->e.text, "imhome2");
    assert_int_equal(f->told[0].outcome, IM_NOT_ATTEMPTED);
    assert_int_equal(f->told[1].outcome, IM_OUT_NOT_FOUND);
    assert_int_equal(f->told[2].outcome, IM_NOT_ATTEMPTED);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 0);
}

static void homes_are_spread_by_load(void **state) {
    struct fixture *f = *state;
    f->request.home_auto = true;
    f->server[0].users = 1;
    f->server[1].users = 0;
    assert_int_equal(RUN(f, "jdoe", "moved", "twin1", "twin2"), IM_OK);
    size_t on_second = 0;
    for (size_t i = 0; i < 4; i++)
        on_second += strcmp(f->told[i].home, "imhome2") == 0;
    assert_string_equal(f->told[0].home, "imhome2");
    assert_true(on_second == 2 || on_second == 3);
    assert_int_equal(f->server[1].users, 0); /* the caller's are not touched */
}

/* ---- somebody else ---- */

static void edit_phone(struct memdir *m, size_t nth, void *user) {
    (void)nth, (void)user;
    memdir_set(m, JANE, "telephoneNumber", "42");
}

static void edit_address(struct memdir *m, size_t nth, void *user) {
    char address[64];
    (void)user;
    (void)snprintf(address, sizeof address, "other%zu@imhome1.corp.example", nth);
    memdir_set(m, JANE, "msExchIMAddress", address);
}

static void delete_jane(struct memdir *m, size_t nth, void *user) {
    (void)nth, (void)user;
    memdir_delete(m, JANE);
}

#define MARRIED "CN=Jane Roe,OU=People," BASE
static void rename_jane(struct memdir *m, size_t nth, void *user) {
    (void)nth, (void)user;
    memdir_rename(m, JANE, MARRIED);
}

static void foreign_edit_of_another_attribute_is_kept(void **state) {
    struct fixture *f = *state;
    memdir_before(f->m, MEMDIR_MODIFY, 1, edit_phone, NULL);
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_string_equal(value(f, JANE, "telephoneNumber"), "42");
}

static void foreign_address_is_read_again_and_kept(void **state) {
    struct fixture *f = *state;
    memdir_before(f->m, MEMDIR_MODIFY, 1, edit_address, NULL);
    assert_int_equal(RUN(f, "jdoe", "moved"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_string_equal(f->told[0].address, "other1@imhome1.corp.example");
    assert_string_equal(value(f, JANE, "msExchIMAddress"), "other1@imhome1.corp.example");
    assert_string_equal(value(f, JANE, "msExchIMMetaPhysicalURL"), "http://imhome1.corp.example/instmsg/aliases/other1");
    assert_int_equal(f->told[1].outcome, IM_CHANGED);
    assert_int_equal(f->changes, 2); /* what was refused by the server is no change */
}

static void foreign_edit_of_a_replaced_value_is_not_overwritten(void **state) {
    struct fixture *f = *state;
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    f->request.action = IM_DISABLE;
    memdir_before(f->m, MEMDIR_MODIFY, 2, edit_address, NULL);
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED); /* planned again from the new value */
    assert_string_equal(value(f, JANE, "msExchIMAddress"), "");
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 3);
}

/* A half-written account is completed from the address that it has: a new address in between must not leave the old URLs. */
static void foreign_edit_of_a_kept_value_is_noticed(void **state) {
    struct fixture *f = *state;
    memdir_set(f->m, JANE, "msExchIMAddress", "jdoe@imhome1.corp.example");
    memdir_before(f->m, MEMDIR_MODIFY, 1, edit_address, NULL);
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_string_equal(value(f, JANE, "msExchIMAddress"), "other1@imhome1.corp.example");
    assert_string_equal(value(f, JANE, "msExchIMMetaPhysicalURL"), "http://imhome1.corp.example/instmsg/aliases/other1");
}

static void gives_up_after_three_plans(void **state) {
    struct fixture *f = *state;
    memdir_set(f->m, JANE, "msExchIMAddress", "other@imhome1.corp.example");
    f->request.action = IM_DISABLE;
    memdir_before(f->m, MEMDIR_MODIFY, 0, edit_address, NULL);
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CONFLICT);
    assert_int_equal(f->told[0].diff_count, 0);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 4);
    assert_string_equal(value(f, JANE, "msExchIMAddress"), "other4@imhome1.corp.example");
    assert_int_equal(f->changes, 0);
}

static void somebody_else_did_the_same(struct memdir *m, size_t nth, void *user) {
    (void)nth, (void)user;
    memdir_set(m, JANE, "msExchIMAddress", "jdoe@imhome1.corp.example");
    memdir_set(m, JANE, "msExchIMMetaPhysicalURL", "http://imhome1.corp.example/instmsg/aliases/jdoe");
    memdir_set(m, JANE, "msExchIMPhysicalURL",
               "http://imhome1.corp.example/instmsg/local/imhome1.corp.example/instmsg/aliases/jdoe");
    memdir_set(m, JANE, "msExchIMVirtualServer", HOME1);
}

static void two_copies_of_the_tool(void **state) {
    struct fixture *f = *state;
    memdir_before(f->m, MEMDIR_MODIFY, 1, somebody_else_did_the_same, NULL);
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_UNCHANGED);
}

static void became_disabled_in_between(struct memdir *m, size_t nth, void *user) {
    edit_address(m, nth, user);
    memdir_set(m, JANE, "userAccountControl", "514");
}

static void judged_again_when_planned_again(void **state) {
    struct fixture *f = *state;
    memdir_before(f->m, MEMDIR_MODIFY, 1, became_disabled_in_between, NULL);
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_REFUSED);
    assert_string_equal(f->told[0].reason, "account-disabled");
}

static void deleted_in_between(void **state) {
    struct fixture *f = *state;
    memdir_before(f->m, MEMDIR_MODIFY, 1, delete_jane, NULL);
    assert_int_equal(RUN(f, "jdoe", "moved"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CONFLICT);
    assert_mentions(f->told[0].message, "deleted");
    assert_int_equal(f->told[1].outcome, IM_CHANGED);
}

static void renamed_in_between(void **state) {
    struct fixture *f = *state;
    memdir_before(f->m, MEMDIR_MODIFY, 1, rename_jane, NULL);
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_string_equal(value(f, MARRIED, "msExchIMAddress"), "jdoe@imhome1.corp.example");
}

/* ---- the server says no ---- */

static void refusal_of_the_server_is_told_in_words(void **state) {
    struct fixture *f = *state;
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_MODIFY, .nth = 1, .code = 50, .diagnostic = "no write access"});
    assert_int_equal(RUN(f, "jdoe", "moved"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_FAILED);
    assert_int_equal(f->told[0].ldap_code, 50);
    assert_mentions(f->told[0].message, "right");
    assert_int_equal(f->told[0].diff_count, 0);
    assert_int_equal(f->told[1].outcome, IM_CHANGED);
}

/* A "no such value" that is not somebody's change must not be called one, nor be tried for ever. */
static void same_plan_twice_is_a_failure(void **state) {
    struct fixture *f = *state;
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_MODIFY, .nth = 0, .code = 16, .diagnostic = "unknown attribute"});
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_FAILED);
    assert_int_equal(f->told[0].ldap_code, 16);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 1);
}

/* ---- the connection and the operator ---- */

static void lost_before_the_answer(void **state) {
    struct fixture *f = *state;
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_MODIFY, .nth = 1, .error = IM_E_LOST, .is_done = true});
    assert_int_equal(RUN(f, "jdoe", "nobody"), IM_OK); /* opened again and read again: it was done */
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_int_equal(f->told[0].diff_count, 4);
    assert_int_equal(f->changes, 1);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 1);
    assert_int_equal(f->told[1].outcome, IM_OUT_NOT_FOUND);
}

static void request_stop(struct memdir *m, size_t nth, void *user) {
    struct fixture *f = user;
    (void)m, (void)nth;
    f->stop = 1;
}

static void output_is_full(void **state) {
    struct fixture *f = *state;
    f->fail_after = 1;
    assert_int_equal(RUN(f, "nobody", "jdoe", "moved"), IM_E_OUTPUT);
    assert_int_equal(f->told[1].outcome, IM_NOT_ATTEMPTED);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 0);
    assert_false(f->wrote);
}

static void changes_file_is_full(void **state) {
    struct fixture *f = *state;
    f->fail_change = 1;
    assert_int_equal(RUN(f, "jdoe"), IM_E_IO);
    assert_true(f->wrote);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
}

/* ---- many ---- */

static void edit_the_seventh(struct memdir *m, size_t nth, void *user) {
    (void)nth, (void)user;
    memdir_set(m, "CN=p7,OU=People," BASE, "msExchIMAddress", "seven@imhome1.corp.example");
}

static void many_at_a_time_in_the_order_of_the_inputs(void **state) {
    const char *const *names;
    struct fixture *f = crowd(&names);
    (void)state;
    memdir_answer_in_reverse(f->m, true);
    memdir_before(f->m, MEMDIR_MODIFY, 3, edit_the_seventh, NULL);
    assert_int_equal(run(f, names), IM_OK);
    assert_int_equal(f->summary.counts[IM_CHANGED], MANY);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), MANY + 1);
    assert_true(memdir_in_flight(f->m) > 4);
    assert_true(memdir_in_flight(f->m) <= 64);
    assert_true(memdir_count(f->m, MEMDIR_SEARCH) < MANY / 4);
    assert_string_equal(value(f, "CN=p7,OU=People," BASE, "msExchIMAddress"), "seven@imhome1.corp.example");
    assert_int_equal(run(f, names), IM_OK);
    assert_int_equal(f->summary.counts[IM_UNCHANGED], MANY);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), MANY + 1);
    tear_down((void *[]){f});
}

static void stopped_in_the_middle(void **state) {
    const char *const *names;
    struct fixture *f = crowd(&names);
    (void)state;
    memdir_before(f->m, MEMDIR_MODIFY, 100, request_stop, f);
    assert_int_equal(run(f, names), IM_E_INTERRUPTED);
    assert_true(f->wrote);
    size_t sent = memdir_count(f->m, MEMDIR_MODIFY);
    assert_true(sent >= 100 && sent < 150);
    assert_int_equal(f->summary.counts[IM_CHANGED], sent); /* what was sent is known */
    assert_int_equal(f->summary.counts[IM_NOT_ATTEMPTED], MANY - sent);
    f->stop = 0;
    assert_int_equal(run(f, names), IM_OK); /* running it again finishes */
    assert_int_equal(f->summary.counts[IM_UNCHANGED], sent);
    assert_int_equal(f->summary.counts[IM_CHANGED], MANY - sent);
    tear_down((void *[]){f});
}

static void lost_in_the_middle(void **state) {
    const char *const *names;
    struct fixture *f = crowd(&names);
    (void)state;
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_MODIFY, .nth = 50, .error = IM_E_LOST});
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_MODIFY, .nth = 120, .error = IM_E_LOST, .is_done = true});
    assert_int_equal(run(f, names), IM_OK);
    assert_int_equal(f->summary.counts[IM_CHANGED], MANY);
    assert_true(memdir_count(f->m, MEMDIR_MODIFY) >= MANY);
    tear_down((void *[]){f});
}

static void output_full_in_the_middle(void **state) {
    const char *const *names;
    struct fixture *f = crowd(&names);
    (void)state;
    f->fail_after = 40;
    assert_int_equal(run(f, names), IM_E_OUTPUT);
    assert_true(memdir_count(f->m, MEMDIR_MODIFY) < 150);
    assert_int_equal(f->summary.counts[IM_CHANGED], memdir_count(f->m, MEMDIR_MODIFY));
    tear_down((void *[]){f});
}

/* ---- two steps: Active Directory without the static class ---- */

static const char *may[] = {"msExchIMAddress", "msExchIMMetaPhysicalURL", "msExchIMPhysicalURL", "msExchIMVirtualServer",
                            "msExchIMACL"};
static struct im_schema_class classes[] = {
    {.name = "user", .oid = "1.2.840.113556.1.5.9"},
    {.name = "msExchIMRecipient", .oid = "1.2.840.113556.1.5.7000.62.7008", .may = may, .may_count = LENGTH(may)},
};
static struct im_schema dynamic_schema = {.is_ad = true, .classes = classes, .class_count = LENGTH(classes)};

static bool has_class(struct fixture *f) {
    return im_entry_has_value(memdir_entry(f->m, JANE), "objectClass", "msExchIMRecipient");
}

static void class_first_and_values_second(void **state) {
    struct fixture *f = *state;
    char *before = memdir_dump(f->m);
    f->context.schema = &dynamic_schema;
    f->request.allow = (const char *const[]){"account-not-security-principal"};
    f->request.allow_count = 1;
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 2);
    assert_int_equal(f->changes, 2);
    assert_true(has_class(f));
    f->request.action = IM_DISABLE;
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 3);
    char *after = memdir_dump(f->m);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void class_is_taken_back_where_values_fail(void **state) {
    struct fixture *f = *state;
    f->context.schema = &dynamic_schema;
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_MODIFY, .nth = 2, .code = 50});
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_FAILED);
    assert_int_equal(f->told[0].ldap_code, 50);
    assert_false(has_class(f));
}

static void class_stays_where_values_follow_in_the_end(void **state) {
    struct fixture *f = *state;
    f->context.schema = &dynamic_schema;
    memdir_before(f->m, MEMDIR_MODIFY, 2, edit_address, NULL);
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_true(has_class(f));
    assert_string_equal(value(f, JANE, "msExchIMAddress"), "other2@imhome1.corp.example");
}

/* ---- memory ---- */

static enum im_err attempt(void *user, struct im_error *e) {
    struct fixture *f = user;
    struct im_input inputs[] = {
        {.text = "jdoe"}, {.text = "nobody"}, {.text = "twin@mail.example"}, {.text = "corp.example\\jdoe"}};
    for (size_t i = 0; i < LENGTH(inputs); i++) {
        if (im_identity_parse(inputs[i].text, f->pool, &inputs[i].identity, e) != IM_OK)
            return IM_E_NOMEM;
    }
    memcpy(f->input, inputs, sizeof inputs);
    f->input_count = LENGTH(inputs);
    f->input_at = f->told_count = 0;
    enum im_err err = im_run_accounts(&f->run, &f->summary, &f->wrote, e);
    assert_true(f->told_count <= LENGTH(inputs));
    return err;
}

static void runs_out_of_memory(void **state) {
    struct fixture *f = *state;
    f->run.dry_run = true;
    f->request.home = &f->server[0];
    assert_true(oom_every_allocation(attempt, f) > 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define OPENLDAP_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_openldap, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(enables_in_one_modify),
        OPENLDAP_TEST(enables_in_one_modify),
        TEST(dry_run_writes_nothing),
        TEST(every_form_finds_the_same),
        TEST(finds_by_guid),
        TEST(umlauts_and_commas),
        TEST(letters_are_the_same_however_they_are_composed),
        TEST(nobody_and_several),
        TEST(nothing_visible_is_not_nobody),
        TEST(truncated_search_ends_the_run),
        TEST(refuses_with_reason_and_allows_by_name),
        TEST(two_of_one_run_want_the_same_address),
        TEST(rights_that_are_missing),
        TEST(unclear_home_stops_before_the_first_write),
        TEST(homes_are_spread_by_load),
        TEST(foreign_edit_of_another_attribute_is_kept),
        TEST(foreign_address_is_read_again_and_kept),
        OPENLDAP_TEST(foreign_address_is_read_again_and_kept),
        TEST(foreign_edit_of_a_replaced_value_is_not_overwritten),
        TEST(foreign_edit_of_a_kept_value_is_noticed),
        OPENLDAP_TEST(foreign_edit_of_a_kept_value_is_noticed),
        TEST(gives_up_after_three_plans),
        OPENLDAP_TEST(gives_up_after_three_plans),
        TEST(two_copies_of_the_tool),
        TEST(judged_again_when_planned_again),
        TEST(deleted_in_between),
        OPENLDAP_TEST(deleted_in_between),
        TEST(renamed_in_between),
        OPENLDAP_TEST(renamed_in_between),
        TEST(refusal_of_the_server_is_told_in_words),
        TEST(same_plan_twice_is_a_failure),
        TEST(lost_before_the_answer),
        TEST(output_is_full),
        TEST(changes_file_is_full),
        cmocka_unit_test(many_at_a_time_in_the_order_of_the_inputs),
        cmocka_unit_test(stopped_in_the_middle),
        cmocka_unit_test(lost_in_the_middle),
        cmocka_unit_test(output_full_in_the_middle),
        TEST(class_first_and_values_second),
        TEST(class_is_taken_back_where_values_fail),
        TEST(class_stays_where_values_follow_in_the_end),
        TEST(runs_out_of_memory),
    };
    return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
