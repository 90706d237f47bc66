/* Moves to another home, on a directory in memory: what is written, who is refused, and what others do meanwhile. */
#include "lib/data/dn.h"
#include "lib/directory/choose.h"
#include "lib/directory/homes.h"
#include "lib/engine/look.h"
#include "lib/engine/records.h"
#include "tests/unit/oom.h"
#include "tests/unit/runner.h"

#include <stdio.h>
#include <unistd.h>

#define HOME3 "CN=imhome3,OU=IM," BASE
#define OFF "CN=Off,OU=People," BASE

/* Enables people without asking whether they may be. */
static void enable(struct fixture *f, const char *dn, const char *alias, const char *home) {
    const char *host = strcmp(home, HOME1) == 0 ? "imhome1" : "imhome2";
    memdir_set(f->m, dn, "msExchIMAddress", im_pool_printf(f->pool, "%s@im.corp.example", alias));
    memdir_set(f->m, dn, "msExchIMMetaPhysicalURL", im_pool_printf(f->pool, "http://im.corp.example/instmsg/aliases/%s", alias));
    memdir_set(f->m, dn, "msExchIMPhysicalURL",
               im_pool_printf(f->pool, "http://%s.corp.example/instmsg/local/im.corp.example/instmsg/aliases/%s", host, alias));
    memdir_set(f->m, dn, "msExchIMVirtualServer", home);
}

static void move_to(struct fixture *f, const struct im_server *home) {
    static const char *im_domain[] = {"im.corp.example"};
    for (size_t i = 0; i < 2; i++)
        f->server[i].domains = (struct im_strings){.items = im_domain, .count = 1};
    f->request = (struct im_request){.action = IM_MOVE, .home = home};
}

static int set_up_enabled(void **state) {
    struct fixture *f = new_fixture(MEMDIR_AD, "dn: " HOME3 "\nobjectClass: container\n\n");
    enable(f, JANE, "jdoe", HOME1);
    enable(f, ADAM, "adam", HOME1);
    enable(f, OFF, "off", HOME1);
    move_to(f, &f->server[1]);
    *state = f;
    return 0;
}

/* p0, p1, ... are enabled on HOME1, and named as inputs. */
static int set_up_crowd(void **state) {
    const char *const *names;
    struct fixture *f = crowd(&names);
    for (int i = 0; i < MANY; i++)
        enable(f, im_pool_printf(f->pool, "CN=p%d,OU=People," BASE, i), im_pool_printf(f->pool, "p%d", i), HOME1);
    move_to(f, &f->server[1]);
    name(f, names);
    *state = f;
    return 0;
}

/* The stored value as people read it. */
static const char *home_of(struct fixture *f, const char *dn) {
    const char *text = value(f, dn, "msExchIMVirtualServer");
    const char *plain = strstr(text, ">;");
    return plain ? plain + 2 : text;
}

static size_t homed_on(struct fixture *f, const char *home) {
    size_t count = 0;
    for (int i = 0; i < MANY; i++)
        count += im_dn_equal(home_of(f, im_pool_printf(f->pool, "CN=p%d,OU=People," BASE, i)), home);
    return count;
}

/* ---- one by one ---- */

static void only_home_and_physical_url_change(void **state) {
    struct fixture *f = *state;
    memdir_set(f->m, JANE, "msExchIMACL", "opaque");
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_int_equal(f->told[0].diff_count, 2);
    assert_string_equal(f->told[0].home, "imhome2");
    assert_string_equal(home_of(f, JANE), HOME2);
    assert_string_equal(value(f, JANE, "msExchIMPhysicalURL"),
                        "http://imhome2.corp.example/instmsg/local/im.corp.example/instmsg/aliases/jdoe");
    assert_string_equal(value(f, JANE, "msExchIMAddress"), "jdoe@im.corp.example");
    assert_string_equal(value(f, JANE, "msExchIMMetaPhysicalURL"), "http://im.corp.example/instmsg/aliases/jdoe");
    assert_string_equal(value(f, JANE, "msExchIMACL"), "opaque");
    size_t searches = memdir_count(f->m, MEMDIR_SEARCH);
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_UNCHANGED);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 1);
    assert_int_equal(memdir_count(f->m, MEMDIR_SEARCH), searches + 1); /* nobody is asked who else has the address */
}

static void disabled_accounts_are_moved(void **state) {
    struct fixture *f = *state;
    assert_int_equal(RUN(f, "off"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
}

static void refused(struct fixture *f, const char *account, const char *reason, const char *mention) {
    assert_int_equal(RUN(f, account), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_REFUSED);
    assert_string_equal(f->told[0].reason, reason);
    assert_mentions(f->told[0].message, mention);
}

static void who_has_no_address_is_refused(void **state) {
    struct fixture *f = *state;
    refused(f, "eve", "account-not-enabled", "imenable");
    memdir_set(f->m, EVE, "msExchIMVirtualServer", HOME1);
    refused(f, "eve", "account-attrs-partial", "imenable");
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 0);
}

static void the_target_decides(void **state) {
    struct fixture *f = *state;
    f->server[1].hosts_users = false;
    refused(f, "jdoe", "account-home-not-host", "router");
    f->server[1].hosts_users = true;
    f->server[1].is_gone = true;
    refused(f, "jdoe", "account-home-not-host", "not in the directory");
    f->server[1].is_gone = false;
    memdir_set(f->m, JANE, "msExchIMAddress", "jdoe@nowhere.example");
    refused(f, "jdoe", "account-domain-unknown", "nowhere.example");
    memdir_set(f->m, JANE, "msExchIMAddress", "jdoe@im.corp.example");
    f->server[1].capacity = 10;
    f->server[1].users = 10;
    refused(f, "jdoe", "full", "10");
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 0);
}

static void an_address_that_cannot_be_taken_apart(void **state) {
    struct fixture *f = *state;
    memdir_set(f->m, JANE, "msExchIMAddress", "jdoe");
    refused(f, "jdoe", "account-alias-unsafe", "name@domain");
}

static void a_row_says_where_to(void **state) {
    struct fixture *f = *state;
    name(f, (const char *const[]){"jdoe", "adam", NULL});
    f->request.home = NULL;
    f->input[0].home = "imhome2";
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_int_equal(f->told[1].outcome, IM_UNCHANGED);
    assert_mentions(f->told[1].message, "no other home");
}

/* ---- many ---- */

static void everybody_finds_a_place_and_nobody_moves_twice(void **state) {
    struct fixture *f = *state;
    const bool is_target[2] = {true, true};
    f->server[0].users = 0;
    f->server[1].users = 0;
    f->server[0].capacity = f->server[1].capacity = MANY;
    f->request.home = NULL;
    f->request.is_target = is_target;
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->summary.counts[IM_UNCHANGED], MANY); /* they are on one of them */
}

static void a_server_is_filled_up_and_no_further(void **state) {
    struct fixture *f = *state;
    f->server[0].users = MANY;
    f->server[1].users = 50;
    f->server[1].capacity = 150;
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->summary.counts[IM_CHANGED], 100);
    assert_int_equal(f->summary.counts[IM_REFUSED], MANY - 100);
    assert_int_equal(homed_on(f, HOME2), 100);
    assert_int_equal(f->told[100].outcome, IM_REFUSED); /* the first ones got the places */
}

/* Rows that go both ways: who leaves makes room. */
static void places_that_are_left_are_free(void **state) {
    struct fixture *f = *state;
    for (int i = 0; i < MANY; i += 2)
        enable(f, im_pool_printf(f->pool, "CN=p%d,OU=People," BASE, i), im_pool_printf(f->pool, "p%d", i), HOME2);
    for (size_t i = 0; i < 2; i++)
        f->server[i].users = f->server[i].capacity = MANY / 2;
    f->server[0].capacity++;
    f->request.home = NULL;
    for (int i = 0; i < MANY; i++)
        f->input[i].home = i % 2 ? "imhome2" : "imhome1";
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->summary.counts[IM_CHANGED], MANY);
}

static void delete_home(struct memdir *m, size_t nth, void *user) {
    (void)nth, (void)user;
    memdir_delete(m, HOME1);
}

/* The old value then reads differently from what it was; its GUID matches all the same. */
static void the_old_home_is_deleted_in_the_middle(void **state) {
    struct fixture *f = *state;
    memdir_before(f->m, MEMDIR_MODIFY, 100, delete_home, NULL);
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->summary.counts[IM_CHANGED], MANY);
    assert_int_equal(homed_on(f, HOME2), MANY);
}

static void rename_home(struct memdir *m, size_t nth, void *user) {
    (void)nth, (void)user;
    memdir_rename(m, HOME1, "CN=renamed,OU=IM," BASE);
}

static void the_old_home_is_renamed_in_the_middle(void **state) {
    struct fixture *f = *state;
    memdir_before(f->m, MEMDIR_MODIFY, 17, rename_home, NULL);
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(homed_on(f, HOME2), MANY);
}

/* Another copy of the command moves people between our reading and our writing. */
static void other_copy(struct memdir *m, size_t nth, void *user) {
    struct fixture *f = user;
    (void)m, (void)nth;
    for (int i = 0; i < MANY; i += 3)
        enable(f, im_pool_printf(f->pool, "CN=p%d,OU=People," BASE, i), im_pool_printf(f->pool, "p%d", i), HOME2);
}

static void two_copies_do_it_together(void **state) {
    struct fixture *f = *state;
    memdir_before(f->m, MEMDIR_MODIFY, 1, other_copy, f);
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(homed_on(f, HOME2), MANY);
    assert_int_equal(f->summary.counts[IM_CHANGED] + f->summary.counts[IM_UNCHANGED], MANY);
    assert_int_equal(f->summary.counts[IM_UNCHANGED], MANY / 3);
}

static void lost_answers_are_looked_for(void **state) {
    struct fixture *f = *state;
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_MODIFY, .nth = 40, .error = IM_E_LOST, .is_done = true});
    f->server[1].users = 0;
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->summary.counts[IM_CHANGED], MANY);
    assert_int_equal(homed_on(f, HOME2), MANY);
}

/* ---- off a server ---- */

static struct im_home_match off(struct fixture *f, const char *dn) {
    struct im_home_match match;
    struct im_server server = {.name = "imhome1", .host = "imhome1.corp.example", .dn = dn};
    assert_int_equal(im_homes_match_server(&server, f->pool, &match, &f->e), IM_OK);
    return match;
}

static void elsewhere(struct memdir *m, size_t nth, void *user) {
    struct fixture *f = user;
    (void)m, (void)nth;
    memdir_set(f->m, ADAM, "msExchIMVirtualServer", HOME3);
}

static void who_was_moved_elsewhere_meanwhile_is_left_there(void **state) {
    struct fixture *f = *state;
    struct im_home_match from = off(f, HOME1);
    f->request.from = &from;
    memdir_before(f->m, MEMDIR_MODIFY, 1, elsewhere, f);
    assert_int_equal(RUN(f, "adam", "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_UNCHANGED);
    assert_mentions(f->told[0].message, "not homed on imhome1 any more");
    assert_int_equal(f->told[1].outcome, IM_CHANGED);
    assert_string_equal(home_of(f, ADAM), HOME3);
}

static void choosing_finds_people_of_a_deleted_server(void **state) {
    struct fixture *f = *state;
    struct im_homes homes;
    struct im_home_match from;
    const struct im_server *server;
    static const char *const bases[] = {BASE, NULL};
    struct im_chosen *chosen = NULL;
    const struct im_server left[] = {f->server[1]};
    struct im_servers servers = {.items = (struct im_server *)(uintptr_t)left, .count = 1};
    memdir_delete(f->m, HOME1);
    memdir_set(f->m, EVE, "msExchIMPhysicalURL", "http://imhome1.corp.example/instmsg/local/im.corp.example/instmsg/aliases/eve");
    assert_int_equal(im_homes_begin(&homes, &f->e), IM_OK);
    assert_int_equal(im_homes_scan(f->d, f->profile, bases, true, &homes, &f->e), IM_OK);
    assert_int_equal(im_homes_settle(&homes, &servers, &f->e), IM_OK);
    assert_int_equal(im_homes_look(f->d, f->profile, &homes, &f->e), IM_OK);
    assert_int_equal(homes.count, 2); /* the deleted one, and a URL */
    assert_int_equal(homes.items[0].target, IM_TARGET_DELETED);
    assert_int_equal(im_homes_find(&homes, &servers, "imhome1.corp.example", f->pool, &from, &server, &f->e), IM_OK);
    const struct im_condition condition = {.home = &from};
    assert_int_equal(im_choose(&f->run.resolver, &condition, &chosen, &f->e), IM_OK);
    assert_int_equal(im_chosen_count(chosen), 4);
    im_chosen_free(&chosen);
    im_homes_free(&homes);
}

/* ---- plans and journals ---- */

static const char *journal_path(void) {
    static char path[64];
    (void)snprintf(path, sizeof path, "/tmp/imdir-move-%ld.jsonl", (long)getpid());
    (void)unlink(path);
    return path;
}

static void record(struct fixture *f, const char *path, enum im_journal_kind kind) {
    const struct im_journal_head head = {
        .kind = kind, .command = "imhome", .profile = "exchange2000", .directory = "ldap://memory"};
    f->run.dry_run = kind == IM_PLAN_FILE;
    assert_int_equal(im_journal_create(path, &head, &f->run.journal, &f->e), IM_OK);
    assert_int_equal(RUN(f, "jdoe", "off"), IM_OK);
    assert_int_equal(f->summary.counts[IM_CHANGED], 2);
    assert_int_equal(im_journal_end(f->run.journal, &f->summary, true, &f->e), IM_OK);
    im_journal_free(&f->run.journal);
    f->run.dry_run = false;
}

/* The records as inputs; the summary is looked at by the caller. */
static void replay(struct fixture *f, const char *path, enum im_journal_kind kind) {
    struct im_records *records = NULL;
    struct im_run own = f->run;
    f->told_count = 0;
    assert_int_equal(im_records_open(path, kind, &records, &f->e), IM_OK);
    struct im_inputs inputs = im_records_inputs(records);
    own.inputs = &inputs;
    f->request = (struct im_request){.action = kind == IM_JOURNAL ? IM_UNDO : IM_APPLY, .recorded = IM_MOVE};
    assert_int_equal(im_run_accounts(&own, &f->summary, &f->wrote, &f->e), IM_OK);
    im_records_close(&records);
}

static void a_plan_is_judged_as_a_move(void **state) {
    struct fixture *f = *state;
    const char *path = journal_path();
    record(f, path, IM_PLAN_FILE);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 0);
    replay(f, path, IM_PLAN_FILE);
    assert_int_equal(f->summary.counts[IM_CHANGED], 2); /* also who is disabled */
    assert_string_equal(home_of(f, OFF), HOME2);
    (void)unlink(path);
}

static void a_plan_whose_target_has_gone(void **state) {
    struct fixture *f = *state;
    const char *path = journal_path();
    record(f, path, IM_PLAN_FILE);
    f->servers.count = 1;
    replay(f, path, IM_PLAN_FILE);
    assert_int_equal(f->summary.counts[IM_REFUSED], 2);
    assert_string_equal(f->told[0].reason, "account-home-not-host");
    (void)unlink(path);
}

/* Also where somebody else has the address by now: it is not given back, it was never taken. */
static void a_move_is_taken_back(void **state) {
    struct fixture *f = *state;
    const char *path = journal_path();
    char *before = memdir_dump(f->m);
    record(f, path, IM_JOURNAL);
    memdir_set(f->m, EVE, "msExchIMAddress", "jdoe@im.corp.example");
    replay(f, path, IM_JOURNAL);
    assert_int_equal(f->summary.counts[IM_CHANGED], 2);
    memdir_set(f->m, EVE, "msExchIMAddress", NULL);
    char *after = memdir_dump(f->m);
    assert_string_equal(before, after);
    free(before);
    free(after);
    (void)unlink(path);
}

/* ---- looking ---- */

struct seen {
    size_t count;
    char home[8][80], remark[8][200];
    bool agrees[8], is_enabled[8];
};

static enum im_err on_homed(void *user, const struct im_homed *h, struct im_error *e) {
    struct seen *s = user;
    (void)e;
    (void)snprintf(s->home[s->count], sizeof s->home[0], "%s", h->home ? h->home : "");
    (void)snprintf(s->remark[s->count], sizeof s->remark[0], "%s", h->remark_count ? h->remarks[0] : "");
    s->agrees[s->count] = h->agrees;
    s->is_enabled[s->count++] = h->is_enabled;
    return IM_OK;
}

static void look_at(struct fixture *f, const char *const *names, struct seen *seen) {
    *seen = (struct seen){.count = 0};
    name(f, names);
    f->input_at = 0;
    assert_int_equal(im_look(&f->run, on_homed, seen, &f->summary, &f->e), IM_OK);
    assert_int_equal(seen->count, f->input_count);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 0);
}

static void it_is_told_whether_attributes_agree(void **state) {
    struct fixture *f = *state;
    struct seen seen;
    memdir_set(f->m, ADAM, "msExchIMPhysicalURL",
               "http://imhome2.corp.example/instmsg/local/im.corp.example/instmsg/aliases/adam");
    memdir_set(f->m, OFF, "msExchIMVirtualServer", HOME3);
    look_at(f, (const char *const[]){"jdoe", "adam", "eve", "off", "nobody", NULL}, &seen);
    assert_true(seen.agrees[0] && seen.is_enabled[0]);
    assert_string_equal(seen.home[0], "imhome1");
    assert_string_equal(seen.remark[0], "");
    assert_false(seen.agrees[1]);
    assert_mentions(seen.remark[1], "msExchIMPhysicalURL is http://imhome2");
    assert_mentions(seen.remark[1], "http://imhome1.corp.example/instmsg/local");
    assert_false(seen.is_enabled[2]);
    assert_string_equal(seen.remark[2], "not enabled for IM");
    assert_false(seen.agrees[3]);
    assert_string_equal(seen.home[3], HOME3);
    assert_mentions(seen.remark[3], "no IM server");
    assert_mentions(seen.remark[4], "account name");
    assert_int_equal(f->summary.counts[IM_OUT_NOT_FOUND], 1);
}

static void a_deleted_home_is_told(void **state) {
    struct fixture *f = *state;
    struct seen seen;
    memdir_delete(f->m, HOME1);
    look_at(f, (const char *const[]){"jdoe", NULL}, &seen);
    assert_mentions(seen.remark[0], "deleted");
}

/* ---- memory ---- */

static enum im_err quiet(void *user, const struct im_input *input, const struct im_result *r, struct im_error *e) {
    (void)user, (void)input, (void)r, (void)e;
    return IM_OK;
}

static enum im_err move_once(void *user, struct im_error *e) {
    struct fixture *f = user;
    struct im_run own = f->run;
    struct im_summary summary;
    bool wrote;
    own.on_result = quiet;
    own.on_change = NULL;
    own.dry_run = true;
    f->input_at = 0;
    return im_run_accounts(&own, &summary, &wrote, e);
}

static enum im_err quiet_homed(void *user, const struct im_homed *h, struct im_error *e) {
    (void)user, (void)h, (void)e;
    return IM_OK;
}

static enum im_err look_once(void *user, struct im_error *e) {
    struct fixture *f = user;
    struct im_summary summary;
    f->input_at = 0;
    return im_look(&f->run, quiet_homed, NULL, &summary, e);
}

static enum im_err choose_once(void *user, struct im_error *e) {
    struct fixture *f = user;
    const struct im_condition condition = {.home = f->request.from};
    struct im_chosen *chosen = NULL;
    enum im_err err = im_choose(&f->run.resolver, &condition, &chosen, e);
    assert_int_equal(err == IM_OK, chosen != NULL);
    im_chosen_free(&chosen);
    return err;
}

static enum im_err count_once(void *user, struct im_error *e) {
    static const char *const bases[] = {BASE, NULL};
    struct fixture *f = user;
    struct im_homes homes;
    enum im_err err = im_homes_begin(&homes, e);
    if (err != IM_OK)
        return err;
    err = im_homes_scan(f->d, f->profile, bases, true, &homes, e);
    if (err == IM_OK)
        err = im_homes_settle(&homes, &f->servers, e);
    if (err == IM_OK)
        err = im_homes_look(f->d, f->profile, &homes, e);
    im_homes_free(&homes);
    return err;
}

static void runs_out_of_memory(void **state) {
    static oom_attempt *const attempts[] = {move_once, look_once, choose_once, count_once};
    static const bool both[2] = {false, true};
    struct fixture *f = *state;
    struct im_home_match from = off(f, HOME1);
    memdir_set(f->m, ADAM, "msExchIMVirtualServer", HOME3);
    name(f, (const char *const[]){"jdoe", "adam", "eve", NULL});
    f->request.home = NULL;
    f->request.is_target = both;
    f->request.from = &from;
    for (size_t i = 0; i < LENGTH(attempts); i++)
        assert_true(oom_every_allocation(attempts[i], f) > 10);
    f->request.from = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_enabled, tear_down)
#define CROWD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_crowd, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(only_home_and_physical_url_change),
        TEST(disabled_accounts_are_moved),
        TEST(who_has_no_address_is_refused),
        TEST(the_target_decides),
        TEST(an_address_that_cannot_be_taken_apart),
        TEST(a_row_says_where_to),
        CROWD_TEST(everybody_finds_a_place_and_nobody_moves_twice),
        CROWD_TEST(a_server_is_filled_up_and_no_further),
        CROWD_TEST(places_that_are_left_are_free),
        CROWD_TEST(the_old_home_is_deleted_in_the_middle),
        CROWD_TEST(the_old_home_is_renamed_in_the_middle),
        CROWD_TEST(two_copies_do_it_together),
        CROWD_TEST(lost_answers_are_looked_for),
        TEST(who_was_moved_elsewhere_meanwhile_is_left_there),
        TEST(choosing_finds_people_of_a_deleted_server),
        TEST(a_plan_is_judged_as_a_move),
        TEST(a_plan_whose_target_has_gone),
        TEST(a_move_is_taken_back),
        TEST(it_is_told_whether_attributes_agree),
        TEST(a_deleted_home_is_told),
        TEST(runs_out_of_memory),
    };
    return cmocka_run_group_tests_name("run_move", tests, NULL, NULL);
}
