/* From entries to plans: decode, want, holders, plan, judge. */
#include "lib/engine/job.h"

#include "lib/base/text.h"

#include <stdio.h>
#include <string.h>

/* ---- what is asked for this account ---- */

static bool is_recorded(const struct im_walk *walk) {
    return walk->request.action == IM_APPLY || walk->request.action == IM_UNDO;
}

static bool judges_only(const struct im_walk *walk) {
    return walk->request.action == IM_PREFLIGHT || walk->request.action == IM_LOOK;
}

/* The run's request with what the line asks for in its place. */
static enum im_err request_of(const struct im_job *job, struct im_request *out) {
    const struct im_walk *walk = job->slice->walk;
    const struct im_input *input = job->input;
    enum im_err err = IM_OK;
    *out = walk->request;
    if (input->home)
        out->is_target = NULL;
    if (input->domain)
        out->domain = input->domain;
    if (input->address)
        out->address = input->address;
    if (!input->home)
        return IM_OK;
    out->home = NULL;
    out->home_auto = im_text_equal(input->home, "auto");
    if (!out->home_auto)
        err = im_servers_find(&walk->servers, input->home, &out->home, walk->e);
    if (err != IM_OK && input->source)
        im_error_context(walk->e, "%s", input->source);
    return err;
}

/* ---- homes ---- */

static void uncount_home(struct im_job *job) {
    if (job->counted_at)
        job->counted_at->users--;
    if (job->left)
        job->left->users++;
    job->counted_at = job->left = NULL;
}

static struct im_server *counted(struct im_servers *servers, const struct im_server *server) {
    struct im_server *own = server ? &servers->items[server - servers->items] : NULL;
    return own && own->users >= 0 ? own : NULL;
}

/* The next account that is homed by load must see this one. */
static enum im_err count_home(struct im_job *job) {
    struct im_servers *servers = &job->slice->walk->servers;
    bool failed = false;
    const struct im_server *present = im_servers_at(servers, job->account.home, &failed);
    uncount_home(job);
    if (failed)
        return im_error_nomem(job->slice->walk->e);
    if (!job->want.home || present == job->want.home)
        return IM_OK;
    job->counted_at = counted(servers, job->want.home);
    job->left = counted(servers, present);
    if (job->left && !job->left->users)
        job->left = NULL;
    if (job->counted_at)
        job->counted_at->users++;
    if (job->left)
        job->left->users--;
    return IM_OK;
}

/* ---- wants ---- */

/* A preflight goes on where it is not clear how an account would be enabled: what it has is judged. */
static enum im_err present_want(struct im_job *job) {
    struct im_walk *walk = job->slice->walk;
    const struct im_run *run = walk->run;
    if (run->on_note && !walk->is_unclear) {
        char text[sizeof walk->e->text + 64];
        (void)snprintf(text, sizeof text, "%s; accounts without one are judged by what they have", walk->e->text);
        run->on_note(run->user, 0, text);
    }
    walk->is_unclear = true;
    im_error_clear(walk->e);
    enum im_err err =
        im_want_present(run->resolver.context, &job->account, &walk->servers, job->slice->pool, &job->want, walk->e);
    job->want.enabled = true;
    return err;
}

static enum im_err build_want(struct im_job *job) {
    struct im_walk *walk = job->slice->walk;
    struct im_request request;
    if (is_recorded(walk))
        return im_recorded_want(job);
    if (walk->request.action == IM_LOOK) {
        return im_want_agreeing(walk->run->resolver.context, &job->account, &walk->servers, job->slice->pool, &job->want,
                                walk->e);
    }
    enum im_err err = request_of(job, &request);
    if (err == IM_OK) {
        err = im_want_build(walk->run->resolver.context, &job->account, &request, &walk->servers, job->slice->pool, &job->want,
                            walk->e);
    }
    if (err == IM_E_USAGE && walk->request.action == IM_PREFLIGHT)
        return present_want(job);
    if (err != IM_OK && err != IM_E_USAGE) /* an unclear home or domain is nothing about this account */
        im_error_where(walk->e, job->account.dn);
    return err;
}

/* ---- addresses that are wanted twice ---- */

/* Who has the address already loses it to nobody: the directory names that one as the holder. */
static bool has_address(const struct im_job *job) {
    return job->account.address && im_role_equal(IM_ROLE_ADDRESS, job->account.address, job->want.address);
}

static enum im_err add_rival(struct im_job *job, const struct im_claim *claim) {
    struct im_walk *walk = job->slice->walk;
    struct im_pool *pool = job->slice->pool;
    const struct im_profile_attr *attr = im_profile_role(walk->run->resolver.context->profile, IM_ROLE_ADDRESS);
    struct im_holder *list = im_pool_array(pool, job->holders.count + 1, sizeof *list);
    const struct im_job *other = im_walk_job(walk, claim->job);
    const char *who = other ? other->account.dn : "an account before it";
    const char *what = claim->is_released ? "which gives it up in this run" : "for which this run wants it, too";
    const char *dn = im_pool_printf(pool, "%s (%s)", who, what);
    if (!list || !dn)
        return im_error_nomem(walk->e);
    if (job->holders.count)
        memcpy(list, job->holders.items, job->holders.count * sizeof *list);
    list[job->holders.count++] = (struct im_holder){.dn = dn, .attribute = attr ? attr->name : "", .value = job->want.address};
    job->holders.items = list;
    return IM_OK;
}

/* An earlier claim that is written and gone from memory was seen by the search of holders; in a dry run nothing was written. */
static bool counts(const struct im_job *job, const struct im_claim *claim) {
    const struct im_walk *walk = job->slice->walk;
    return claim->exists && (claim->is_released || walk->run->dry_run || im_walk_job(walk, claim->job));
}

static enum im_err find_keys(struct im_job *job) {
    struct im_walk *walk = job->slice->walk;
    if (job->wants) /* claimed in this round already */
        return IM_OK;
    job->wants = im_ledger_address(&walk->ledger, job->want.address);
    job->gives = job->account.address ? im_ledger_address(&walk->ledger, job->account.address) : 0;
    return job->wants && (!job->account.address || job->gives) ? IM_OK : im_error_nomem(walk->e);
}

static enum im_err claim_address(struct im_job *job) {
    struct im_walk *walk = job->slice->walk;
    struct im_claim earlier = {0}, ignored;
    if (!job->want.enabled || !job->want.address || job->want.keeps_names || has_address(job))
        return IM_OK;
    enum im_err err = find_keys(job);
    if (err == IM_OK)
        err = im_ledger_claim(&walk->ledger, job->wants, job->number, false, &earlier, walk->e);
    if (err == IM_OK && counts(job, &earlier))
        err = add_rival(job, &earlier);
    if (err == IM_OK && job->gives)
        err = im_ledger_claim(&walk->ledger, job->gives, job->number, true, &ignored, walk->e);
    return err;
}

static void unclaim(struct im_job *job) {
    im_ledger_unclaim(&job->slice->walk->ledger, job->wants, job->number);
    im_ledger_unclaim(&job->slice->walk->ledger, job->gives, job->number);
    job->wants = job->gives = 0;
}

/* ---- before the search of holders ---- */

static enum im_err make_plan(struct im_job *job) {
    struct im_walk *walk = job->slice->walk;
    if (is_recorded(walk))
        return im_recorded_plan(job);
    if (job->want.cannot_build || job->want.placing != IM_PLACED || judges_only(walk))
        return IM_OK;
    return im_plan_make(walk->run->resolver.context, &job->account, &job->want, walk->request.keep_opaque, walk->has_assertion,
                        job->slice->pool, &job->plan, walk->e);
}

/* Who is refused already, also because an earlier account of the run has the address, takes no place at a home. */
static enum im_err judge_early(struct im_job *job) {
    enum im_err err = im_judge(job);
    if (err == IM_OK && job->state != IM_JOB_SETTLED)
        err = claim_address(job);
    return err == IM_OK && job->holders.count && job->state != IM_JOB_SETTLED ? im_judge(job) : err;
}

static enum im_err prepare_want(struct im_job *job) {
    struct im_walk *walk = job->slice->walk;
    struct im_account *account = &job->account;
    const struct im_entry *entry = account->entry;
    enum im_err err = im_account_decode(walk->reader, entry, job->slice->pool, account, walk->e);
    if (err != IM_OK) {
        im_error_where(walk->e, entry->dn);
        return err;
    }
    job->result.dn = account->dn;
    job->result.ref = account->ref;
    job->result.account = account->name;
    job->sent = job->plan;
    job->plan = (struct im_plan){0};
    job->holders = (struct im_holders){0};
    uncount_home(job);
    unclaim(job); /* of the round before: what is wanted may be something else by now */
    err = build_want(job);
    if (err == IM_OK && walk->request.action == IM_MOVE)
        err = im_move_begin(job);
    if (err == IM_OK && job->state != IM_JOB_SETTLED)
        err = make_plan(job);
    if (err == IM_OK && job->state != IM_JOB_SETTLED && (walk->request.action == IM_ENABLE || walk->request.action == IM_MOVE))
        err = judge_early(job);
    return err == IM_OK && job->state != IM_JOB_SETTLED ? count_home(job) : err;
}

static enum im_err look(struct im_slice *slice) {
    const struct im_run *run = slice->walk->run;
    const struct im_account **accounts = im_pool_array(slice->pool, slice->round_count, sizeof(struct im_account *));
    size_t count = 0;
    if (!accounts)
        return im_error_nomem(slice->walk->e);
    for (size_t i = 0; i < slice->round_count; i++) {
        if (slice->round[i]->state != IM_JOB_SETTLED)
            accounts[count++] = &slice->round[i]->account;
    }
    return run->on_look(run->user, accounts, count, slice->walk->e);
}

enum im_err im_prepare_wants(struct im_slice *slice) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < slice->round_count; i++) {
        if (slice->round[i]->state != IM_JOB_SETTLED)
            err = prepare_want(slice->round[i]);
    }
    return err == IM_OK && slice->walk->run->on_look ? look(slice) : err;
}

/* ---- with all holders known ---- */

/* What an account has when it is not changed, for the report. */
static enum im_err show_present(struct im_job *job) {
    bool failed = false;
    const struct im_server *home = im_servers_at(&job->slice->walk->servers, job->account.home, &failed);
    job->result.address = job->account.address;
    job->result.home = home ? home->name : job->account.home;
    return failed ? im_error_nomem(job->slice->walk->e) : IM_OK;
}

static void show_wanted(struct im_job *job) {
    job->result.address = job->want.enabled ? job->want.address : NULL;
    job->result.home = !job->want.enabled ? NULL : job->want.home ? job->want.home->name : job->want.home_dn;
    job->result.diffs = job->plan.diffs;
    job->result.diff_count = job->plan.diff_count;
}

/* The answer was lost, and the entry is as it was to be: the change was made. */
static enum im_err settle_confirmed(struct im_job *job) {
    const struct im_run *run = job->slice->walk->run;
    enum im_err err = IM_OK;
    for (size_t i = job->step; err == IM_OK && run->on_change && i < job->sent.step_count; i++)
        err = run->on_change(run->user, &job->sent.steps[i], job->slice->walk->e);
    job->result.diffs = job->sent.diffs;
    job->result.diff_count = job->sent.diff_count;
    im_job_settle(job, IM_CHANGED, job->result.message);
    return err;
}

static enum im_err conclude(struct im_job *job) {
    if (job->state == IM_JOB_SETTLED) {
        uncount_home(job);
        unclaim(job);
        return show_present(job);
    }
    show_wanted(job);
    if (!job->plan.step_count && job->is_unknown)
        return settle_confirmed(job);
    if (!job->plan.step_count) {
        im_job_settle(job, IM_UNCHANGED, job->result.message);
    } else if (job->slice->walk->run->dry_run) {
        im_job_settle(job, IM_CHANGED, job->result.message);
    }
    return IM_OK;
}

/* What was judged early need not be again, unless somebody holds the address. */
static bool is_judged(const struct im_job *job) {
    return job->slice->walk->request.action == IM_ENABLE && !job->holders.count;
}

static enum im_err prepare_plan(struct im_job *job) {
    enum im_err err = claim_address(job);
    if (err == IM_OK && job->state != IM_JOB_SETTLED && !is_judged(job))
        err = im_judge(job);
    if (err == IM_OK)
        err = conclude(job);
    job->step = 0;
    return err;
}

enum im_err im_prepare_plans(struct im_slice *slice) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < slice->round_count; i++) {
        struct im_job *job = slice->round[i];
        bool was_settled = job->state == IM_JOB_SETTLED;
        err = was_settled ? conclude(job) : prepare_plan(job);
    }
    return err;
}
