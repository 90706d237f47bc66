/* Some inputs on their way: read, look for holders, plan, write; and once more those that met somebody else's change. */
#include "lib/engine/job.h"

#include <stdlib.h>
#include <string.h>

#define MET_EACH_TIME "somebody else changed the entry each of the times that it was read and written: run the command again"

/* ---- beginning and end ---- */

static enum im_err new_slice(struct im_walk *walk, struct im_slice **out) {
    struct im_slice *slice = calloc(1, sizeof *slice);
    if (!slice)
        return im_error_nomem(walk->e);
    slice->walk = walk;
    slice->pool = im_pool_new();
    if (slice->pool) {
        slice->inputs = im_pool_array(slice->pool, walk->slice_lines, sizeof *slice->inputs);
        slice->lines = im_pool_array(slice->pool, walk->slice_lines, sizeof *slice->lines);
        slice->jobs = im_pool_array(slice->pool, walk->slice_lines, sizeof *slice->jobs);
        slice->round = im_pool_array(slice->pool, walk->slice_lines, sizeof(struct im_job *));
    }
    *out = slice;
    return slice->inputs && slice->lines && slice->jobs && slice->round ? IM_OK : im_error_nomem(walk->e);
}

static enum im_err read_inputs(struct im_slice *slice) {
    struct im_walk *walk = slice->walk;
    const struct im_inputs *inputs = walk->run->inputs;
    enum im_err err = IM_OK;
    while (err == IM_OK && !walk->is_at_end && slice->count < walk->slice_lines) {
        struct im_input *input = &slice->inputs[slice->count];
        err = inputs->next(inputs->user, slice->pool, input, &walk->is_at_end, walk->e);
        if (err != IM_OK || walk->is_at_end)
            break;
        struct im_line *line = &slice->lines[slice->count++];
        line->input = input;
        if (input->bad)
            line->result = im_bad_row(input);
    }
    return err;
}

static enum im_err begin_resolving(struct im_slice *slice) {
    struct im_walk *walk = slice->walk;
    struct im_identity *identities = im_pool_array(slice->pool, slice->count, sizeof *identities);
    if (!identities)
        return im_error_nomem(walk->e);
    for (size_t i = 0; i < slice->count; i++)
        identities[i] = slice->inputs[i].identity;
    slice->stage = IM_STAGE_READING;
    enum im_err err = im_resolve_begin(&walk->run->resolver, identities, slice->count, slice->pool, &slice->lookups,
                                       &slice->resolving, walk->e);
    return err == IM_OK && walk->run->early ? im_early_take(walk->run->early, &slice->lookups, walk->e) : err;
}

enum im_err im_slice_begin(struct im_walk *walk, struct im_slice **out) {
    struct im_slice *slice = NULL;
    enum im_err err = new_slice(walk, &slice);
    if (err == IM_OK)
        err = read_inputs(slice);
    if (err == IM_OK && slice->count)
        err = begin_resolving(slice);
    if (slice && !slice->count)
        im_slice_free(&slice);
    *out = slice; /* also after an error: its lines are to be reported */
    return err;
}

static void leave_ledger(struct im_slice *slice) {
    struct im_ledger *ledger = &slice->walk->ledger;
    for (size_t i = 0; i < slice->job_count; i++) {
        struct im_job *job = &slice->jobs[i];
        im_ledger_leave(ledger, job->key, job->result.outcome, job->result.reason);
        if (slice->walk->run->dry_run) /* nothing is written: the claims are all there is */
            continue;
        im_ledger_forget(ledger, job->wants, job->number);
        im_ledger_forget(ledger, job->gives, job->number);
    }
}

void im_slice_free(struct im_slice **slice) {
    if (!slice || !*slice)
        return;
    leave_ledger(*slice);
    im_lookups_free(&(*slice)->lookups);
    im_pool_free(&(*slice)->pool);
    free(*slice);
    *slice = NULL;
}

/* ---- stages ---- */

static void take_reread(struct im_slice *slice) {
    for (size_t i = 0; i < slice->round_count; i++) {
        struct im_job *job = slice->round[i];
        if (job->state == IM_JOB_SETTLED)
            continue;
        job->state = IM_JOB_READY;
        if (slice->reread[i]) {
            job->account.entry = slice->reread[i];
            continue;
        }
        job->leaves_class = false;
        im_job_settle(job, IM_CONFLICT, "the entry was deleted by somebody else in the meantime");
    }
}

/* "Nobody" must not mean "nothing can be seen". Nothing else is in flight: later slices wait for the first. */
static enum im_err check_first(struct im_slice *slice) {
    struct im_walk *walk = slice->walk;
    bool is_asked = false;
    for (size_t i = 0; i < slice->count; i++)
        is_asked = is_asked || !slice->inputs[i].bad;
    if (walk->has_begun)
        return IM_OK;
    walk->has_begun = true;
    return is_asked && !walk->seen ? im_resolve_any(&walk->run->resolver, walk->e) : IM_OK;
}

/* The global catalog is another connection: it is asked at once. */
static enum im_err ask_catalog(struct im_slice *slice) {
    struct im_walk *walk = slice->walk;
    const struct im_lookups *l = &slice->lookups;
    struct im_error inner = {.code = IM_OK};
    enum im_err err = im_lookup_all(l->directory, l->items, l->count, l->fn, l->user, &inner);
    if (err == IM_E_LOST && im_directory_reopen(l->directory, NULL) == IM_OK) {
        for (size_t i = 0; i < l->count; i++)
            l->items[i].state = IM_LOOKUP_WAITS;
        im_error_clear(&inner);
        err = im_lookup_all(l->directory, l->items, l->count, l->fn, l->user, &inner);
    }
    if (err != IM_OK && walk->e && walk->e->code == IM_OK)
        *walk->e = inner;
    return err;
}

/* Who is not written takes no address from anybody: what two accounts have in common already, an audit finds. */
static bool asks_for_holders(const struct im_job *job) {
    enum im_action action = job->slice->walk->request.action;
    bool is_judged_only = action == IM_PREFLIGHT || action == IM_LOOK;
    return job->state != IM_JOB_SETTLED && (is_judged_only || job->plan.step_count > 0);
}

static enum im_err begin_holding(struct im_slice *slice) {
    struct im_walk *walk = slice->walk;
    size_t count = 0;
    slice->accounts = im_pool_array(slice->pool, slice->round_count, sizeof(struct im_account *));
    slice->wants = im_pool_array(slice->pool, slice->round_count, sizeof(struct im_want *));
    slice->holders = im_pool_array(slice->pool, slice->round_count, sizeof *slice->holders);
    if (!slice->accounts || !slice->wants || !slice->holders)
        return im_error_nomem(walk->e);
    for (size_t i = 0; i < slice->round_count; i++) {
        const struct im_job *job = slice->round[i];
        if (!asks_for_holders(job))
            continue;
        slice->accounts[count] = &job->account;
        slice->wants[count++] = &job->want;
    }
    slice->stage = IM_STAGE_HOLDING;
    enum im_err err = im_holders_begin(&walk->run->resolver, slice->accounts, slice->wants, count, slice->pool, slice->holders,
                                       &slice->lookups, walk->e);
    if (err != IM_OK || !walk->run->resolver.gc)
        return err;
    err = ask_catalog(slice);
    slice->lookups.count = 0;
    slice->lookups.done = 0;
    return err;
}

static void take_holders(struct im_slice *slice) {
    size_t count = 0;
    for (size_t i = 0; i < slice->round_count; i++) {
        if (asks_for_holders(slice->round[i]))
            slice->round[i]->holders = slice->holders[count++];
    }
}

static enum im_err end_reading(struct im_slice *slice) {
    im_lookups_free(&slice->lookups);
    enum im_err err = IM_OK;
    if (slice->is_planned) {
        take_reread(slice);
    } else {
        err = im_identify(slice, im_resolve_end(slice->resolving));
    }
    if (err == IM_OK)
        err = check_first(slice);
    if (err == IM_OK)
        err = im_prepare_wants(slice);
    return err == IM_OK ? begin_holding(slice) : err;
}

/* ---- a change that met another one ---- */

/* The entry is as it was: then the server's refusal has another cause than somebody's change. */
static bool same_plan(const struct im_plan *a, const struct im_plan *b) {
    bool is_same = a->diff_count == b->diff_count && a->step_count == b->step_count;
    for (size_t i = 0; is_same && i < a->diff_count; i++) {
        const struct im_plan_diff *x = &a->diffs[i];
        const struct im_plan_diff *y = &b->diffs[i];
        is_same = strcmp(x->attribute, y->attribute) == 0 &&
                  im_values_equal(x->before, x->before_count, y->before, y->before_count) &&
                  im_values_equal(x->after, x->after_count, y->after, y->after_count);
    }
    return is_same && a->step_count && strcmp(a->steps[0].dn, b->steps[0].dn) == 0;
}

static void judge_again(struct im_job *job, bool was_halfway) {
    if (job->state == IM_JOB_SETTLED)
        return;
    if (!job->is_unknown && !was_halfway && same_plan(&job->sent, &job->plan)) {
        im_write_refused(job);
    } else {
        im_write_forget(job);
    }
}

static enum im_err end_holding(struct im_slice *slice) {
    im_lookups_free(&slice->lookups);
    take_holders(slice);
    enum im_err err = im_prepare_plans(slice);
    for (size_t i = 0; err == IM_OK && slice->is_planned && i < slice->round_count; i++)
        judge_again(slice->round[i], slice->round[i]->leaves_class);
    slice->is_planned = true;
    slice->stage = IM_STAGE_WRITING;
    return err == IM_OK ? im_write_begin(slice) : err;
}

/* What met somebody else's change becomes the next round. */
static enum im_err begin_round(struct im_slice *slice) {
    struct im_walk *walk = slice->walk;
    size_t count = 0;
    for (size_t i = 0; i < slice->round_count; i++) {
        struct im_job *job = slice->round[i];
        if (job->state != IM_JOB_MET)
            continue;
        if (!job->is_unknown && ++job->attempts > IM_PLAN_AGAIN)
            im_job_settle(job, IM_CONFLICT, MET_EACH_TIME);
        if (job->state == IM_JOB_SETTLED && !job->leaves_class)
            continue;
        job->place = count;
        slice->round[count++] = job;
    }
    slice->round_count = count;
    slice->next = count;
    if (!count)
        return IM_OK;
    const struct im_account **accounts = im_pool_array(slice->pool, count, sizeof(struct im_account *));
    slice->reread = im_pool_array(slice->pool, count, sizeof(struct im_entry *));
    if (!accounts || !slice->reread)
        return im_error_nomem(walk->e);
    for (size_t i = 0; i < count; i++)
        accounts[i] = &slice->round[i]->account;
    slice->stage = IM_STAGE_READING;
    return im_reread_begin(&walk->run->resolver, accounts, count, slice->pool, slice->reread, &slice->lookups, walk->e);
}

static bool is_turn(const struct im_slice *slice) {
    const struct im_walk *walk = slice->walk;
    for (size_t i = 0; i < walk->slice_count && walk->slices[i] != slice; i++) {
        if (!walk->slices[i]->is_planned)
            return false;
    }
    return true;
}

static bool has_met(const struct im_slice *slice) {
    for (size_t i = 0; i < slice->round_count; i++) {
        if (slice->round[i]->state == IM_JOB_MET)
            return true;
    }
    return false;
}

/* Whoever is done stays so. */
bool im_slice_is_done(struct im_slice *slice) {
    if (slice->stage != IM_STAGE_WRITING || slice->in_flight || slice->next < slice->round_count)
        return false;
    slice->is_done = slice->is_done || !has_met(slice);
    return slice->is_done;
}

enum im_err im_slice_advance(struct im_slice *slice) {
    enum im_err err = IM_OK;
    for (;;) {
        if (slice->stage == IM_STAGE_WRITING) {
            if (im_slice_is_done(slice) || slice->in_flight || slice->next < slice->round_count)
                return err;
            err = begin_round(slice);
        } else if (!im_lookups_are_done(&slice->lookups) || !is_turn(slice)) {
            return err;
        } else {
            err = slice->stage == IM_STAGE_READING ? end_reading(slice) : end_holding(slice);
        }
        if (err != IM_OK)
            return err;
    }
}
