/* Many accounts, and everything that can happen to a long run: a busy server, lost connections, limits, lines that contradict
 * each other; on a directory in memory whose clock is a number. */
#include "lib/engine/job.h"
#include "tests/unit/oom.h"
#include "tests/unit/runner.h"

#include <stdio.h>
#include <unistd.h>

enum { CROWD = 520 };

static const char *sam(struct fixture *f, int i) {
    return im_pool_printf(f->pool, "p%d", i);
}

static struct fixture *big_crowd(void) {
    struct im_buf more = IM_BUF_INIT;
    for (int i = 0; i < CROWD; i++) {
        im_buf_addf(&more, "\ndn: CN=p%d,OU=People," BASE "\nobjectClass: user\nsAMAccountName: p%d\nuserAccountControl: 512\n",
                    i, i);
    }
    struct fixture *f = new_fixture(MEMDIR_AD, im_buf_str(&more));
    im_buf_free(&more);
    const char **list = im_pool_array(f->pool, CROWD + 1, sizeof *list);
    assert_non_null(list);
    for (int i = 0; i < CROWD; i++)
        list[i] = sam(f, i);
    name(f, list);
    return f;
}

static int set_up_crowd(void **state) {
    *state = big_crowd();
    return 0;
}

static void fault(struct fixture *f, enum memdir_kind kind, size_t nth, int code, enum im_err err) {
    memdir_fault(f->m, (struct memdir_fault){.kind = kind, .nth = nth, .code = code, .error = err});
}

/* ---- flow ---- */

static void slices_overlap_and_come_out_in_order(void **state) {
    struct fixture *f = *state;
    memdir_answer_in_reverse(f->m, true);
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->summary.counts[IM_CHANGED], CROWD);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), CROWD);
    assert_true(memdir_in_flight(f->m) <= IM_WINDOW_MAX + 64);
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->summary.counts[IM_UNCHANGED], CROWD);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), CROWD);
}

static void repeated_lines_take_the_first_ones_outcome(void **state) {
    struct fixture *f = *state;
    f->input[515].text = "p3"; /* its slice is gone by then */
    assert_int_equal(im_identity_parse("p3", f->pool, &f->input[515].identity, &f->e), IM_OK);
    f->input[5].text = "p3";
    f->input[5].identity = f->input[515].identity;
    fault(f, MEMDIR_MODIFY, 3, 53, IM_OK); /* p2 */
    f->input[516].text = "p2";
    assert_int_equal(im_identity_parse("p2", f->pool, &f->input[516].identity, &f->e), IM_OK);
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->told[3].outcome, IM_CHANGED);
    assert_int_equal(f->told[5].outcome, IM_UNCHANGED);
    assert_mentions(f->told[5].message, "list.txt:2");
    assert_int_equal(f->told[515].outcome, IM_UNCHANGED);
    assert_string_equal(f->told[515].dn, "CN=p3,OU=People," BASE);
    assert_int_equal(f->told[2].outcome, IM_FAILED);
    assert_int_equal(f->told[516].outcome, IM_FAILED);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), CROWD - 3);
}

static void lines_ask_for_their_own_home_domain_and_address(void **state) {
    struct fixture *f = *state;
    RUN(f, "jdoe", "adam", "eve", "moved");
    f->request.action = IM_DISABLE;
    assert_int_equal(run_inputs(f), IM_OK);
    f->request.action = IM_ENABLE;
    f->input[0].home = "IMHOME2.corp.example";
    f->input[1].address = "{account}.x@{domain}";
    f->input[2].address = "first.last@imhome2.corp.example";
    f->input[2].home = HOME2;
    f->input[3].home = "nowhere";
    assert_int_equal(run_inputs(f), IM_E_USAGE);
    assert_mentions(f->e.text, "list.txt:2");
    assert_mentions(f->e.text, "nowhere");
    f->input[3].home = NULL;
    assert_int_equal(run_inputs(f), IM_OK);
    assert_string_equal(f->told[0].address, "jdoe@imhome2.corp.example");
    assert_string_equal(f->told[0].home, "imhome2");
    assert_string_equal(f->told[1].address, "adam.x@imhome1.corp.example");
    assert_string_equal(f->told[2].address, "first.last@imhome2.corp.example");
    assert_mentions(value(f, "CN=Eve,OU=People," BASE, "msExchIMVirtualServer"), HOME2);
}

static void contradicting_lines_are_refused(void **state) {
    struct fixture *f = *state;
    name(f, (const char *const[]){"jdoe", "CORP\\jdoe", "jdoe@corp.example", NULL});
    f->input[1].home = "imhome2";
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_int_equal(f->told[1].outcome, IM_REFUSED);
    assert_string_equal(f->told[1].reason, "contradicting-line");
    assert_int_equal(f->told[2].outcome, IM_UNCHANGED);
    assert_mentions(value(f, JANE, "msExchIMVirtualServer"), HOME1);
}

static void bad_rows_are_refused_and_the_others_done(void **state) {
    struct fixture *f = *state;
    name(f, (const char *const[]){"x", "jdoe", NULL});
    f->input[0].bad = "3 cells where the header has 4";
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_REFUSED);
    assert_string_equal(f->told[0].reason, "bad-row");
    assert_mentions(f->told[0].message, "3 cells");
    assert_int_equal(f->told[1].outcome, IM_CHANGED);
    f->input_count = 1; /* nobody else: that says nothing of what can be seen */
    assert_int_equal(run_inputs(f), IM_OK);
}

static void an_address_that_is_given_up_in_the_run_is_not_taken(void **state) {
    struct fixture *f = *state;
    memdir_set(f->m, JANE, "msExchIMAddress", "adam@imhome1.corp.example");
    memdir_set(f->m, JANE, "msExchIMVirtualServer", HOME1);
    name(f, (const char *const[]){"jdoe", "adam", NULL});
    f->input[0].address = "jane@imhome1.corp.example";
    f->input[1].address = "adam@imhome1.corp.example";
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_int_equal(f->told[1].outcome, IM_REFUSED);
    assert_string_equal(f->told[1].reason, "account-address-duplicate");
    assert_int_equal(run_inputs(f), IM_OK); /* the next run may have it */
    assert_int_equal(f->told[1].outcome, IM_CHANGED);
}

#define P0 "CN=p0,OU=People," BASE

static void p0_gets_another_name(struct memdir *m, size_t nth, void *user) {
    (void)nth, (void)user;
    memdir_set(m, P0, "mailNickname", "zero");
    memdir_set(m, P0, "msExchIMAddress", "p0@elsewhere.example"); /* meets our change, and cannot be kept */
}

/* p0 has a slice of its own, which is planned again or gone before the last line is read: jdoe, who wants p0's address. */
static size_t name_crowd_and_rival(struct fixture *f) {
    enum { LAST = 3 * IM_SLICE_LINES };
    const char **list = im_pool_array(f->pool, LAST + 2, sizeof *list);
    assert_non_null(list);
    for (int i = 0; i < LAST; i++)
        list[i] = sam(f, i < IM_SLICE_LINES ? 0 : (i - IM_SLICE_LINES) % (CROWD - 1) + 1);
    list[LAST] = "jdoe";
    name(f, list);
    f->input[LAST].address = "p0@imhome1.corp.example";
    return LAST;
}

static void an_address_that_is_no_longer_wanted_is_free(void **state) {
    struct fixture *f = *state;
    size_t last = name_crowd_and_rival(f);
    memdir_before(f->m, MEMDIR_MODIFY, 1, p0_gets_another_name, NULL);
    assert_int_equal(run_inputs(f), IM_OK);
    assert_string_equal(f->told[0].address, "zero@imhome1.corp.example");
    assert_int_equal(f->told[last].outcome, IM_CHANGED);
    assert_string_equal(value(f, JANE, "msExchIMAddress"), "p0@imhome1.corp.example");
}

static void assert_refused_as_held(struct fixture *f, const char *holder) {
    size_t last = name_crowd_and_rival(f);
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_int_equal(f->told[last].outcome, IM_REFUSED);
    assert_string_equal(f->told[last].reason, "account-address-duplicate");
    assert_mentions(f->told[last].message, holder);
}

static void an_address_that_was_given_away_long_before_is_remembered(void **state) {
    struct fixture *f = *state;
    f->run.dry_run = true;
    assert_refused_as_held(f, "an account before it");
    f->run.dry_run = false;
    assert_refused_as_held(f, P0); /* which the directory shows */
}

/* p0 failed and is gone from memory: of two who want its address later, the first has it, and the other one sees that. */
static void an_address_of_somebody_who_failed_is_for_one(void **state) {
    struct fixture *f = *state;
    size_t last = name_crowd_and_rival(f);
    f->input[last + 1] = f->input[last];
    f->input[last + 1].text = "adam";
    assert_int_equal(im_identity_parse("adam", f->pool, &f->input[last + 1].identity, &f->e), IM_OK);
    f->input_count = last + 2;
    fault(f, MEMDIR_MODIFY, 1, 53, IM_OK);
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_FAILED);
    assert_int_equal(f->told[last].outcome, IM_CHANGED);
    assert_int_equal(f->told[last + 1].outcome, IM_REFUSED);
    assert_string_equal(f->told[last + 1].reason, "account-address-duplicate");
    assert_mentions(f->told[last + 1].message, JANE);
}

static size_t searches_of_a_run(struct fixture *f) {
    size_t before = memdir_count(f->m, MEMDIR_SEARCH);
    assert_int_equal(run_inputs(f), IM_OK);
    return memdir_count(f->m, MEMDIR_SEARCH) - before;
}

static void holders_are_asked_for_where_something_is_written(void **state) {
    struct fixture *f = *state;
    size_t first = searches_of_a_run(f);
    assert_int_equal(f->summary.counts[IM_CHANGED], CROWD);
    assert_true(searches_of_a_run(f) <= first / 2); /* only the people themselves */
    assert_int_equal(f->summary.counts[IM_UNCHANGED], CROWD);
    const char *url = im_pool_strdup(f->pool, value(f, P0, "msExchIMPhysicalURL"));
    memdir_set(f->m, "CN=p1,OU=People," BASE, "msExchIMAddress", "p0@imhome1.corp.example");
    memdir_set(f->m, P0, "msExchIMPhysicalURL", NULL);
    f->input_count = 1;
    assert_int_equal(searches_of_a_run(f), 2);
    assert_int_equal(f->told[0].outcome, IM_REFUSED); /* what is repaired is written */
    assert_string_equal(f->told[0].reason, "account-address-duplicate");
    memdir_set(f->m, P0, "msExchIMPhysicalURL", url);
    assert_int_equal(searches_of_a_run(f), 1);
    assert_int_equal(f->told[0].outcome, IM_UNCHANGED);
}

/* ---- a server in need ---- */

static void busy_server_gets_time(void **state) {
    struct fixture *f = *state;
    for (size_t nth = 10; nth < 16; nth++)
        fault(f, MEMDIR_MODIFY, nth, nth % 2 ? 51 : 52, IM_OK);
    fault(f, MEMDIR_SEARCH, 2, 51, IM_OK);
    fault(f, MEMDIR_SEARCH, 9, 52, IM_OK);
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->summary.counts[IM_CHANGED], CROWD);
    assert_true(memdir_paused_ms(f->m) >= 100);
}

static void server_that_stays_busy_fails_the_account(void **state) {
    struct fixture *f = *state;
    fault(f, MEMDIR_MODIFY, 0, 51, IM_OK);
    assert_int_equal(RUN(f, "jdoe"), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_FAILED);
    assert_int_equal(f->told[0].ldap_code, 51);
    assert_true(memdir_paused_ms(f->m) >= 60000);
}

static void keeps_to_the_rate(void **state) {
    struct fixture *f = *state;
    f->run.pace.rate = 100;
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->summary.counts[IM_CHANGED], CROWD);
    assert_true(memdir_paused_ms(f->m) >= 5000);
}

static void window_is_kept_to(void **state) {
    struct fixture *f = *state;
    f->run.pace.window = 3;
    f->input_count = 20; /* nothing is read any more when it is written */
    assert_int_equal(run_inputs(f), IM_OK);
    assert_true(memdir_in_flight(f->m) <= 3);
}

/* ---- limits ---- */

static void too_many_failures_end_the_run(void **state) {
    struct fixture *f = *state;
    fault(f, MEMDIR_MODIFY, 0, 53, IM_OK);
    f->run.pace.max_failures = 10;
    assert_int_equal(run_inputs(f), IM_E_LIMIT);
    assert_true(f->summary.counts[IM_FAILED] >= 10 && f->summary.counts[IM_FAILED] < 80);
    assert_int_equal(f->summary.counts[IM_FAILED] + f->summary.counts[IM_NOT_ATTEMPTED], CROWD);
    assert_mentions(f->e.text, "--max-failures");
}

static void a_share_of_failures_counts_once_there_are_enough(void **state) {
    struct fixture *f = *state;
    for (size_t nth = 1; nth <= 6; nth++)
        fault(f, MEMDIR_MODIFY, nth, 53, IM_OK);
    f->run.pace.max_failures = 50;
    f->run.pace.max_failures_percent = 5;
    assert_int_equal(run_inputs(f), IM_OK); /* 6 of the first 6, of 520 in the end */
    assert_int_equal(f->summary.counts[IM_FAILED], 6);
    f->run.pace.max_failures = 0;
    f->run.pace.max_failures_percent = 1;
    fault(f, MEMDIR_MODIFY, 0, 53, IM_OK);
    f->request.action = IM_DISABLE;
    assert_int_equal(run_inputs(f), IM_E_LIMIT);
    assert_true(f->summary.counts[IM_FAILED] < 200);
}

/* ---- lost connections ---- */

static void lost_while_reading(void **state) {
    struct fixture *f = *state;
    fault(f, MEMDIR_SEARCH, 5, 0, IM_E_LOST);
    fault(f, MEMDIR_SEARCH, 15, 0, IM_E_LOST);
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_SEARCH, .nth = 25, .error = IM_E_TIMEOUT, .entries = 3});
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->summary.counts[IM_CHANGED], CROWD);
    assert_int_equal(memdir_count(f->m, MEMDIR_OPEN), 3);
}

static void connection_that_cannot_be_opened_again_ends_the_run(void **state) {
    struct fixture *f = *state;
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_MODIFY, .nth = 50, .error = IM_E_LOST, .is_done = true});
    fault(f, MEMDIR_OPEN, 0, 0, IM_E_CONNECT);
    assert_int_equal(run_inputs(f), IM_E_LOST);
    assert_mentions(f->e.text, "could not be opened again");
    assert_true(f->summary.counts[IM_FAILED] >= 1); /* nobody knows */
    assert_true(f->summary.counts[IM_NOT_ATTEMPTED] >= CROWD / 2);
    assert_true(memdir_paused_ms(f->m) > 1000);
}

static void connection_that_breaks_each_time_ends_the_run(void **state) {
    struct fixture *f = *state;
    fault(f, MEMDIR_MODIFY, 0, 0, IM_E_LOST);
    assert_int_equal(RUN(f, "jdoe"), IM_E_LOST);
    assert_int_equal(f->told[0].outcome, IM_FAILED);
    assert_true(memdir_count(f->m, MEMDIR_OPEN) <= 12);
}

/* ---- the journal ---- */

struct watched {
    struct fixture *f;
    char path[64];
    size_t looked;
};

static size_t count_text(const char *path, const char *text) {
    char line[4096];
    size_t count = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        count += strstr(line, text) != NULL;
    (void)fclose(file);
    return count;
}

static void journal_is_first(struct memdir *m, size_t nth, void *user) {
    struct watched *w = user;
    (void)m;
    if (!w->f->run.journal)
        return; /* the undo that follows has none */
    assert_true(count_text(w->path, "\"type\":\"change\"") >= nth);
    w->looked++;
}

static void open_journal(struct watched *w, struct fixture *f, enum im_journal_kind kind) {
    static const struct im_journal_head head = {.command = "imenable", .profile = "exchange2000", .directory = "ldap://memory"};
    struct im_journal_head this = head;
    this.kind = kind;
    w->f = f;
    (void)snprintf(w->path, sizeof w->path, "/tmp/imdir-run-%ld-%zu.jsonl", (long)getpid(), w->looked);
    (void)unlink(w->path);
    assert_int_equal(im_journal_create(w->path, &this, &f->run.journal, &f->e), IM_OK);
}

static void close_journal(struct watched *w) {
    assert_int_equal(im_journal_end(w->f->run.journal, &w->f->summary, true, &w->f->e), IM_OK);
    im_journal_free(&w->f->run.journal);
}

/* The records of a file as the inputs of the next run. */
static void take_records(struct fixture *f, const char *path, enum im_journal_kind kind, bool backwards) {
    struct im_journal_reader *r = NULL;
    assert_int_equal(im_journal_open(path, kind, &r, &f->e), IM_OK);
    size_t count = im_journal_reader_count(r);
    f->input_count = 0;
    for (size_t i = 0; i < count; i++) {
        size_t index = backwards ? count - 1 - i : i;
        struct im_record *record = im_pool_alloc(f->pool, sizeof *record);
        if (kind == IM_JOURNAL && im_journal_state(r, index) == IM_RECORD_NOT_MADE)
            continue;
        assert_int_equal(im_journal_read(r, index, f->pool, record, &f->e), IM_OK);
        f->input[f->input_count] = (struct im_input){.text = record->account, .record = record};
        f->input[f->input_count++].identity =
            (struct im_identity){.kind = record->guid ? IM_ID_GUID : IM_ID_DN, .text = record->guid ? record->guid : record->dn};
    }
    im_journal_close(&r);
}

static void before_images_are_on_disk_before_the_request(void **state) {
    struct fixture *f = *state;
    struct watched w = {0};
    char *before = memdir_dump(f->m);
    open_journal(&w, f, IM_JOURNAL);
    memdir_before(f->m, MEMDIR_MODIFY, 0, journal_is_first, &w);
    memdir_fault(f->m, (struct memdir_fault){.kind = MEMDIR_MODIFY, .nth = 7, .error = IM_E_LOST, .is_done = true});
    fault(f, MEMDIR_MODIFY, 30, 53, IM_OK);
    assert_int_equal(run_inputs(f), IM_OK);
    assert_true(w.looked >= CROWD);
    close_journal(&w);
    assert_int_equal(count_text(w.path, "\"outcome\":\"changed\""), CROWD - 1);
    assert_true(count_text(w.path, "\"outcome\":\"failed\"") == 1);
    /* And it leads back. */
    take_records(f, w.path, IM_JOURNAL, true);
    f->request.action = IM_UNDO;
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->summary.counts[IM_CHANGED], CROWD - 1);
    char *after = memdir_dump(f->m);
    assert_string_equal(before, after);
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->summary.counts[IM_UNCHANGED], CROWD - 1);
    (void)unlink(w.path);
    free(before);
    free(after);
}

static void undo_leaves_what_somebody_changed_since(void **state) {
    struct fixture *f = *state;
    struct watched w = {0};
    open_journal(&w, f, IM_JOURNAL);
    assert_int_equal(RUN(f, "jdoe", "adam", "moved"), IM_OK);
    close_journal(&w);
    memdir_set(f->m, JANE, "msExchIMPhysicalURL", "http://other/");
    memdir_rename(f->m, "CN=Adam,OU=People," BASE, "CN=Adam Again,OU=IM," BASE);
    take_records(f, w.path, IM_JOURNAL, true);
    f->request.action = IM_UNDO;
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CHANGED);
    assert_int_equal(f->told[2].outcome, IM_CONFLICT);
    assert_mentions(f->told[2].message, "msExchIMPhysicalURL");
    assert_string_equal(value(f, JANE, "msExchIMPhysicalURL"), "http://other/");
    assert_string_equal(value(f, JANE, "msExchIMAddress"), "jdoe@imhome1.corp.example");
    (void)unlink(w.path);
}

static void a_plan_is_carried_out_as_reviewed(void **state) {
    struct fixture *f = *state;
    struct watched w = {.looked = 1};
    open_journal(&w, f, IM_PLAN_FILE);
    f->run.dry_run = true;
    assert_int_equal(RUN(f, "jdoe", "adam", "twin1", "off"), IM_OK);
    close_journal(&w);
    assert_int_equal(memdir_count(f->m, MEMDIR_MODIFY), 0);
    f->run.dry_run = false;
    take_records(f, w.path, IM_PLAN_FILE, false);
    assert_int_equal(f->input_count, 3); /* nobody disabled */
    memdir_set(f->m, JANE, "msExchIMAddress", "else@imhome1.corp.example");
    memdir_set(f->m, "CN=Twin One,OU=People," BASE, "userAccountControl", "514");
    f->request.action = IM_APPLY;
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->told[0].outcome, IM_CONFLICT);
    assert_int_equal(f->told[1].outcome, IM_CHANGED);
    assert_int_equal(f->told[2].outcome, IM_REFUSED); /* disabled since it was reviewed */
    assert_string_equal(f->told[2].reason, "account-disabled");
    assert_int_equal(run_inputs(f), IM_OK);
    assert_int_equal(f->told[1].outcome, IM_UNCHANGED);
    (void)unlink(w.path);
}

/* ---- everything at once ---- */

static uint64_t next(uint64_t *seed) {
    *seed ^= *seed << 13, *seed ^= *seed >> 7, *seed ^= *seed << 17;
    return *seed;
}

static void edit_somebody(struct memdir *m, size_t nth, void *user) {
    uint64_t *seed = user;
    char dn[80];
    (void)nth;
    if (next(seed) % 20)
        return;
    (void)snprintf(dn, sizeof dn, "CN=p%d,OU=People," BASE, (int)(next(seed) % MANY));
    memdir_set(m, dn, "msExchIMPhysicalURL", "http://edited.example/");
    memdir_set(m, dn, "description", "somebody else's");
}

static void script(struct fixture *f, uint64_t *seed) {
    static const int codes[] = {51, 52, 53, 16};
    memdir_answer_in_reverse(f->m, next(seed) % 2);
    for (int i = 0; i < 6; i++) {
        bool is_loss = next(seed) % 2;
        memdir_fault(f->m, (struct memdir_fault){.kind = next(seed) % 3 ? MEMDIR_MODIFY : MEMDIR_SEARCH,
                                                 .nth = (size_t)(next(seed) % 400) + 1,
                                                 .code = is_loss ? 0 : codes[next(seed) % 2],
                                                 .error = is_loss ? IM_E_LOST : IM_OK,
                                                 .is_done = next(seed) % 2});
    }
    memdir_before(f->m, MEMDIR_MODIFY, 0, edit_somebody, seed);
}

/* Whatever happens, a run goes to its end or says why not, and the next ones finish the work. */
static void random_troubles_end_well(void **state) {
    const char *replay = getenv("RUN_SEED");
    (void)state;
    for (uint64_t round = 1; round <= (replay ? 1 : 20); round++) {
        uint64_t seed = replay ? strtoull(replay, NULL, 10) : round * 0x9e3779b97f4a7c15U;
        uint64_t start = seed;
        const char *const *names;
        struct fixture *f = crowd(&names);
        script(f, &seed);
        enum im_err err = run(f, names);
        if (err != IM_OK && err != IM_E_LOST)
            fail_msg("RUN_SEED=%llu: %s", (unsigned long long)start, f->e.text);
        for (int i = 0; i < 3; i++)
            err = run(f, names);
        if (err != IM_OK || f->summary.counts[IM_UNCHANGED] + f->summary.counts[IM_CHANGED] != MANY)
            fail_msg("RUN_SEED=%llu: %zu unchanged, %s", (unsigned long long)start, f->summary.counts[IM_UNCHANGED], f->e.text);
        for (int i = 0; i < MANY; i++) {
            char dn[80];
            (void)snprintf(dn, sizeof dn, "CN=p%d,OU=People," BASE, i);
            assert_string_equal(value(f, dn, "msExchIMAddress"), im_pool_printf(f->pool, "p%d@imhome1.corp.example", i));
        }
        tear_down((void *[]){f});
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define CROWD_TEST(test) cmocka_unit_test_setup_teardown(test, set_up_crowd, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CROWD_TEST(slices_overlap_and_come_out_in_order),
        CROWD_TEST(repeated_lines_take_the_first_ones_outcome),
        TEST(lines_ask_for_their_own_home_domain_and_address),
        TEST(contradicting_lines_are_refused),
        TEST(bad_rows_are_refused_and_the_others_done),
        TEST(an_address_that_is_given_up_in_the_run_is_not_taken),
        CROWD_TEST(an_address_that_is_no_longer_wanted_is_free),
        CROWD_TEST(an_address_that_was_given_away_long_before_is_remembered),
        CROWD_TEST(an_address_of_somebody_who_failed_is_for_one),
        CROWD_TEST(holders_are_asked_for_where_something_is_written),
        CROWD_TEST(busy_server_gets_time),
        TEST(server_that_stays_busy_fails_the_account),
        CROWD_TEST(keeps_to_the_rate),
        CROWD_TEST(window_is_kept_to),
        CROWD_TEST(too_many_failures_end_the_run),
        CROWD_TEST(a_share_of_failures_counts_once_there_are_enough),
        CROWD_TEST(lost_while_reading),
        CROWD_TEST(connection_that_cannot_be_opened_again_ends_the_run),
        TEST(connection_that_breaks_each_time_ends_the_run),
        CROWD_TEST(before_images_are_on_disk_before_the_request),
        TEST(undo_leaves_what_somebody_changed_since),
        TEST(a_plan_is_carried_out_as_reviewed),
        cmocka_unit_test(random_troubles_end_well),
    };
    return cmocka_run_group_tests_name("run_bulk", tests, NULL, NULL);
}
