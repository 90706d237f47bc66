/* Sends what is planned, several changes at a time but never two to one entry, and deals with what comes back. */
#include "lib/engine/job.h"

#include "lib/directory/ldap_error.h"

#include <string.h>

enum { BUSY_MOST = 30 };

#define HALF_DONE "the run ended after the first of two steps: run the command again to finish it"
#define UNKNOWN_STATE                                                                                                            \
    "the connection ended before the answer came, so that it is not known whether the change was made: run the command again"

/* ---- settling ---- */

/* Whatever else happened, a class that was added for values that do not follow is taken back. */
static bool must_take_back(const struct im_job *job) {
    return job->state == IM_JOB_SETTLED && job->leaves_class && job->result.outcome != IM_UNCHANGED &&
           job->result.outcome != IM_CHANGED;
}

static void send_later(struct im_job *job) {
    struct im_slice *slice = job->slice;
    job->state = IM_JOB_READY;
    if (job->place < slice->next)
        slice->next = job->place;
}

void im_write_settle(struct im_job *job, enum im_outcome outcome, const char *message) {
    im_job_settle(job, outcome, message);
    if (!must_take_back(job))
        return;
    job->takes_back = true;
    send_later(job);
}

static void remember_answer(struct im_job *job, const struct im_answer *answer) {
    struct im_walk *walk = job->slice->walk;
    job->result.ldap_code = answer->code;
    job->result.ldap_name = im_ldap_code_name(answer->code);
    job->result.ldap_diagnostic = im_pool_strdup(job->slice->pool, answer->diagnostic);
    if (!job->result.ldap_diagnostic)
        im_walk_fail(walk, im_error_nomem(walk->e));
}

void im_write_refused(struct im_job *job) {
    struct im_walk *walk = job->slice->walk;
    struct im_buf words = IM_BUF_INIT;
    im_ldap_explain(job->result.ldap_code, job->result.ldap_diagnostic, &words);
    const char *message = words.failed ? NULL : im_pool_strdup(job->slice->pool, im_buf_str(&words));
    im_buf_free(&words);
    if (!message)
        im_walk_fail(walk, im_error_nomem(walk->e));
    im_write_settle(job, IM_FAILED, message);
}

void im_write_forget(struct im_job *job) {
    job->result.ldap_code = -1;
    job->result.ldap_name = NULL;
    job->result.ldap_diagnostic = NULL;
}

/* ---- answers ---- */

static enum im_err send_job(struct im_job *job);

static void tell_change(struct im_job *job, const struct im_change *change) {
    struct im_walk *walk = job->slice->walk;
    if (walk->run->on_change)
        im_walk_fail(walk, walk->run->on_change(walk->run->user, change, walk->e));
}

static void step_done(struct im_job *job) {
    tell_change(job, &job->plan.steps[job->step++]);
    job->leaves_class = job->plan.step_count == IM_PLAN_STEPS && job->step == 1;
    if (job->leaves_class)
        job->rollback = job->plan.rollback;
    if (job->step == job->plan.step_count) {
        im_write_settle(job, IM_CHANGED, job->result.message);
        return;
    }
    /* Also when the run is to stop: an account is never left between two steps. */
    job->state = IM_JOB_READY;
    if (send_job(job) != IM_OK)
        send_later(job);
}

/* The class is gone, or the server keeps it: then the next run finishes the account. */
static void taken_back(struct im_job *job, const struct im_answer *answer) {
    job->takes_back = false;
    job->leaves_class = false;
    job->state = IM_JOB_SETTLED;
    if (answer->code == 0)
        tell_change(job, &job->rollback);
}

/* Codes that a server gives where somebody else changed the entry in between. They may have other causes: only reading the entry
 * again can tell. */
static bool may_be_conflict(int code) {
    static const int codes[] = {
        16,  /* noSuchAttribute: the value to be replaced is gone */
        19,  /* constraintViolation: a second value of a single-valued attribute (slapd) */
        20,  /* attributeOrValueExists: the same elsewhere, or the value itself is there */
        32,  /* noSuchObject: renamed or deleted */
        65,  /* objectClassViolation: the class was taken away */
        68,  /* entryAlreadyExists: Samba's word for an existing DN value */
        122, /* assertionFailed */
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i] == code)
            return true;
    }
    return false;
}

static bool is_busy(struct im_job *job, const struct im_answer *answer) {
    struct im_walk *walk = job->slice->walk;
    if (!im_ldap_is_busy(answer->code) || job->busy >= BUSY_MOST)
        return false;
    job->busy++;
    im_tempo_busy(&walk->tempo, im_directory_now_ms(walk->run->resolver.directory));
    send_later(job);
    return true;
}

static enum im_err take_answer(void *token, const struct im_event *event, struct im_error *e) {
    struct im_job *job = token;
    struct im_walk *walk = job->slice->walk;
    const struct im_answer *answer = &event->answer;
    (void)e;
    job->slice->in_flight--;
    if (is_busy(job, answer)) {
        walk->changes_in_flight--;
        return IM_OK;
    }
    im_tempo_answered(&walk->tempo, walk->changes_in_flight--, im_directory_now_ms(walk->run->resolver.directory));
    job->busy = 0;
    if (job->takes_back) {
        taken_back(job, answer);
    } else if (answer->code == 0) {
        step_done(job);
    } else {
        remember_answer(job, answer);
        job->state = IM_JOB_MET;
        if (!may_be_conflict(answer->code))
            im_write_refused(job);
    }
    return IM_OK;
}

/* ---- sending ---- */

static enum im_err send_job(struct im_job *job) {
    struct im_walk *walk = job->slice->walk;
    const struct im_change *change = job->takes_back ? &job->rollback : &job->plan.steps[job->step];
    job->token.take = take_answer;
    enum im_err err = im_directory_start_modify(walk->run->resolver.directory, change, job, walk->e);
    if (err != IM_OK)
        return err;
    im_tempo_sent(&walk->tempo);
    walk->wrote = true;
    job->state = IM_JOB_IN_FLIGHT;
    job->slice->in_flight++;
    walk->changes_in_flight++;
    return IM_OK;
}

/* When the run is to end, only what is between two steps is still sent. */
static bool is_sent(const struct im_job *job) {
    return job->state == IM_JOB_READY && (job->slice->walk->err == IM_OK || job->takes_back || job->step > 0);
}

enum im_err im_write_some(struct im_slice *slice, int64_t now_ms, int64_t *wait_ms) {
    struct im_walk *walk = slice->walk;
    for (; slice->next < slice->round_count; slice->next++) {
        struct im_job *job = slice->round[slice->next];
        if (!is_sent(job))
            continue;
        if (!im_tempo_allows(&walk->tempo, walk->changes_in_flight, now_ms, wait_ms))
            return IM_OK;
        enum im_err err = send_job(job);
        if (err != IM_OK)
            return err;
    }
    return IM_OK;
}

/* ---- the journal ---- */

static enum im_err add_record(struct im_job *job) {
    struct im_walk *walk = job->slice->walk;
    const struct im_run *run = walk->run;
    struct im_record record;
    if (job->journal_id && !job->is_unknown && !job->leaves_class) /* nothing of the plan before was carried out */
        im_walk_fail(walk, im_journal_result(run->journal, job->journal_id, IM_CONFLICT, walk->e));
    im_pool_reset(walk->scratch);
    enum im_err err = im_record_of_plan(run->resolver.context, &job->account, &job->plan, walk->scratch, &record, walk->e);
    record.input = job->input->text;
    record.source = job->input->source;
    return err == IM_OK ? im_journal_add(run->journal, &record, &job->journal_id, walk->e) : err;
}

enum im_err im_write_begin(struct im_slice *slice) {
    const struct im_run *run = slice->walk->run;
    enum im_err err = IM_OK;
    bool is_any = false;
    slice->next = 0;
    for (size_t i = 0; err == IM_OK && i < slice->round_count; i++) {
        struct im_job *job = slice->round[i];
        if (must_take_back(job)) {
            job->takes_back = true;
            job->state = IM_JOB_READY;
        } else if (run->journal && (job->state == IM_JOB_READY || (run->dry_run && job->result.outcome == IM_CHANGED))) {
            err = add_record(job);
            is_any = true;
        }
        job->is_unknown = false;
    }
    return err == IM_OK && is_any && !run->dry_run ? im_journal_sync(run->journal, slice->walk->e) : err;
}

/* ---- when the run is to end ---- */

/* The journal holds no result for it: then it may have been made. */
static void settle_unknown(struct im_job *job, const char *message) {
    job->journal_id = 0;
    im_job_settle(job, IM_FAILED, message);
}

void im_write_stop(struct im_slice *slice, const char *why) {
    for (size_t i = 0; i < slice->round_count; i++) {
        struct im_job *job = slice->round[i];
        if (job->state != IM_JOB_MET)
            continue;
        im_write_forget(job);
        if (job->is_unknown) {
            settle_unknown(job, UNKNOWN_STATE);
        } else {
            im_write_settle(job, IM_NOT_ATTEMPTED, why);
        }
    }
}

/* ---- a lost connection ---- */

void im_write_lost(struct im_slice *slice) {
    for (size_t i = 0; i < slice->round_count; i++) {
        struct im_job *job = slice->round[i];
        if (job->state != IM_JOB_IN_FLIGHT)
            continue;
        slice->in_flight--;
        slice->walk->changes_in_flight--;
        if (job->takes_back) {
            send_later(job); /* once more does no harm */
            continue;
        }
        job->state = IM_JOB_MET;
        job->is_unknown = true;
    }
}

void im_write_give_up(struct im_slice *slice) {
    im_write_lost(slice);
    for (size_t i = 0; i < slice->round_count; i++) {
        struct im_job *job = slice->round[i];
        if (job->state == IM_JOB_SETTLED)
            continue;
        if (job->takes_back) {
            job->state = IM_JOB_SETTLED;
        } else if (job->is_unknown) {
            settle_unknown(job, UNKNOWN_STATE);
        } else if (job->step > 0 || job->leaves_class) {
            settle_unknown(job, HALF_DONE);
        }
    }
    slice->next = slice->round_count;
}
