/* Sends what is planned, several changes at a time but never two to one entry, and deals with what comes back. */
#include "lib/engine/job.h"

#include "lib/directory/ldap_error.h"

#include <string.h>

/* A slice is finished, conflicts and all, before the next begins. */
enum { WINDOW = 16, SLICE = 256 };

#define HALF_DONE "the connection ended after the first of two steps: run the command again to finish it"
#define UNKNOWN_STATE                                                                                                            \
    "the connection ended before the answer came, so that it is not known whether the change was made: run the command again"

struct executing {
    struct im_walk *walk;
    struct im_job **again; /* whose change met another one */
    size_t again_count;
    size_t in_flight;
    bool is_lost;    /* the connection */
    enum im_err err; /* the first error that ends the run; what is in flight is still waited for */
    struct im_error *e;
};

static void fail(struct executing *x, enum im_err err) {
    if (x->err == IM_OK)
        x->err = err;
}

/* ---- sending ---- */

static void send_step(struct executing *x, struct im_job *job) {
    const struct im_run *run = x->walk->run;
    enum im_err err = im_directory_start_modify(run->resolver.directory, &job->plan.steps[job->step], job, x->e);
    if (err != IM_OK) {
        x->is_lost = true;
        fail(x, err);
        if (job->step)
            im_job_settle(job, IM_FAILED, HALF_DONE);
        return;
    }
    x->walk->wrote = true;
    job->is_in_flight = true;
    x->in_flight++;
}

/* Whatever else happened, a class that was added for values that cannot follow is taken back. Nothing is in flight for the entry.
 */
static void take_class_back(struct executing *x, struct im_job *job) {
    const struct im_run *run = x->walk->run;
    struct im_error inner = {.code = IM_OK};
    if (!job->leaves_class || x->is_lost)
        return;
    job->leaves_class = false;
    enum im_err err = im_directory_modify(run->resolver.directory, &job->rollback, NULL, &inner);
    if (err == IM_OK && run->on_change)
        err = run->on_change(run->user, &job->rollback, &inner);
    if (err == IM_OK || err == IM_E_CONFLICT || err == IM_E_NOT_FOUND || err == IM_E_SERVER)
        return; /* the class is gone, or the server keeps it: then the next run finishes the account */
    x->is_lost = err == IM_E_LOST || err == IM_E_TIMEOUT;
    if (x->e && x->e->code == IM_OK)
        *x->e = inner;
    fail(x, err);
}

/* ---- answers ---- */

static void remember_answer(struct executing *x, struct im_job *job, const struct im_answer *answer) {
    job->result.ldap_code = answer->code;
    job->result.ldap_name = im_ldap_code_name(answer->code);
    job->result.ldap_diagnostic = im_pool_strdup(x->walk->pool, answer->diagnostic);
    if (!job->result.ldap_diagnostic)
        fail(x, im_error_nomem(x->e));
}

static void settle_failed(struct executing *x, struct im_job *job, const struct im_answer *answer) {
    struct im_buf words = IM_BUF_INIT;
    remember_answer(x, job, answer);
    im_ldap_explain(answer->code, answer->diagnostic, &words);
    const char *message = words.failed ? NULL : im_pool_strdup(x->walk->pool, im_buf_str(&words));
    im_buf_free(&words);
    if (!message)
        fail(x, im_error_nomem(x->e));
    im_job_settle(job, IM_FAILED, message);
}

static void forget_answer(struct im_job *job) {
    job->result.ldap_code = -1;
    job->result.ldap_name = NULL;
    job->result.ldap_diagnostic = NULL;
}

static void step_done(struct executing *x, struct im_job *job) {
    const struct im_run *run = x->walk->run;
    const struct im_change *change = &job->plan.steps[job->step++];
    enum im_err err = run->on_change ? run->on_change(run->user, change, x->e) : IM_OK;
    job->leaves_class = job->plan.step_count == IM_PLAN_STEPS && job->step == 1;
    if (job->leaves_class)
        job->rollback = job->plan.rollback;
    if (job->step == job->plan.step_count) {
        im_job_settle(job, IM_CHANGED, job->result.message);
    } else {
        send_step(x, job); /* also when the run is to stop: an account is never left between two steps */
    }
    if (err != IM_OK)
        fail(x, err);
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

static void take_answer(struct executing *x, struct im_job *job, const struct im_answer *answer) {
    job->is_in_flight = false;
    x->in_flight--;
    if (answer->code == 0) {
        step_done(x, job);
        return;
    }
    if (may_be_conflict(answer->code)) {
        remember_answer(x, job, answer);
    } else {
        settle_failed(x, job, answer);
    }
    x->again[x->again_count++] = job; /* also a failure: a class may have to be taken back, once nothing is in flight */
}

/* Waits for one answer. False: the connection is gone, and with it what was in flight. */
static bool wait_for_answer(struct executing *x) {
    struct im_event event;
    enum im_err err = im_directory_next(x->walk->run->resolver.directory, &event, x->e);
    if (err != IM_OK) {
        x->is_lost = true;
        fail(x, err);
        return false;
    }
    if (event.kind == IM_EVENT_DONE)
        take_answer(x, event.token, &event.answer);
    return true;
}

static void settle_unknown(struct executing *x) {
    for (size_t i = 0; i < x->walk->job_count; i++) {
        struct im_job *job = &x->walk->jobs[i];
        if (!job->is_in_flight)
            continue;
        job->is_in_flight = false;
        im_job_settle(job, IM_FAILED, UNKNOWN_STATE);
    }
    x->in_flight = 0;
}

static void check_stop(struct executing *x) {
    if (x->err == IM_OK && im_walk_is_stopped(x->walk))
        fail(x, im_error_set(x->e, IM_E_INTERRUPTED, "stopped on request"));
}

static void send_all(struct executing *x, struct im_job *const *jobs, size_t count) {
    size_t next = 0;
    for (;;) {
        check_stop(x);
        while (x->err == IM_OK && next < count && x->in_flight < WINDOW) {
            if (!jobs[next]->is_settled)
                send_step(x, jobs[next]);
            next++;
        }
        if (!x->in_flight)
            return;
        if (!wait_for_answer(x)) {
            settle_unknown(x);
            return;
        }
        enum im_err err = im_report_ready(x->walk, x->e);
        if (err != IM_OK)
            fail(x, err);
    }
}

/* ---- somebody else was quicker ---- */

static bool same_values(const struct berval *a, size_t a_count, const struct berval *b, size_t b_count) {
    bool is_same = a_count == b_count;
    for (size_t i = 0; is_same && i < a_count; i++)
        is_same = im_value_equal(&a[i], &b[i]);
    return is_same;
}

/* The entry is as it was: then the server's refusal has another cause than somebody's change. */
static bool same_plan(const struct im_plan *a, const struct im_plan *b) {
    bool is_same = a->diff_count == b->diff_count && a->step_count == b->step_count;
    for (size_t i = 0; is_same && i < a->diff_count; i++) {
        const struct im_plan_diff *x = &a->diffs[i];
        const struct im_plan_diff *y = &b->diffs[i];
        is_same = strcmp(x->attribute, y->attribute) == 0 &&
                  same_values(x->before, x->before_count, y->before, y->before_count) &&
                  same_values(x->after, x->after_count, y->after, y->after_count);
    }
    return is_same && a->step_count && strcmp(a->steps[0].dn, b->steps[0].dn) == 0;
}

/* Reads and plans again; *sends: there is something to send now. */
static void plan_again(struct executing *x, struct im_job *job, bool *sends) {
    struct im_walk *walk = x->walk;
    const struct im_entry *entry = NULL;
    struct im_plan before = job->plan;
    bool was_halfway = job->leaves_class;
    if (++job->attempts > IM_PLAN_AGAIN) {
        im_job_settle(job, IM_CONFLICT,
                      "somebody else changed the entry each of the times that it was read and written: run the command again");
        return;
    }
    enum im_err err = im_resolve_again(&walk->run->resolver, &job->account, walk->pool, &entry, x->e);
    if (err == IM_OK && !entry) {
        im_job_settle(job, IM_CONFLICT, "the entry was deleted by somebody else in the meantime");
        job->leaves_class = false;
        return;
    }
    struct im_answer answer = {.code = job->result.ldap_code, .diagnostic = job->result.ldap_diagnostic};
    job->account.entry = entry;
    if (err == IM_OK) {
        forget_answer(job);
        err = im_prepare(walk, (struct im_job *const[]){job}, 1, false, x->e);
    }
    if (err != IM_OK) {
        fail(x, err);
    } else if (!job->is_settled && !was_halfway && same_plan(&before, &job->plan)) {
        settle_failed(x, job, &answer);
    }
    *sends = err == IM_OK && !job->is_settled;
}

/* Plans the jobs again whose change met another one; gives those that are to be sent. Nothing is in flight here. */
static size_t sort_out(struct executing *x, struct im_job **list) {
    size_t count = 0;
    for (size_t i = 0; i < x->again_count; i++) {
        struct im_job *job = x->again[i];
        bool sends = false;
        if (!job->is_settled && x->err == IM_OK)
            plan_again(x, job, &sends);
        if (sends) {
            list[count++] = job;
        } else if (!job->is_settled || (job->result.outcome != IM_UNCHANGED && job->result.outcome != IM_CHANGED)) {
            take_class_back(x, job);
        }
    }
    x->again_count = 0;
    return count;
}

static void deal_with_conflicts(struct executing *x) {
    struct im_job *list[SLICE];
    while (x->again_count) {
        size_t count = sort_out(x, list);
        send_all(x, list, count);
    }
}

enum im_err im_execute(struct im_walk *walk, struct im_error *e) {
    struct im_job *again[SLICE];
    struct im_job *slice[SLICE];
    struct executing x = {.walk = walk, .again = again, .e = e};
    for (size_t at = 0; at < walk->job_count && x.err == IM_OK;) {
        size_t count = 0;
        for (; at < walk->job_count && count < SLICE; at++) {
            if (!walk->jobs[at].is_settled)
                slice[count++] = &walk->jobs[at];
        }
        send_all(&x, slice, count);
        deal_with_conflicts(&x);
        enum im_err err = x.err == IM_OK ? im_report_ready(walk, e) : IM_OK;
        if (err != IM_OK)
            fail(&x, err);
    }
    return x.err;
}
