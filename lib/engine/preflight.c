#include "lib/engine/preflight.h"

#include "lib/base/vec.h"
#include "lib/directory/groups.h"
#include "lib/directory/targets.h"

#include <string.h>

struct flight {
    struct im_audit *audit;
    const struct im_run *asked; /* the run as the caller asked for it */
    struct im_counter *counter;
    im_preflight_fn *fn;
    void *user;
    struct {
        struct im_group_question *items; /* of the accounts that are looked at */
        size_t count, cap;
    } questions;
};

/* Those of whom only the server knows their groups. */
static enum im_err look_at_groups(struct flight *f, const struct im_account *const *accounts, size_t count, struct im_error *e) {
    im_vec_free(&f->questions);
    for (size_t i = 0; i < count; i++) {
        if (accounts[i]->admin_count != IM_YES || accounts[i]->in_protected_group != IM_UNKNOWN)
            continue;
        struct im_group_question *question = im_vec_push(&f->questions);
        if (!question)
            return im_error_nomem(e);
        question->dn = accounts[i]->dn;
    }
    return im_groups_read(f->audit->resolver.directory, f->questions.items, f->questions.count, e);
}

static enum im_tri protection_of(const struct flight *f, const struct im_account *account) {
    for (size_t i = 0; i < f->questions.count; i++) {
        if (f->questions.items[i].dn == account->dn)
            return f->questions.items[i].answer;
    }
    return account->in_protected_group;
}

/* Homes that nobody named before are looked up before the accounts are judged. */
static enum im_err look(void *user, const struct im_account *const *accounts, size_t count, struct im_error *e) {
    struct flight *f = user;
    struct im_audit *a = f->audit;
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        const char *domain;
        size_t home;
        err = im_counter_add(f->counter, accounts[i], &home, &domain, e);
        if (err == IM_OK && domain && a->on_mail_domain)
            err = a->on_mail_domain(a->user, domain, e);
        if (err == IM_OK && a->on_account)
            err = a->on_account(a->user, accounts[i], e);
    }
    if (err != IM_OK)
        return err;
    err = im_targets_read(a->resolver.directory, a->resolver.context->profile, im_counter_census(f->counter), e);
    return err == IM_OK ? look_at_groups(f, accounts, count, e) : err;
}

static enum im_err judge(void *user, struct im_facts *facts, struct im_pool *pool, struct im_finding **findings, size_t *count,
                         struct im_error *e) {
    static const struct im_judge_limits everything = {.without = 0};
    struct flight *f = user;
    const struct im_census *census = im_counter_census(f->counter);
    size_t home = im_counter_home(f->counter, facts->account);
    facts->survey = f->audit->survey;
    facts->in_protected_group = protection_of(f, facts->account);
    facts->is_named = im_choice_has(f->audit->choice, "account-not-enabled");
    if (home < census->home_count)
        facts->target = census->homes[home].target;
    *findings = im_pool_array(pool, IM_FINDINGS_MOST, sizeof **findings);
    if (!*findings)
        return im_error_nomem(e);
    return im_audit_evaluate(f->audit, facts, &everything, pool, *findings, count, e);
}

static enum im_err take(void *user, const struct im_input *input, const struct im_result *result, struct im_error *e) {
    struct flight *f = user;
    return f->fn(f->user, input, result, e);
}

static void note(void *user, int level, const char *text) {
    struct flight *f = user;
    if (f->asked->on_note)
        f->asked->on_note(f->user, level, text);
}

static void progress(void *user, size_t done, size_t failed) {
    struct flight *f = user;
    (void)failed;
    if (f->audit->on_progress)
        f->audit->on_progress(f->audit->user, done);
}

enum im_err im_preflight(struct im_audit *a, const struct im_run *run, struct im_counter *counter, im_preflight_fn *fn,
                         void *user, struct im_error *e) {
    struct flight f = {.audit = a, .asked = run, .counter = counter, .fn = fn, .user = user};
    struct im_request request = *run->request;
    struct im_run own = *run;
    struct im_summary summary;
    bool wrote;
    request.action = IM_PREFLIGHT;
    own.request = &request;
    own.dry_run = true;
    own.on_result = take;
    own.on_progress = progress;
    own.on_note = note;
    own.on_look = look;
    own.on_judge = judge;
    own.user = &f;
    enum im_err err = im_run_accounts(&own, &summary, &wrote, e);
    im_vec_free(&f.questions);
    return err;
}
