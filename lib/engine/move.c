/* Moves to another home: who cannot be moved at all, and who finds no place. */
#include "lib/engine/job.h"

static enum im_err settle(struct im_job *job, enum im_outcome outcome, const char *reason, const char *message) {
    if (!message)
        return im_error_nomem(job->slice->walk->e);
    job->result.reason = reason;
    im_job_settle(job, outcome, message);
    return IM_OK;
}

/* Was it selected by its home, and has somebody else moved it since? */
static enum im_err check_from(struct im_job *job) {
    const struct im_walk *walk = job->slice->walk;
    const struct im_home_match *from = walk->request.from;
    bool is_there = true;
    enum im_err err = IM_OK;
    if (from)
        err = im_home_matches(from, walk->run->resolver.context->profile, job->account.entry, &is_there, walk->e);
    if (err != IM_OK || is_there || job->is_unknown) /* of a lost answer the plan tells what became */
        return err;
    return settle(job, IM_UNCHANGED, NULL, im_pool_printf(job->slice->pool, "is not homed on %s any more", from->name));
}

static bool has_target(const struct im_job *job) {
    const struct im_request *r = &job->slice->walk->request;
    return job->input->home || r->home || r->is_target || r->home_auto;
}

enum im_err im_move_begin(struct im_job *job) {
    const struct im_account *a = &job->account;
    if (!a->im_count) {
        return settle(job, IM_REFUSED, IM_RULE_NOT_ENABLED,
                      "the account is not enabled for IM, so that it has no home: enable it with imenable");
    }
    if (!a->address) {
        return settle(job, IM_REFUSED, IM_RULE_PARTIAL,
                      "the account is only half enabled and has no IM address: complete it with imenable first");
    }
    if (!has_target(job))
        return settle(job, IM_UNCHANGED, NULL, "no other home is asked for");
    return check_from(job);
}

static const char *full_message(struct im_job *job) {
    const struct im_server *only = job->slice->walk->request.home;
    if (job->input->home)
        return im_pool_printf(job->slice->pool, "the home server %s has no room: its capacity is reached", job->input->home);
    if (only) {
        return im_pool_printf(job->slice->pool, "the home server %s has no room: its capacity of %ld is reached", only->name,
                              only->capacity);
    }
    return "none of the home servers has room: the capacity of each is reached";
}

/* A plan file says itself where to; its server may have gone since. */
static enum im_err check_recorded(struct im_job *job) {
    const struct im_want *w = &job->want;
    if (!job->input->record || w->home || !w->home_dn || !job->plan.step_count)
        return IM_OK;
    return settle(job, IM_REFUSED, IM_RULE_HOME,
                  im_pool_printf(job->slice->pool, "the home server %s of the plan is none that hosts users", w->home_dn));
}

enum im_err im_move_judge(struct im_job *job) {
    struct im_pool *pool = job->slice->pool;
    switch (job->want.placing) {
    case IM_PLACED:
        return check_recorded(job);
    case IM_PLACE_FULL:
        return settle(job, IM_REFUSED, IM_REASON_FULL, full_message(job));
    case IM_PLACE_NONE:
        return settle(
            job, IM_REFUSED, IM_RULE_HOME,
            im_pool_printf(pool, "none of the servers to move to hosts users and serves the IM domain %s", job->want.im_domain));
    }
    return IM_OK;
}
