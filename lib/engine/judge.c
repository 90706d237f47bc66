/* May it be done? The rules say, and the operator may lift some of them. */
#include "lib/engine/job.h"

#include <string.h>

static bool is_allowed(const struct im_request *request, const struct im_rule *rule) {
    for (size_t i = 0; i < request->allow_count; i++) {
        if (strcmp(request->allow[i], rule->id) == 0)
            return true;
    }
    return false;
}

/* An address that cannot be built cannot be written, whatever the operator allows; rights do not matter where nothing is written.
 */
static bool is_lifted(const struct im_job *job, const struct im_rule *rule) {
    if (strcmp(rule->id, IM_RULE_ALIAS) == 0 && job->want.cannot_build)
        return false;
    return is_allowed(&job->slice->walk->request, rule);
}

static bool is_moot(const struct im_job *job, const struct im_rule *rule) {
    return strcmp(rule->id, IM_RULE_RIGHTS) == 0 && !job->plan.step_count;
}

/* "because of A; B" in one text, in pool. */
static const char *join_messages(struct im_pool *pool, const char *front, const struct im_finding *findings, size_t count) {
    struct im_buf text = IM_BUF_INIT;
    im_buf_adds(&text, front);
    for (size_t i = 0; i < count; i++)
        im_buf_addf(&text, "%s%s", i ? "; " : "", findings[i].message);
    const char *joined = text.failed ? NULL : im_pool_strdup(pool, im_buf_str(&text));
    im_buf_free(&text);
    return joined;
}

/* Sorts the findings into those that block and those that were lifted, and settles the job where one blocks. */
static enum im_err apply_findings(struct im_job *job, struct im_finding *findings, size_t count) {
    struct im_error *e = job->slice->walk->e;
    struct im_pool *pool = job->slice->pool;
    struct im_finding *blocking = im_pool_array(pool, count, sizeof *blocking);
    size_t blocked = 0;
    size_t lifted = 0;
    if (!blocking)
        return im_error_nomem(e);
    for (size_t i = 0; i < count; i++) {
        if (is_moot(job, findings[i].rule))
            continue;
        if (is_lifted(job, findings[i].rule)) {
            findings[lifted++] = findings[i];
        } else {
            blocking[blocked++] = findings[i];
        }
    }
    struct im_result *r = &job->result;
    r->findings = blocked ? blocking : findings;
    r->finding_count = blocked ? blocked : lifted;
    r->reason = NULL;
    r->message = NULL;
    if (!blocked && !lifted)
        return IM_OK;
    const char *message = join_messages(pool, blocked ? "" : "allowed although ", r->findings, r->finding_count);
    if (!message)
        return im_error_nomem(e);
    r->reason = r->findings[0].rule->id;
    r->message = message;
    if (blocked)
        im_job_settle(job, IM_REFUSED, message);
    return IM_OK;
}

static struct im_facts facts_of(const struct im_job *job) {
    const struct im_walk *walk = job->slice->walk;
    return (struct im_facts){
        .context = walk->run->resolver.context,
        .account = &job->account,
        .want = &job->want,
        .servers = &walk->servers,
        .holders = job->holders.items,
        .holder_count = job->holders.count,
        .is_preflight = true,
    };
}

/* Evaluates one rule by its name. */
static enum im_err judge_by(struct im_job *job, const char *id) {
    struct im_error *e = job->slice->walk->e;
    struct im_pool *pool = job->slice->pool;
    struct im_facts facts = facts_of(job);
    const struct im_rule *rule = im_rule_find(id);
    struct im_finding *finding = im_pool_alloc(pool, sizeof *finding);
    enum im_verdict verdict;
    if (!finding)
        return im_error_nomem(e);
    enum im_err err = im_rule_judge(rule, &facts, pool, finding, &verdict, e);
    return err == IM_OK ? apply_findings(job, finding, verdict == IM_FIRES) : err;
}

static void refuse_unbuildable(struct im_job *job) {
    if (job->state == IM_JOB_SETTLED || !job->want.cannot_build)
        return;
    job->result.reason = IM_RULE_ALIAS;
    im_job_settle(job, IM_REFUSED, job->want.cannot_build);
}

static enum im_err judge_by_rules(struct im_job *job, unsigned blocks) {
    struct im_walk *walk = job->slice->walk;
    struct im_finding *findings = NULL;
    size_t count = 0;
    struct im_facts facts = facts_of(job);
    enum im_err err = im_rules_judge(&facts, blocks, job->slice->pool, &findings, &count, walk->e);
    if (err == IM_OK)
        err = apply_findings(job, findings, count);
    if (err == IM_OK)
        refuse_unbuildable(job); /* a profile without that rule */
    return err;
}

/* Rights that enabling would not need are no finding: it would not ask for them. */
static enum im_err drop_moot(struct im_job *job, struct im_finding *findings, size_t *count) {
    const struct im_walk *walk = job->slice->walk;
    struct im_plan plan = {.step_count = 0};
    size_t at = 0;
    while (at < *count && strcmp(findings[at].rule->id, IM_RULE_RIGHTS) != 0)
        at++;
    if (at == *count || job->want.cannot_build)
        return IM_OK;
    enum im_err err = im_plan_make(walk->run->resolver.context, &job->account, &job->want, walk->request.keep_opaque,
                                   walk->has_assertion, job->slice->pool, &plan, walk->e);
    if (err != IM_OK || plan.step_count)
        return err;
    --*count;
    memmove(&findings[at], &findings[at + 1], (*count - at) * sizeof *findings);
    return IM_OK;
}

static enum im_err judge_preflight(struct im_job *job) {
    const struct im_walk *walk = job->slice->walk;
    struct im_facts facts = facts_of(job);
    struct im_finding *findings = NULL;
    size_t count = 0;
    enum im_err err = walk->run->on_judge(walk->run->user, &facts, job->slice->pool, &findings, &count, walk->e);
    if (err == IM_OK && walk->request.action == IM_PREFLIGHT) /* whoever only looks may have findings of no rule */
        err = drop_moot(job, findings, &count);
    job->result.findings = findings;
    job->result.finding_count = count;
    if (err == IM_OK)
        im_job_settle(job, IM_UNCHANGED, NULL);
    return err;
}

static enum im_err judge_moving(struct im_job *job) {
    enum im_err err = judge_by_rules(job, IM_BLOCKS_MOVE);
    return err == IM_OK && job->state != IM_JOB_SETTLED ? im_move_judge(job) : err;
}

/* Nothing blocks disabling but missing rights. What is undone was so before: but somebody else may have the address by now. */
enum im_err im_judge(struct im_job *job) {
    const struct im_request *request = &job->slice->walk->request;
    enum im_action action = request->action == IM_APPLY ? request->recorded : request->action;
    if (action == IM_PREFLIGHT || action == IM_LOOK)
        return judge_preflight(job);
    if (action == IM_MOVE)
        return judge_moving(job);
    if (job->want.enabled && action == IM_ENABLE)
        return judge_by_rules(job, IM_BLOCKS_ENABLE);
    enum im_err err = judge_by(job, IM_RULE_RIGHTS);
    if (err == IM_OK && job->state != IM_JOB_SETTLED && job->want.enabled && !job->want.keeps_names)
        err = judge_by(job, IM_RULE_DUPLICATE);
    if (err == IM_OK)
        refuse_unbuildable(job);
    return err;
}
