#include "lib/engine/audit.h"

#include "lib/base/vec.h"
#include "lib/data/dn.h"
#include "lib/directory/groups.h"
#include "lib/directory/lookup.h"
#include "lib/directory/parts.h"
#include "lib/directory/targets.h"
#include "lib/engine/duplicates.h"

#include <stdlib.h>
#include <string.h>

/* One walk over the accounts. */
struct walk {
    struct im_audit *audit;
    struct im_counter *counter;
    struct im_duplicates *duplicates; /* NULL: nobody asked for them */
    struct im_pool *pool;             /* of the account that is looked at */
    struct im_account_reader *reader;
    const char *const *attributes;
    const char *filter;
    bool is_second;
    bool is_elsewhere; /* accounts that only count as holders of addresses */
    bool *was_open;    /* second walk: homes, by number, that were not known in the first */
    size_t home_count;
    struct {
        struct protected_account *items; /* of which only the server knows their groups; they are few */
        size_t count, cap;
    } protected;
    size_t done;
};

struct protected_account {
    const char *name, *dn, *guid;
};

enum { PROGRESS_EVERY = 256 };

/* ---- one account ---- */

static bool needs(const struct im_audit *a, enum im_needs what) {
    for (size_t i = 0; i < a->choice->count; i++) {
        if (a->choice->items[i].rule->needs & what)
            return true;
    }
    return false;
}

static enum im_err judge_facts(struct walk *w, const struct im_facts *facts, const struct im_judge_limits *limits,
                               struct im_error *e) {
    struct im_finding found[IM_FINDINGS_MOST];
    size_t count;
    enum im_err err = im_audit_evaluate(w->audit, facts, limits, w->pool, found, &count, e);
    return err == IM_OK ? im_audit_tell(w->audit, found, count, e) : err;
}

static bool has_open_groups(const struct im_account *account) {
    return account->admin_count == IM_YES && account->in_protected_group == IM_UNKNOWN;
}

static enum im_err judge(struct walk *w, const struct im_account *account, size_t home, struct im_error *e) {
    struct im_audit *a = w->audit;
    const struct im_census *census = im_counter_census(w->counter);
    struct im_want want;
    struct im_facts facts = {.context = a->resolver.context,
                             .account = account,
                             .want = &want,
                             .servers = a->servers,
                             .target = home < census->home_count ? census->homes[home].target : IM_TARGET_UNKNOWN,
                             .survey = a->survey};
    bool is_open = account->home && facts.target == IM_TARGET_UNKNOWN;
    unsigned later = IM_NEEDS_HOLDERS | (is_open ? IM_NEEDS_TARGET : 0) | (has_open_groups(account) ? IM_NEEDS_GROUPS : 0);
    struct im_judge_limits limits = {.without = later};
    facts.in_protected_group = account->in_protected_group;
    if (w->is_second)
        limits = (struct im_judge_limits){.without = IM_NEEDS_HOLDERS | IM_NEEDS_GROUPS, .only = IM_NEEDS_TARGET};
    enum im_err err = im_want_present(a->resolver.context, account, a->servers, w->pool, &want, e);
    return err == IM_OK ? judge_facts(w, &facts, &limits, e) : err;
}

static void progress(struct walk *w) {
    if (++w->done % PROGRESS_EVERY == 0 && w->audit->on_progress)
        w->audit->on_progress(w->audit->user, w->done);
}

static enum im_err keep_protected(struct walk *w, const struct im_account *account, struct im_error *e) {
    struct protected_account *place = im_vec_push(&w->protected);
    if (!place)
        return im_error_nomem(e);
    place->name = im_pool_strdup(w->audit->pool, account->name);
    place->dn = im_pool_strdup(w->audit->pool, account->dn);
    place->guid = im_pool_strdup(w->audit->pool, account->guid);
    return place->dn && (place->name || !account->name) && (place->guid || !account->guid) ? IM_OK : im_error_nomem(e);
}

static enum im_err first_look(struct walk *w, const struct im_account *account, struct im_error *e) {
    struct im_audit *a = w->audit;
    const char *domain = NULL;
    size_t home = SIZE_MAX;
    enum im_err err = w->duplicates ? im_duplicates_meet(w->duplicates, account, e) : IM_OK;
    if (w->is_elsewhere || err != IM_OK)
        return err;
    progress(w);
    err = im_counter_add(w->counter, account, &home, &domain, e);
    if (err == IM_OK && domain && a->on_mail_domain)
        err = a->on_mail_domain(a->user, domain, e);
    if (err == IM_OK && has_open_groups(account) && needs(a, IM_NEEDS_GROUPS))
        err = keep_protected(w, account, e);
    return err == IM_OK ? judge(w, account, home, e) : err;
}

static enum im_err second_look(struct walk *w, const struct im_account *account, struct im_error *e) {
    enum im_err err = w->duplicates ? im_duplicates_collect(w->duplicates, account, !w->is_elsewhere, e) : IM_OK;
    if (err != IM_OK || w->is_elsewhere)
        return err;
    size_t home = im_counter_home(w->counter, account);
    return home < w->home_count && w->was_open[home] ? judge(w, account, home, e) : IM_OK;
}

static enum im_err take(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e) {
    struct walk *w = user;
    struct im_account account;
    const char *base = w->audit->resolver.base;
    (void)lookup;
    if (w->is_elsewhere && base && im_dn_is_under(entry->dn, base))
        return IM_OK;
    im_pool_reset(w->pool);
    enum im_err err = im_account_decode(w->reader, entry, w->pool, &account, e);
    if (err != IM_OK) {
        im_error_where(e, entry->dn);
        return err;
    }
    return w->is_second ? second_look(w, &account, e) : first_look(w, &account, e);
}

/* ---- a walk ---- */

static enum im_err search(struct walk *w, struct im_directory *d, const char *base, size_t parts, struct im_error *e) {
    const struct im_account_context *context = w->audit->resolver.context;
    struct im_search all = {
        .base = base, .scope = IM_SEARCH_SUB, .filter = w->filter, .attributes = w->attributes, .extended_dn = context->is_ad};
    return im_parts_search(d, &all, parts, take, w, e);
}

/* The base, or every domain; and for holders of addresses what lies outside of it. */
static enum im_err walk_all(struct walk *w, struct im_error *e) {
    const struct im_resolver *r = &w->audit->resolver;
    enum im_err err = IM_OK;
    w->is_elsewhere = false;
    if (r->base)
        err = search(w, r->directory, r->base, w->audit->parts, e);
    for (size_t i = 0; err == IM_OK && !r->base && r->domains[i]; i++)
        err = search(w, r->directory, r->domains[i], w->audit->parts, e);
    if (err != IM_OK || !w->duplicates || !r->base)
        return err;
    w->is_elsewhere = true;
    if (r->gc)
        return search(w, r->gc, "", 1, e);
    for (size_t i = 0; err == IM_OK && r->domains[i]; i++) {
        bool failed = false;
        bool is_done = im_home_equal(r->base, r->domains[i], &failed);
        if (failed)
            err = im_error_nomem(e);
        if (!is_done && !failed)
            err = search(w, r->directory, r->domains[i], 1, e);
    }
    return err;
}

/* ---- what only shows at the end ---- */

static enum im_err tell_duplicate(void *user, const struct im_account *who, const struct im_holder *others, size_t count,
                                  struct im_error *e) {
    struct walk *w = user;
    const struct im_want want = {.enabled = true};
    const struct im_facts facts = {.context = w->audit->resolver.context,
                                   .account = who,
                                   .want = &want,
                                   .servers = w->audit->servers,
                                   .holders = others,
                                   .holder_count = count,
                                   .survey = w->audit->survey};
    const struct im_judge_limits limits = {.only = IM_NEEDS_HOLDERS};
    im_pool_reset(w->pool);
    return judge_facts(w, &facts, &limits, e);
}

/* Which homes are still to be found out; false: none. */
static bool note_open(struct walk *w, const struct im_census *census) {
    bool any = false;
    w->home_count = census->home_count;
    w->was_open = im_pool_array(w->audit->pool, census->home_count + 1, sizeof *w->was_open);
    for (size_t i = 0; w->was_open && i < census->home_count; i++) {
        w->was_open[i] = census->homes[i].target == IM_TARGET_UNKNOWN;
        any = any || w->was_open[i];
    }
    return any;
}

static enum im_err judge_protected(struct walk *w, struct im_error *e) {
    struct im_audit *a = w->audit;
    const size_t count = w->protected.count;
    const struct im_judge_limits limits = {.without = IM_NEEDS_HOLDERS | IM_NEEDS_TARGET, .only = IM_NEEDS_GROUPS};
    struct im_group_question *questions = im_pool_array(a->pool, count + 1, sizeof *questions);
    if (!questions)
        return im_error_nomem(e);
    for (size_t i = 0; i < count; i++)
        questions[i] = (struct im_group_question){.dn = w->protected.items[i].dn};
    enum im_err err = im_groups_read(a->resolver.directory, questions, count, e);
    for (size_t i = 0; err == IM_OK && i < count; i++) {
        const struct protected_account *p = &w->protected.items[i];
        const struct im_account who = {.name = p->name, .dn = p->dn, .guid = p->guid, .im_count = 1, .admin_count = IM_YES};
        const struct im_want want = {.enabled = true};
        const struct im_facts facts = {.context = a->resolver.context,
                                       .account = &who,
                                       .want = &want,
                                       .servers = a->servers,
                                       .in_protected_group = questions[i].answer,
                                       .survey = a->survey};
        im_pool_reset(w->pool);
        err = judge_facts(w, &facts, &limits, e);
    }
    return err;
}

static enum im_err look_again(struct walk *w, struct im_error *e) {
    struct im_audit *a = w->audit;
    struct im_census *census = im_counter_census(w->counter);
    bool is_open = note_open(w, census);
    if (!w->was_open)
        return im_error_nomem(e);
    enum im_err err = is_open ? im_targets_read(a->resolver.directory, a->resolver.context->profile, census, e) : IM_OK;
    bool has_targets = is_open && needs(a, IM_NEEDS_TARGET);
    bool has_duplicates = w->duplicates && im_duplicates_any(w->duplicates);
    if (err != IM_OK || !(has_targets || has_duplicates))
        return err;
    w->is_second = true;
    err = walk_all(w, e);
    return err == IM_OK && has_duplicates ? im_duplicates_each(w->duplicates, tell_duplicate, w, e) : err;
}

static enum im_err begin(struct walk *w, struct im_error *e) {
    const struct im_account_context *context = w->audit->resolver.context;
    w->pool = im_pool_new();
    w->reader = im_account_reader_new(context, w->audit->pool);
    w->attributes = im_account_attributes(context, NULL, w->audit->pool);
    w->filter = im_filter_any_value(context->profile, w->audit->pool);
    if (needs(w->audit, IM_NEEDS_HOLDERS) && !(w->duplicates = im_duplicates_new(context->profile)))
        return im_error_nomem(e);
    return w->pool && w->reader && w->attributes && w->filter ? IM_OK : im_error_nomem(e);
}

enum im_err im_audit_accounts(struct im_audit *a, struct im_counter *counter, struct im_error *e) {
    struct walk w = {.audit = a, .counter = counter};
    enum im_err err = begin(&w, e);
    if (err == IM_OK)
        err = walk_all(&w, e);
    if (err == IM_OK && !w.done)
        err = im_resolve_any(&a->resolver, e);
    if (err == IM_OK)
        err = look_again(&w, e);
    if (err == IM_OK)
        err = judge_protected(&w, e);
    if (err == IM_OK)
        im_counter_census(counter)->is_whole = true;
    if (a->on_progress)
        a->on_progress(a->user, w.done);
    im_duplicates_free(&w.duplicates);
    im_vec_free(&w.protected);
    im_pool_free(&w.pool);
    return err;
}
