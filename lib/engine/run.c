/* Drives the slices: sends, waits, hands answers to who takes them, and reports in the order of the inputs. */
#include "lib/engine/run.h"

#include "lib/engine/job.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ASSERTION_CONTROL "1.3.6.1.1.12"

enum {
    SEARCHES = 32,       /* in flight, for slices that are read */
    SEARCHES_FIRST = 64, /* the slice that others wait for may go beyond */
    RECONNECTS = 5,
    RECONNECT_PAUSE_MS = 250,
    LOSSES_MOST = 5, /* in a row, without an account done between them */
    FAILURES_FROM = 100,
};

void im_walk_fail(struct im_walk *walk, enum im_err err) {
    if (walk->err == IM_OK)
        walk->err = err;
}

struct im_job *im_walk_job(const struct im_walk *walk, uint32_t number) {
    for (size_t i = 0; number && i < walk->slice_count; i++) {
        const struct im_slice *slice = walk->slices[i];
        if (slice->job_count && number - slice->jobs[0].number < slice->job_count)
            return &slice->jobs[number - slice->jobs[0].number];
    }
    return NULL;
}

static bool is_stopped(const struct im_walk *walk) {
    return walk->run->stop && *walk->run->stop;
}

/* ---- settling ---- */

static void count_settled(struct im_walk *walk, enum im_outcome outcome) {
    const struct im_pace *pace = &walk->run->pace;
    walk->tried++;
    if (outcome != IM_FAILED && outcome != IM_CONFLICT)
        return;
    walk->failed++;
    double share = (double)walk->tried * pace->max_failures_percent / 100;
    double limit = share > (double)pace->max_failures ? share : (double)pace->max_failures;
    bool is_early = pace->max_failures_percent > 0 && walk->tried < FAILURES_FROM;
    if (limit > 0 && !is_early && (double)walk->failed >= limit && !walk->run->dry_run && walk->err == IM_OK) {
        im_walk_fail(walk, im_error_set(walk->e, IM_E_LIMIT, "%zu of %zu accounts failed: stopped, as --max-failures asks",
                                        walk->failed, walk->tried));
    }
}

struct im_result im_bad_row(const struct im_input *input) {
    return (struct im_result){.outcome = IM_REFUSED, .reason = IM_REASON_BAD_ROW, .message = input->bad, .ldap_code = -1};
}

void im_job_settle(struct im_job *job, enum im_outcome outcome, const char *message) {
    struct im_walk *walk = job->slice->walk;
    job->state = IM_JOB_SETTLED;
    job->result.outcome = outcome;
    job->result.message = message;
    if (outcome != IM_CHANGED) {
        job->result.diffs = NULL;
        job->result.diff_count = 0;
    }
    /* Where the answer was lost only "it is as it was to be" is an answer; whatever else is there may have come after the change.
     */
    bool is_open = job->is_unknown && outcome != IM_CHANGED;
    if (job->journal_id && !is_open && !walk->run->dry_run)
        im_walk_fail(walk, im_journal_result(walk->run->journal, job->journal_id, outcome, walk->e));
    if (outcome != IM_NOT_ATTEMPTED)
        count_settled(walk, outcome);
}

/* ---- reporting ---- */

/* What the second line that names an account says. */
static struct im_result repeated(const struct im_walk *walk, const struct im_line *line, struct im_pool *pool) {
    struct im_known_account known;
    struct im_result r = line->result;
    im_ledger_tell(&walk->ledger, line->repeats, &known);
    const struct im_job *job = im_walk_job(walk, known.job);
    const struct im_input *first = job ? job->input : NULL;
    if (job)
        r = job->result;
    r.outcome = job ? job->result.outcome : known.outcome;
    r.reason = job ? job->result.reason : known.reason;
    r.diffs = NULL;
    r.diff_count = 0;
    if (r.outcome == IM_CHANGED)
        r.outcome = IM_UNCHANGED;
    if (!r.message)
        r.message = walk->run->dry_run ? "named before in this run" : "done before in this run";
    if (first && first->source && r.outcome == IM_UNCHANGED)
        r.message = im_pool_printf(pool, "%s (%s)", r.message, first->source);
    return r;
}

static enum im_err report_changes(const struct im_walk *walk, struct im_job *job) {
    const struct im_run *run = walk->run;
    enum im_err err = IM_OK;
    if (!run->dry_run || !run->on_change || job->result.outcome != IM_CHANGED)
        return IM_OK;
    for (size_t i = 0; err == IM_OK && i < job->plan.step_count; i++)
        err = run->on_change(run->user, &job->plan.steps[i], walk->e);
    return err;
}

static enum im_err report(struct im_walk *walk, const struct im_input *input, struct im_result *result) {
    result->input = input->text ? input->text : result->account ? result->account : result->dn;
    if (!result->input)
        result->input = input->identity.text;
    result->source = input->source;
    walk->summary->total++;
    walk->summary->counts[result->outcome]++;
    return walk->run->on_result ? walk->run->on_result(walk->run->user, input, result, walk->e) : IM_OK;
}

static enum im_err report_line(struct im_slice *slice, struct im_line *line) {
    struct im_walk *walk = slice->walk;
    struct im_result result = line->job ? line->job->result : line->repeats ? repeated(walk, line, slice->pool) : line->result;
    enum im_err err = line->job ? report_changes(walk, line->job) : IM_OK;
    enum im_err told = report(walk, line->input, &result);
    return err != IM_OK ? err : told;
}

static bool is_line_ready(const struct im_slice *slice, const struct im_line *line) {
    if (line->job)
        return line->job->state == IM_JOB_SETTLED;
    return slice->is_planned; /* repeats are of lines before */
}

static enum im_err report_slice(struct im_slice *slice) {
    enum im_err err = IM_OK;
    while (err == IM_OK && slice->reported < slice->count) {
        struct im_line *line = &slice->lines[slice->reported];
        if (!is_line_ready(slice, line))
            return IM_OK;
        slice->reported++;
        err = report_line(slice, line);
    }
    return err;
}

static void drop_first(struct im_walk *walk) {
    im_slice_free(&walk->slices[0]);
    memmove(walk->slices, walk->slices + 1, (walk->slice_count - 1) * sizeof walk->slices[0]);
    walk->slice_count--;
}

/* While a later slice looks for holders, what was written since is still in memory for it to see. */
static bool may_drop_first(const struct im_walk *walk) {
    struct im_slice *first = walk->slices[0];
    if (first->reported < first->count || !im_slice_is_done(first))
        return false;
    return walk->slice_count == 1 || walk->slices[1]->is_planned || walk->slices[1]->stage != IM_STAGE_HOLDING;
}

static void report_ready(struct im_walk *walk) {
    for (size_t i = 0; walk->err == IM_OK && i < walk->slice_count; i++) {
        im_walk_fail(walk, report_slice(walk->slices[i]));
        if (walk->slices[i]->reported < walk->slices[i]->count)
            break;
    }
    while (walk->slice_count && walk->err == IM_OK && may_drop_first(walk))
        drop_first(walk);
    if (walk->run->on_progress) {
        walk->run->on_progress(walk->run->user, walk->summary->total,
                               walk->summary->counts[IM_FAILED] + walk->summary->counts[IM_CONFLICT]);
    }
}

/* In words for the accounts that were left out; the error itself is told once, by the command. */
static const char *why_left(enum im_err err) {
    switch (err) {
    case IM_E_INTERRUPTED:
        return "the run was stopped before this account";
    case IM_E_LIMIT:
        return "a limit stopped the run before this account";
    case IM_E_LOST:
    case IM_E_TIMEOUT:
        return "the connection was lost before this account";
    case IM_E_OUTPUT:
    case IM_E_IO:
        return "the run ended before this account because a file could not be written";
    default:
        return "the run ended before this account";
    }
}

/* Lines without an outcome yet have not been attempted. */
static void leave_slice(struct im_slice *slice, const char *why) {
    for (size_t i = 0; i < slice->job_count; i++) {
        if (slice->jobs[i].state != IM_JOB_SETTLED)
            im_job_settle(&slice->jobs[i], IM_NOT_ATTEMPTED, why);
    }
    for (; slice->reported < slice->count; slice->reported++) {
        struct im_line *line = &slice->lines[slice->reported];
        bool has_outcome = line->job || line->repeats || line->result.message || line->input->bad;
        if (!has_outcome)
            line->result = (struct im_result){.outcome = IM_NOT_ATTEMPTED, .message = why, .ldap_code = -1};
        (void)report_line(slice, line);
    }
}

/* Whatever ended the run, each input is reported once. */
static void report_rest(struct im_walk *walk) {
    const struct im_inputs *inputs = walk->run->inputs;
    const char *why = why_left(walk->err);
    struct im_error *e = walk->e;
    walk->e = NULL; /* the first error is told already */
    for (size_t i = 0; i < walk->slice_count; i++)
        leave_slice(walk->slices[i], why);
    struct im_pool *pool = im_pool_new();
    while (pool && !walk->is_at_end) {
        struct im_input input = {0};
        if (inputs->next(inputs->user, pool, &input, &walk->is_at_end, NULL) != IM_OK || walk->is_at_end)
            break;
        struct im_result left = {.outcome = IM_NOT_ATTEMPTED, .message = why, .ldap_code = -1};
        struct im_result result = input.bad ? im_bad_row(&input) : left;
        (void)report(walk, &input, &result);
        im_pool_reset(pool);
    }
    im_pool_free(&pool);
    walk->e = e;
}

/* ---- driving ---- */

/* Where writing is what takes the time, reading far ahead of it would only fill memory. */
static bool reads_ahead(const struct im_walk *walk) {
    size_t waiting = 0;
    for (size_t i = 0; i < walk->slice_count; i++) {
        const struct im_slice *slice = walk->slices[i];
        waiting += slice->is_planned && slice->next < slice->round_count;
    }
    return waiting <= 1;
}

static void begin_slices(struct im_walk *walk) {
    size_t most = walk->has_begun && !walk->run->on_look ? walk->slice_most : 1;
    while (walk->err == IM_OK && !walk->is_at_end && walk->slice_count < most && reads_ahead(walk)) {
        struct im_slice *slice;
        im_walk_fail(walk, im_slice_begin(walk, &slice));
        if (slice)
            walk->slices[walk->slice_count++] = slice;
    }
}

static void advance(struct im_walk *walk) {
    for (size_t i = 0; walk->err == IM_OK && i < walk->slice_count; i++)
        im_walk_fail(walk, im_slice_advance(walk->slices[i]));
}

static void shorten(int64_t *wait_ms, int64_t other_ms) {
    if (other_ms >= 0 && (*wait_ms < 0 || other_ms < *wait_ms))
        *wait_ms = other_ms;
}

static size_t searches_in_flight(const struct im_walk *walk) {
    size_t count = 0;
    for (size_t i = 0; i < walk->slice_count; i++)
        count += walk->slices[i]->lookups.in_flight;
    return count;
}

static enum im_err send_searches(struct im_walk *walk, int64_t now_ms, int64_t *wait_ms) {
    size_t in_flight = searches_in_flight(walk);
    enum im_err err = IM_OK;
    int64_t pause_ms;
    for (size_t i = 0; err == IM_OK && i < walk->slice_count; i++) {
        struct im_lookups *lookups = &walk->slices[i]->lookups;
        size_t usual = walk->slices[i]->stage == IM_STAGE_HOLDING ? SEARCHES_FIRST : SEARCHES;
        size_t most = im_directory_window(walk->run->resolver.directory, usual);
        size_t sent = 0;
        if (lookups->is_busy)
            im_tempo_busy(&walk->tempo, now_ms);
        lookups->is_busy = false;
        if (!im_lookups_wait(lookups) || in_flight >= most)
            continue;
        if (im_tempo_pauses(&walk->tempo, now_ms, &pause_ms)) {
            shorten(wait_ms, pause_ms);
            continue;
        }
        err = im_lookups_send(lookups, most - in_flight, &sent, walk->e);
        in_flight += sent;
    }
    return err;
}

static enum im_err send(struct im_walk *walk, int64_t *wait_ms) {
    int64_t now_ms = im_directory_now_ms(walk->run->resolver.directory);
    enum im_err err = walk->err == IM_OK ? send_searches(walk, now_ms, wait_ms) : IM_OK;
    for (size_t i = 0; err == IM_OK && i < walk->slice_count; i++) {
        int64_t write_ms = -1;
        if (walk->slices[i]->stage != IM_STAGE_WRITING)
            continue;
        err = im_write_some(walk->slices[i], now_ms, &write_ms);
        shorten(wait_ms, write_ms);
    }
    return err;
}

static void note(const struct im_walk *walk, int level, const char *text) {
    if (walk->run->on_note)
        walk->run->on_note(walk->run->user, level, text);
}

static enum im_err rest(struct im_walk *walk, int64_t ms) {
    struct im_event event;
    return im_directory_wait(walk->run->resolver.directory, ms, &event, walk->e);
}

/* A new connection, and what was in flight once more. `lost` says what happened. */
static enum im_err reconnect(struct im_walk *walk, const struct im_error *lost) {
    struct im_directory *d = walk->run->resolver.directory;
    struct im_error last = *lost;
    char text[sizeof last.text + sizeof last.where + 64];
    walk->losses = walk->tried == walk->tried_at_loss ? walk->losses + 1 : 1;
    walk->tried_at_loss = walk->tried;
    enum im_err err = walk->losses > LOSSES_MOST ? lost->code : IM_OK;
    bool is_open = false;
    (void)snprintf(text, sizeof text, "%s: connecting again", lost->text);
    note(walk, 0, text);
    for (int i = 0; err == IM_OK && !is_open && i < RECONNECTS; i++) {
        if (i)
            err = rest(walk, (int64_t)RECONNECT_PAUSE_MS << i);
        if (err == IM_OK && is_stopped(walk))
            err = im_error_set(walk->e, IM_E_INTERRUPTED, "stopped on request");
        im_error_clear(&last);
        is_open = err == IM_OK && im_directory_reopen(d, &last) == IM_OK;
    }
    if (err == IM_OK && !is_open)
        err = IM_E_LOST;
    if (err != IM_OK && walk->e && walk->e->code == IM_OK) {
        *walk->e = last.code == IM_OK ? *lost : last;
        walk->e->code = IM_E_LOST;
        im_error_context(walk->e, "the connection was lost and could not be opened again");
    }
    if (err != IM_OK)
        return err;
    for (size_t i = 0; i < walk->slice_count; i++) {
        im_lookups_again(&walk->slices[i]->lookups);
        im_write_lost(walk->slices[i]);
    }
    note(walk, 0, "connected again: what was in flight is read again");
    return IM_OK;
}

static bool is_lost(enum im_err err) {
    return err == IM_E_LOST || err == IM_E_TIMEOUT;
}

/* Goes on with another connection, or ends the run. */
static void take_failure(struct im_walk *walk, enum im_err err, struct im_error *inner) {
    if (is_lost(err) && walk->err == IM_OK) {
        im_walk_fail(walk, reconnect(walk, inner));
        if (walk->err == IM_OK)
            return;
    }
    if (walk->e && walk->e->code == IM_OK)
        *walk->e = *inner;
    im_walk_fail(walk, err);
    if (is_lost(err)) {
        for (size_t i = 0; i < walk->slice_count; i++) {
            im_lookups_again(&walk->slices[i]->lookups);
            im_write_give_up(walk->slices[i]);
        }
    }
}

static void take_event(struct im_walk *walk, struct im_event *event) {
    struct im_token *token = event->token;
    if (event->kind == IM_EVENT_DONE || (event->kind == IM_EVENT_ENTRY && walk->err == IM_OK))
        im_walk_fail(walk, token->take(token, event, walk->e));
}

/* Sends, and waits until an operation has ended: an entry alone lets nobody go on. */
static void turn(struct im_walk *walk) {
    struct im_error *e = walk->e;
    struct im_error inner = {.code = IM_OK};
    struct im_event event = {.kind = IM_EVENT_NONE};
    int64_t wait_ms = -1;
    walk->e = &inner;
    enum im_err err = send(walk, &wait_ms);
    bool is_waiting = walk->changes_in_flight || searches_in_flight(walk) || wait_ms >= 0;
    walk->e = e;
    do {
        if (err == IM_OK && is_waiting)
            err = im_directory_wait(walk->run->resolver.directory, wait_ms, &event, &inner);
        if (err != IM_OK) {
            take_failure(walk, err, &inner);
            return;
        }
        take_event(walk, &event);
    } while (event.kind == IM_EVENT_ENTRY && walk->err == IM_OK && !is_stopped(walk));
}

static bool has_work(const struct im_walk *walk) {
    if (walk->changes_in_flight)
        return true;
    for (size_t i = 0; i < walk->slice_count; i++) {
        struct im_slice *slice = walk->slices[i];
        if (walk->err == IM_OK && !im_slice_is_done(slice))
            return true;
        if (slice->stage == IM_STAGE_WRITING && slice->next < slice->round_count)
            return true;
    }
    return walk->err == IM_OK && !walk->is_at_end;
}

static void stop_slices(struct im_walk *walk) {
    for (size_t i = 0; i < walk->slice_count; i++) {
        im_lookups_abandon(&walk->slices[i]->lookups);
        if (walk->slices[i]->stage == IM_STAGE_WRITING)
            im_write_stop(walk->slices[i], why_left(walk->err));
    }
}

static void drive(struct im_walk *walk) {
    for (;;) {
        if (walk->err == IM_OK && is_stopped(walk)) {
            im_walk_fail(walk, im_error_set(walk->e, IM_E_INTERRUPTED, "stopped on request%s",
                                            walk->wrote ? "" : " before anything was written"));
        }
        advance(walk);
        report_ready(walk);
        begin_slices(walk); /* what it asks travels with what the others ask now */
        if (walk->err != IM_OK)
            stop_slices(walk);
        if (!has_work(walk))
            return;
        turn(walk);
    }
}

/* ---- the walk ---- */

static enum im_err begin(struct im_walk *walk) {
    const struct im_servers *from = walk->run->servers;
    walk->servers.items = im_pool_array(walk->pool, from->count, sizeof *walk->servers.items);
    walk->reader = im_account_reader_new(walk->run->resolver.context, walk->pool);
    walk->request = *walk->run->request;
    if (!walk->servers.items || !walk->reader)
        return im_error_nomem(walk->e);
    if (from->count)
        memcpy(walk->servers.items, from->items, from->count * sizeof *from->items);
    walk->servers.count = walk->servers.cap = from->count;
    if (walk->request.home)
        walk->request.home = &walk->servers.items[walk->request.home - from->items];
    return IM_OK;
}

static double seconds_since(const struct timespec *start) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

enum im_err im_run_accounts(const struct im_run *run, struct im_summary *summary, bool *wrote, struct im_error *e) {
    struct im_error own = {.code = IM_OK};
    struct im_walk walk = {.run = run, .summary = summary, .e = e ? e : &own};
    size_t connections = run->pace.connections ? run->pace.connections : 1;
    struct timespec start;
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    *summary = (struct im_summary){0};
    bool is_offline = im_directory_rootdse(run->resolver.directory)->is_offline;
    walk.slice_lines = is_offline ? IM_SLICE_LINES_OFFLINE : IM_SLICE_LINES;
    walk.slice_most = is_offline ? IM_SLICES_OFFLINE : IM_SLICES;
    walk.has_assertion = im_rootdse_has_control(im_directory_rootdse(run->resolver.directory), ASSERTION_CONTROL);
    im_tempo_begin(&walk.tempo, run->pace.window * connections, IM_WINDOW_MAX * connections, run->pace.rate);
    walk.pool = im_pool_new();
    walk.scratch = im_pool_new();
    walk.err = walk.pool && walk.scratch ? im_ledger_begin(&walk.ledger, walk.e) : im_error_nomem(walk.e);
    if (walk.err == IM_OK)
        walk.err = begin(&walk);
    drive(&walk);
    if (walk.err != IM_OK)
        report_rest(&walk);
    while (walk.slice_count)
        drop_first(&walk);
    *wrote = walk.wrote;
    summary->seconds = seconds_since(&start);
    im_ledger_end(&walk.ledger);
    im_pool_free(&walk.scratch);
    im_pool_free(&walk.pool);
    return walk.err;
}

void im_run_leave(const struct im_run *run, enum im_err why, struct im_summary *summary) {
    struct im_walk walk = {.run = run, .summary = summary, .err = why};
    *summary = (struct im_summary){0};
    report_rest(&walk);
}
