#include "lib/model/record.h"

#include "lib/base/text.h"
#include "lib/model/plan_swap.h"
#include "lib/model/want.h"

#include <string.h>

#define OBJECT_CLASS "objectClass"

/* ---- from a plan ---- */

static bool is_changed(const struct im_plan *plan, const char *attribute) {
    for (size_t i = 0; i < plan->diff_count; i++) {
        if (im_text_equal(plan->diffs[i].attribute, attribute))
            return true;
    }
    return false;
}

enum im_err im_record_of_plan(const struct im_account_context *context, const struct im_account *account,
                              const struct im_plan *plan, struct im_pool *pool, struct im_record *out, struct im_error *e) {
    const struct im_profile *profile = context->profile;
    struct im_planning p = {.context = context, .account = account, .pool = pool};
    struct im_plan_diff *diffs = im_pool_array(pool, plan->diff_count + profile->attr_count, sizeof *diffs);
    size_t count = plan->diff_count;
    if (!diffs)
        return im_error_nomem(e);
    if (count)
        memcpy(diffs, plan->diffs, count * sizeof *diffs);
    for (size_t i = 0; i < profile->attr_count; i++) {
        const struct im_profile_attr *attr = &profile->attrs[i];
        const struct im_attr *has = account->attrs[i];
        /* Opaque values are the person's own, who may change them at any time. */
        if (!has || attr->role == IM_ROLE_OPAQUE || is_changed(plan, attr->name))
            continue;
        const struct berval *kept = im_planning_shown(&p, attr, has);
        if (!kept)
            return im_error_nomem(e);
        diffs[count++] = (struct im_plan_diff){
            .attribute = attr->name, .before = kept, .before_count = has->count, .after = kept, .after_count = has->count};
    }
    *out = (struct im_record){
        .dn = account->dn, .account = account->name, .guid = account->guid, .diffs = diffs, .diff_count = count};
    if (!out->guid)
        out->guid = im_entry_string(account->entry, "entryUUID");
    return IM_OK;
}

/* ---- back to a plan ---- */

static struct im_values side(const struct im_plan_diff *diff, bool after) {
    return after ? (struct im_values){diff->after, diff->after_count} : (struct im_values){diff->before, diff->before_count};
}

static bool has_dn(const struct im_values *list, const struct berval *dn, bool *failed) {
    for (size_t i = 0; i < list->count; i++) {
        if (im_value_equal(&list->items[i], dn) || im_home_equal(list->items[i].bv_val, dn->bv_val, failed))
            return true;
    }
    return false;
}

/* The same values in whatever order, DNs in whatever spelling. */
static bool is_same(const struct im_values *a, const struct im_values *b, bool is_dn, bool *failed) {
    bool same = im_values_equal(a->items, a->count, b->items, b->count);
    if (same || !is_dn || a->count != b->count)
        return same;
    for (size_t i = 0; i < a->count; i++) {
        if (!has_dn(b, &a->items[i], failed))
            return false;
    }
    return true;
}

static const struct im_profile_attr *profile_attr(const struct im_profile *profile, const char *name) {
    for (size_t i = 0; i < profile->attr_count; i++) {
        if (im_text_equal(profile->attrs[i].name, name))
            return &profile->attrs[i];
    }
    return NULL;
}

struct recorded {
    struct im_planning p;
    bool undo;
    bool fits, is_there; /* so far */
    const char *differs;
};

/* Is our class as the record says on this side? Of the entry's other classes nothing is known. */
static bool class_is(const struct recorded *r, const struct im_plan_diff *diff, bool after) {
    struct im_values values = side(diff, after);
    bool is_listed = im_entry_has_value(r->p.account->entry, OBJECT_CLASS, r->p.context->profile->aux_class);
    return is_listed == (values.count > 0);
}

static bool attr_is(struct recorded *r, const struct im_profile_attr *attr, const struct im_plan_diff *diff, bool after) {
    const struct im_attr *has = im_entry_attr(r->p.account->entry, attr->name);
    struct im_values present = {has ? im_planning_shown(&r->p, attr, has) : NULL, has ? has->count : 0};
    struct im_values values = side(diff, after);
    r->p.failed = r->p.failed || (has && !present.items);
    return !r->p.failed && is_same(&present, &values, attr->role == IM_ROLE_HOME, &r->p.failed);
}

static bool is_class(const struct recorded *r, const struct im_plan_diff *diff) {
    return r->p.context->profile->aux_class && im_text_equal(diff->attribute, OBJECT_CLASS);
}

bool im_record_is_ours(const struct im_profile *profile, const char *attribute, const struct berval *value) {
    const char *class = profile->aux_class;
    if (!class || !im_text_equal(attribute, OBJECT_CLASS))
        return profile_attr(profile, attribute) != NULL;
    return !value || im_text_equal_n(value->bv_val, value->bv_len, class, strlen(class));
}

static bool is_our_class(const struct recorded *r, const struct im_plan_diff *diff) {
    bool is = is_class(r, diff);
    for (size_t i = 0; i < diff->before_count; i++)
        is = is && im_record_is_ours(r->p.context->profile, diff->attribute, &diff->before[i]);
    for (size_t i = 0; i < diff->after_count; i++)
        is = is && im_record_is_ours(r->p.context->profile, diff->attribute, &diff->after[i]);
    return is;
}

static enum im_err compare(struct recorded *r, const struct im_plan_diff *diff) {
    const struct im_profile_attr *attr = profile_attr(r->p.context->profile, diff->attribute);
    if (!attr && !is_our_class(r, diff)) {
        return im_error_set_at(r->p.e, IM_E_INPUT, r->p.account->dn, 0, 0, "%s is no attribute or class of the profile \"%s\"",
                               diff->attribute, r->p.context->profile->name);
    }
    bool fits = attr ? attr_is(r, attr, diff, r->undo) : class_is(r, diff, r->undo);
    bool is_there = attr ? attr_is(r, attr, diff, !r->undo) : class_is(r, diff, !r->undo);
    r->fits = r->fits && fits;
    r->is_there = r->is_there && is_there;
    if (!fits && (!is_there || !r->differs))
        r->differs = diff->attribute;
    return IM_OK;
}

static enum im_err plan_class(struct recorded *r, const struct im_plan_diff *diff, bool *is_added) {
    struct im_values from = side(diff, r->undo);
    struct im_values to = side(diff, !r->undo);
    struct im_plan_diff shown = {diff->attribute, from.items, to.items, from.count, to.count};
    *is_added = to.count > 0;
    im_planning_op(&r->p, *is_added ? IM_OP_ADD : IM_OP_DELETE, OBJECT_CLASS, *is_added ? to.items : from.items, 1);
    r->p.diffs[r->p.diff_count++] = shown;
    return IM_OK;
}

static enum im_err plan_attr(struct recorded *r, const struct im_plan_diff *diff) {
    const struct im_profile_attr *attr = profile_attr(r->p.context->profile, diff->attribute);
    const struct im_attr *has = im_entry_attr(r->p.account->entry, attr->name);
    struct im_values from = side(diff, r->undo);
    struct im_values to = side(diff, !r->undo);
    if (!is_same(&from, &to, attr->role == IM_ROLE_HOME, &r->p.failed))
        return im_planning_swap(&r->p, attr, has, to);
    return has ? im_planning_hold(&r->p, attr, has) : IM_OK;
}

/* A class that comes goes in front of the values, one that goes behind them. */
static enum im_err make_plan(struct recorded *r, const struct im_record *record, struct im_plan *out) {
    const struct im_plan_diff *class = NULL;
    bool is_added = false;
    enum im_err err = im_planning_begin(&r->p, r->p.e);
    for (size_t i = 0; i < record->diff_count; i++) {
        const struct im_plan_diff *diff = &record->diffs[i];
        if (is_class(r, diff) && (diff->before_count == 0) != (diff->after_count == 0))
            class = diff;
    }
    if (err == IM_OK && class && side(class, !r->undo).count)
        err = plan_class(r, class, &is_added);
    for (size_t i = 0; err == IM_OK && i < record->diff_count; i++) {
        if (!is_class(r, &record->diffs[i]))
            err = plan_attr(r, &record->diffs[i]);
    }
    if (err == IM_OK && class && !is_added)
        err = plan_class(r, class, &is_added);
    return err == IM_OK ? im_planning_finish(&r->p, is_added && r->p.context->is_ad, out) : err;
}

enum im_err im_plan_record(const struct im_account_context *context, const struct im_account *account,
                           const struct im_record *record, bool undo, bool has_assertion, struct im_pool *pool,
                           struct im_plan *out, enum im_record_fit *fit, const char **attribute, struct im_error *e) {
    struct recorded r = {.p = {.context = context, .account = account, .has_assertion = has_assertion, .pool = pool, .e = e},
                         .undo = undo,
                         .fits = true,
                         .is_there = true};
    enum im_err err = record->diff_count <= context->profile->attr_count + 1
                          ? IM_OK
                          : im_error_set_at(e, IM_E_INPUT, account->dn, 0, 0, "more attributes than the profile has");
    for (size_t i = 0; err == IM_OK && i < record->diff_count; i++) {
        for (size_t n = 0; err == IM_OK && n < i; n++) {
            if (im_text_equal(record->diffs[n].attribute, record->diffs[i].attribute))
                err = im_error_set_at(e, IM_E_INPUT, account->dn, 0, 0, "%s is told of twice", record->diffs[i].attribute);
        }
        if (err == IM_OK)
            err = compare(&r, &record->diffs[i]);
    }
    if (err == IM_OK && r.p.failed)
        err = im_error_nomem(e);
    *out = (struct im_plan){0};
    *fit = r.is_there ? IM_RECORD_IS_THERE : r.fits ? IM_RECORD_FITS : IM_RECORD_DIFFERS;
    *attribute = r.differs;
    if (err == IM_OK && *fit == IM_RECORD_FITS)
        err = make_plan(&r, record, out);
    im_planning_end(&r.p);
    return err;
}

const char *im_record_target(const struct im_profile *profile, const struct im_record *record, bool undo, enum im_role role) {
    const struct im_profile_attr *attr = im_profile_role(profile, role);
    for (size_t i = 0; attr && i < record->diff_count; i++) {
        struct im_values to = side(&record->diffs[i], !undo);
        if (im_text_equal(record->diffs[i].attribute, attr->name))
            return to.count ? to.items[0].bv_val : NULL;
    }
    return NULL;
}
