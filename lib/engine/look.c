#include "lib/engine/look.h"

#include "lib/directory/homes.h"
#include "lib/model/home_remarks.h"

struct looking {
    const struct im_run *run;
    struct im_homes homes; /* those that no server is */
    im_homed_fn *fn;
    void *user;
};

/* Homes that nobody named before are looked up before the accounts are judged. */
static enum im_err look(void *user, const struct im_account *const *accounts, size_t count, struct im_error *e) {
    struct looking *l = user;
    const struct im_profile *profile = l->run->resolver.context->profile;
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        bool failed = false;
        bool is_known = im_servers_at(l->run->servers, accounts[i]->home, &failed) != NULL;
        if (failed)
            return im_error_nomem(e);
        if (accounts[i]->home && !is_known)
            err = im_homes_add(&l->homes, profile, accounts[i]->entry, e);
    }
    return err == IM_OK ? im_homes_look(l->run->resolver.directory, profile, &l->homes, e) : err;
}

/* Remarks travel as findings: an account that is not enabled has one that is no error. */
static enum im_err judge(void *user, struct im_facts *facts, struct im_pool *pool, struct im_finding **findings, size_t *count,
                         struct im_error *e) {
    struct looking *l = user;
    const char *const *remarks;
    struct im_home *home = NULL;
    enum im_err err = IM_OK;
    if (facts->account->home && !facts->want->home)
        err = im_homes_of(&l->homes, facts->context->profile, facts->account->entry, &home, e);
    facts->target = home ? home->target : IM_TARGET_UNKNOWN;
    if (err == IM_OK)
        err = im_home_remarks(facts, pool, &remarks, count, e);
    if (err != IM_OK)
        return err;
    *findings = im_pool_array(pool, *count, sizeof **findings);
    if (!*findings)
        return im_error_nomem(e);
    for (size_t i = 0; i < *count; i++)
        (*findings)[i] = (struct im_finding){.message = remarks[i], .severity = facts->account->im_count ? IM_ERROR : IM_INFO};
    return IM_OK;
}

enum { REMARKS_MOST = 64 };

static enum im_err take(void *user, const struct im_input *input, const struct im_result *r, struct im_error *e) {
    struct looking *l = user;
    const char *remarks[REMARKS_MOST];
    struct im_homed homed = {
        .input = r->input, .source = r->source, .account = r->account, .dn = r->dn, .home = r->home, .remarks = remarks};
    bool is_found = r->outcome == IM_UNCHANGED;
    (void)input;
    homed.is_enabled = is_found;
    for (size_t i = 0; i < r->finding_count && homed.remark_count < REMARKS_MOST - 1; i++) {
        homed.is_enabled = homed.is_enabled && r->findings[i].severity != IM_INFO;
        remarks[homed.remark_count++] = r->findings[i].message;
    }
    homed.agrees = homed.is_enabled && !homed.remark_count;
    if (r->message)
        remarks[homed.remark_count++] = r->message;
    return l->fn(l->user, &homed, e);
}

enum im_err im_look(const struct im_run *run, im_homed_fn *fn, void *user, struct im_summary *summary, struct im_error *e) {
    struct looking l = {.run = run, .fn = fn, .user = user};
    struct im_request request = {.action = IM_LOOK};
    struct im_run own = *run;
    bool wrote;
    enum im_err err = im_homes_begin(&l.homes, e);
    if (err != IM_OK)
        return err;
    own.request = &request;
    own.dry_run = true;
    own.on_result = take;
    own.on_change = NULL;
    own.on_progress = NULL;
    own.on_look = look;
    own.on_judge = judge;
    own.user = &l;
    err = im_run_accounts(&own, summary, &wrote, e);
    im_homes_free(&l.homes);
    return err;
}
