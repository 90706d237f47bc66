/* From an entry to a plan: decode, want, holders, judge, plan. */
#include "lib/engine/job.h"

#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- judging ---- */

static bool is_allowed(const struct im_request *request, const struct im_rule *rule) {
    for (size_t i = 0; i < request->allow_count; i++) {
        if (strcmp(request->allow[i], rule->id) == 0)
            return true;
    }
    return false;
}

/* An address that cannot be built cannot be written, whatever the operator allows; rights do not matter where nothing is written.
 */
static bool is_lifted(const struct im_walk *walk, const struct im_job *job, const struct im_rule *rule) {
    if (strcmp(rule->id, IM_RULE_ALIAS) == 0 && job->want.cannot_build)
        return false;
    return is_allowed(&walk->request, rule);
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
static enum im_err apply_findings(struct im_walk *walk, struct im_job *job, struct im_finding *findings, size_t count,
                                  struct im_error *e) {
    struct im_finding *blocking = im_pool_array(walk->pool, count, sizeof *blocking);
    size_t blocked = 0;
    size_t lifted = 0;
    if (!blocking)
        return im_error_nomem(e);
    for (size_t i = 0; i < count; i++) {
        if (is_moot(job, findings[i].rule))
            continue;
        if (is_lifted(walk, job, findings[i].rule)) {
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
    const char *message = join_messages(walk->pool, blocked ? "" : "allowed although ", r->findings, r->finding_count);
    if (!message)
        return im_error_nomem(e);
    r->reason = r->findings[0].rule->id;
    r->message = message;
    if (blocked)
        im_job_settle(job, IM_REFUSED, message);
    return IM_OK;
}

static struct im_facts facts_of(const struct im_walk *walk, const struct im_job *job) {
    return (struct im_facts){
        .context = walk->run->resolver.context,
        .account = &job->account,
        .want = &job->want,
        .servers = &walk->servers,
        .holders = job->holders.items,
        .holder_count = job->holders.count,
    };
}

/* Nothing blocks disabling but missing rights. */
static enum im_err judge_disabling(struct im_walk *walk, struct im_job *job, struct im_error *e) {
    struct im_facts facts = facts_of(walk, job);
    struct im_finding *finding = im_pool_alloc(walk->pool, sizeof *finding);
    struct im_buf message = IM_BUF_INIT;
    struct im_buf remedy = IM_BUF_INIT;
    if (!finding)
        return im_error_nomem(e);
    finding->rule = im_rule_find(IM_RULE_RIGHTS);
    bool fires = finding->rule && finding->rule->check(&facts, &message, &remedy) == IM_FIRES;
    finding->message = im_pool_strdup(walk->pool, im_buf_str(&message));
    finding->remedy = finding->rule ? finding->rule->remedy : NULL;
    bool failed = message.failed || !finding->message;
    im_buf_free(&message);
    im_buf_free(&remedy);
    return failed ? im_error_nomem(e) : apply_findings(walk, job, finding, fires, e);
}

static enum im_err judge(struct im_walk *walk, struct im_job *job, struct im_error *e) {
    struct im_finding *findings = NULL;
    size_t count = 0;
    if (walk->request.action == IM_DISABLE)
        return judge_disabling(walk, job, e);
    struct im_facts facts = facts_of(walk, job);
    enum im_err err = im_rules_judge(&facts, IM_BLOCKS_ENABLE, walk->pool, &findings, &count, e);
    if (err == IM_OK)
        err = apply_findings(walk, job, findings, count, e);
    if (err == IM_OK && !job->is_settled && job->want.cannot_build) { /* a profile without that rule */
        job->result.reason = IM_RULE_ALIAS;
        im_job_settle(job, IM_REFUSED, job->want.cannot_build);
    }
    return err;
}

/* ---- planning ---- */

/* What an account has when it is not changed, for the report. */
static void show_present(const struct im_walk *walk, struct im_job *job) {
    const struct im_server *home = im_servers_by_dn(&walk->servers, job->account.home);
    job->result.address = job->account.address;
    job->result.home = home ? home->name : job->account.home;
}

static void show_wanted(struct im_job *job) {
    job->result.address = job->want.enabled ? job->want.address : NULL;
    job->result.home = !job->want.enabled ? NULL : job->want.home ? job->want.home->name : job->want.home_dn;
}

static void uncount_home(struct im_job *job) {
    if (job->counted_at)
        job->counted_at->users--;
    job->counted_at = NULL;
}

/* The next account that is homed by load must see this one. */
static void count_home(struct im_walk *walk, struct im_job *job) {
    uncount_home(job);
    if (!job->want.home || im_servers_by_dn(&walk->servers, job->account.home) == job->want.home)
        return;
    struct im_server *server = &walk->servers.items[job->want.home - walk->servers.items];
    if (server->users < 0)
        return;
    server->users++;
    job->counted_at = server;
}

static enum im_err plan(struct im_walk *walk, struct im_job *job, struct im_error *e) {
    const struct im_run *run = walk->run;
    if (job->want.cannot_build)
        return IM_OK;
    enum im_err err = im_plan_make(run->resolver.context, &job->account, &job->want, walk->request.keep_opaque,
                                   walk->has_assertion, walk->pool, &job->plan, e);
    job->step = 0;
    return err;
}

static enum im_err decode(struct im_walk *walk, struct im_job *job, const struct im_request *request, struct im_error *e) {
    const struct im_account_context *context = walk->run->resolver.context;
    const struct im_entry *entry = job->account.entry;
    enum im_err err = im_account_decode(context, entry, walk->pool, &job->account, e);
    job->result.dn = job->account.dn;
    job->result.account = job->account.name;
    if (err == IM_OK)
        err = im_want_build(context, &job->account, request, &walk->servers, walk->pool, &job->want, e);
    if (err != IM_OK) {
        if (err != IM_E_USAGE) /* an unclear home or domain is nothing about this account */
            im_error_where(e, entry->dn);
        return err;
    }
    job->plan = (struct im_plan){0};
    job->holders = (struct im_holders){0};
    if (request->action == IM_ENABLE)
        err = judge(walk, job, e); /* who is refused already takes no place at a home */
    if (err == IM_OK && !job->is_settled)
        count_home(walk, job);
    return err;
}

static enum im_err find_holders(struct im_walk *walk, struct im_job *const *jobs, size_t count, struct im_error *e) {
    struct im_account *accounts = im_pool_array(walk->pool, count, sizeof *accounts);
    struct im_want *wants = im_pool_array(walk->pool, count, sizeof *wants);
    struct im_holders *holders = im_pool_array(walk->pool, count, sizeof *holders);
    if (!accounts || !wants || !holders)
        return im_error_nomem(e);
    for (size_t i = 0; i < count; i++) {
        accounts[i] = jobs[i]->account;
        wants[i] = jobs[i]->want;
    }
    enum im_err err = im_resolve_holders(&walk->run->resolver, accounts, wants, count, walk->pool, holders, e);
    for (size_t i = 0; err == IM_OK && i < count; i++)
        jobs[i]->holders = holders[i];
    return err;
}

/* ---- two accounts of one run that want the same address ---- */

struct claim {
    const char *key; /* folded */
    struct im_job *job;
};

static int by_key(const void *a, const void *b) {
    const struct claim *x = a;
    const struct claim *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : (x->job > y->job) - (x->job < y->job);
}

static const char *fold(const char *text, struct im_pool *pool) {
    struct im_buf folded = IM_BUF_INIT;
    im_text_fold(text, strlen(text), &folded);
    const char *key = folded.failed ? NULL : im_pool_strdup(pool, im_buf_str(&folded));
    im_buf_free(&folded);
    return key;
}

/* Who has the address already loses it to nobody: only the others are in the way of each other, and of it. */
static bool has_claim(const struct im_job *job) {
    return job->account.address && im_role_equal(IM_ROLE_ADDRESS, job->account.address, job->want.address);
}

static enum im_err add_rivals(struct im_walk *walk, struct claim *claims, size_t count, struct im_error *e) {
    const struct im_profile_attr *attr = im_profile_role(walk->run->resolver.context->profile, IM_ROLE_ADDRESS);
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        struct im_job *job = claims[i].job;
        if (has_claim(job))
            continue;
        struct im_holder *list = im_pool_array(walk->pool, job->holders.count + count, sizeof *list);
        if (!list)
            return im_error_nomem(e);
        if (job->holders.count)
            memcpy(list, job->holders.items, job->holders.count * sizeof *list);
        for (size_t n = 0; n < count; n++) {
            if (n == i || has_claim(claims[n].job)) /* the directory has named that one */
                continue;
            const char *dn = im_pool_printf(walk->pool, "%s (for which this run wants it, too)", claims[n].job->account.dn);
            if (!dn)
                return im_error_nomem(e);
            list[job->holders.count++] =
                (struct im_holder){.dn = dn, .attribute = attr ? attr->name : "", .value = claims[n].job->want.address};
        }
        job->holders.items = list;
        err = judge(walk, job, e);
    }
    return err;
}

static enum im_err settle_rivals(struct im_walk *walk, struct im_job *const *jobs, size_t count, struct im_error *e) {
    struct claim *claims = im_pool_array(walk->pool, count, sizeof *claims);
    size_t claimed = 0;
    enum im_err err = claims ? IM_OK : im_error_nomem(e);
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        if (jobs[i]->is_settled || !jobs[i]->want.address)
            continue;
        claims[claimed] = (struct claim){.key = fold(jobs[i]->want.address, walk->pool), .job = jobs[i]};
        if (!claims[claimed++].key)
            err = im_error_nomem(e);
    }
    if (err == IM_OK && claimed)
        qsort(claims, claimed, sizeof *claims, by_key);
    for (size_t i = 0, end; err == IM_OK && i < claimed; i = end) {
        for (end = i + 1; end < claimed && strcmp(claims[i].key, claims[end].key) == 0; end++)
            ;
        if (end - i > 1)
            err = add_rivals(walk, claims + i, end - i, e);
    }
    return err;
}

/* ---- all of it ---- */

static void conclude(struct im_walk *walk, struct im_job *job) {
    if (job->is_settled) {
        uncount_home(job);
        show_present(walk, job);
        return;
    }
    show_wanted(job);
    job->result.diffs = job->plan.diffs;
    job->result.diff_count = job->plan.diff_count;
    if (!job->plan.step_count) {
        im_job_settle(job, IM_UNCHANGED, job->result.message);
    } else if (walk->run->dry_run) {
        im_job_settle(job, IM_CHANGED, job->result.message);
    }
}

enum im_err im_prepare(struct im_walk *walk, struct im_job *const *jobs, size_t count, bool rivals, struct im_error *e) {
    const struct im_request *request = &walk->request;
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < count; i++)
        err = decode(walk, jobs[i], request, e);
    if (err == IM_OK && request->action == IM_ENABLE)
        err = find_holders(walk, jobs, count, e);
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        err = plan(walk, jobs[i], e);
        if (err == IM_OK)
            err = judge(walk, jobs[i], e);
    }
    if (err == IM_OK && rivals && request->action == IM_ENABLE)
        err = settle_rivals(walk, jobs, count, e);
    for (size_t i = 0; err == IM_OK && i < count; i++)
        conclude(walk, jobs[i]);
    return err;
}
