/* Jobs whose change was planned before: a plan file that is carried out, or a journal that is taken back. */
#include "lib/engine/job.h"

#include "lib/base/text.h"

#include <string.h>

static bool is_undo(const struct im_job *job) {
    return job->slice->walk->request.action == IM_UNDO;
}

/* The sides of the address. */
static enum im_err split_address(struct im_job *job) {
    struct im_want *want = &job->want;
    const char *at = want->address ? strrchr(want->address, '@') : NULL;
    if (!at)
        return IM_OK;
    want->im_alias = im_pool_strndup(job->slice->pool, want->address, (size_t)(at - want->address));
    want->im_domain = im_pool_strdup(job->slice->pool, at + 1);
    return want->im_alias && want->im_domain ? IM_OK : im_error_nomem(job->slice->walk->e);
}

/* What an account has already nobody loses to it; but who is enabled is always asked about. */
static bool keeps_names(const struct im_job *job, const struct im_want *want) {
    const struct im_request *request = &job->slice->walk->request;
    bool may = request->action == IM_UNDO || request->recorded != IM_ENABLE;
    return may && want->address && im_role_equal(IM_ROLE_ADDRESS, want->address, job->account.address) &&
           im_role_equal(IM_ROLE_LOGICAL_URL, want->logical_url, job->account.logical_url);
}

enum im_err im_recorded_want(struct im_job *job) {
    struct im_walk *walk = job->slice->walk;
    const struct im_profile *profile = walk->run->resolver.context->profile;
    const struct im_record *record = job->input->record;
    struct im_want *want = &job->want;
    bool undo = is_undo(job);
    *want = (struct im_want){
        .address = im_record_target(profile, record, undo, IM_ROLE_ADDRESS),
        .logical_url = im_record_target(profile, record, undo, IM_ROLE_LOGICAL_URL),
        .physical_url = im_record_target(profile, record, undo, IM_ROLE_PHYSICAL_URL),
        .home_dn = im_record_target(profile, record, undo, IM_ROLE_HOME),
    };
    want->enabled = want->address != NULL;
    want->home = want->home_dn ? im_servers_by_dn(&walk->servers, want->home_dn) : NULL;
    want->home_host = want->home ? want->home->host : NULL;
    want->keeps_names = keeps_names(job, want);
    return split_address(job);
}

enum im_err im_recorded_plan(struct im_job *job) {
    struct im_walk *walk = job->slice->walk;
    enum im_record_fit fit;
    const char *attribute;
    enum im_err err = im_plan_record(walk->run->resolver.context, &job->account, job->input->record, is_undo(job),
                                     walk->has_assertion, job->slice->pool, &job->plan, &fit, &attribute, walk->e);
    if (err != IM_OK || fit != IM_RECORD_DIFFERS)
        return err;
    const char *message = im_pool_printf(job->slice->pool, "%s is no longer as %s: somebody else changed it since", attribute,
                                         is_undo(job) ? "the journal says it was written" : "the plan says it was");
    if (!message)
        return im_error_nomem(walk->e);
    im_job_settle(job, IM_CONFLICT, message);
    return IM_OK;
}
