#include "lib/model/plan.h"

#include "lib/base/text.h"
#include "lib/model/plan_swap.h"

#include <string.h>

/* A home that is addressed directly may have one URL for both. */
static bool is_direct_home(const struct im_planning *p, const char *physical) {
    const struct im_want *w = p->want;
    return w->home_host && w->im_domain && im_text_equal(w->home_host, w->im_domain) &&
           im_role_equal(IM_ROLE_PHYSICAL_URL, physical, w->logical_url);
}

static bool is_as_wanted(struct im_planning *p, const struct im_profile_attr *attr, const struct im_attr *has,
                         const char *wanted) {
    if (!has || has->count != 1)
        return false;
    const char *home = p->account->home;
    if (attr->role == IM_ROLE_HOME)
        return (home && strcmp(home, wanted) == 0) || im_home_equal(home, wanted, &p->failed);
    const struct berval *value = &has->values[0];
    size_t len = strlen(wanted);
    if (value->bv_len == len && memcmp(value->bv_val, wanted, len) == 0) /* mostly, when nothing is to be done */
        return true;
    if (strlen(value->bv_val) != value->bv_len)
        return false;
    return im_role_equal(attr->role, value->bv_val, wanted) ||
           (attr->role == IM_ROLE_PHYSICAL_URL && is_direct_home(p, value->bv_val));
}

static enum im_err plan_attr(struct im_planning *p, size_t index) {
    const struct im_profile_attr *attr = &p->context->profile->attrs[index];
    const struct im_attr *has = p->account->attrs[index];
    if (attr->role == IM_ROLE_OPAQUE)
        return !has || p->want->enabled || p->keep_opaque ? IM_OK : im_planning_swap(p, attr, has, (struct im_values){0});
    if (!p->want->enabled)
        return has ? im_planning_swap(p, attr, has, (struct im_values){0}) : IM_OK;
    const char *wanted = p->want->values[index];
    if (!wanted || is_as_wanted(p, attr, has, wanted))
        return IM_OK;
    const struct berval *after = im_planning_value(p, wanted);
    return after ? im_planning_swap(p, attr, has, (struct im_values){after, 1}) : im_error_nomem(p->e);
}

/* What the wanted part is made from. */
static bool is_basis(const struct im_planning *p, const struct im_profile_attr *attr) {
    return p->want->is_partial && attr->role == IM_ROLE_ADDRESS;
}

/* Holds every attribute that is as wanted, where another one changes. */
static enum im_err hold_kept(struct im_planning *p) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < p->context->profile->attr_count; i++) {
        const struct im_profile_attr *attr = &p->context->profile->attrs[i];
        const struct im_attr *has = p->account->attrs[i];
        const char *wanted = p->want->values[i];
        bool is_kept = wanted ? is_as_wanted(p, attr, has, wanted) : has && is_basis(p, attr);
        if (attr->role != IM_ROLE_OPAQUE && is_kept)
            err = im_planning_hold(p, attr, has);
    }
    return err;
}

/* ---- the auxiliary class ---- */

static bool needs_class(const struct im_planning *p, const struct im_attr *classes, const char *without) {
    for (size_t i = 0; i < p->context->profile->attr_count; i++) {
        if (!im_schema_allows(p->context->schema, classes, p->context->profile->attrs[i].name, without))
            return true;
    }
    return false;
}

/* Would the entry be allowed every attribute with the class added? */
static bool class_helps(struct im_planning *p, const struct im_attr *classes, const char *class) {
    size_t count = classes ? classes->count : 0;
    const struct berval *added = im_planning_value(p, class);
    struct berval *values = im_pool_array(p->pool, count + 1, sizeof *values);
    p->failed = p->failed || !added || !values;
    if (p->failed)
        return false;
    if (count)
        memcpy(values, classes->values, count * sizeof *values);
    values[count] = *added;
    const struct im_attr together = {.name = "objectClass", .values = values, .count = count + 1};
    return !needs_class(p, &together, NULL);
}

static enum im_err no_class_helps(const struct im_planning *p) {
    if (p->failed)
        return im_error_nomem(p->e);
    return im_error_set_at(p->e, IM_E_SCHEMA, p->account->dn, 0, 0,
                           "neither the entry's classes nor an auxiliary class of this schema allow the attributes of the "
                           "profile \"%s\": extend the schema with imschema --extend",
                           p->context->profile->name);
}

/* Values of this class's attributes that stay when the account is disabled. */
static bool keeps_values(const struct im_planning *p) {
    return p->want->enabled || (p->keep_opaque && p->account->has_opaque);
}

/* Is there an attribute that the entry has not, and may not have? What it has is allowed: only the rest must be looked up. */
static bool lacks_class(const struct im_planning *p, const struct im_attr *classes) {
    for (size_t i = 0; i < p->context->profile->attr_count; i++) {
        if (!p->account->attrs[i] && !im_schema_allows(p->context->schema, classes, p->context->profile->attrs[i].name, NULL))
            return true;
    }
    return false;
}

/* Removed where it was needed for the values only; where the schema allows them anyway it is somebody else's. */
static bool loses_class(const struct im_planning *p, const struct im_attr *classes, const char *class) {
    return class && !keeps_values(p) && im_entry_has_value(p->account->entry, classes->name, class) &&
           needs_class(p, classes, class);
}

/* Adds the operation on objectClass. *is_added: the class comes with the values. */
static enum im_err plan_class(struct im_planning *p, bool *is_added) {
    static const char attribute[] = "objectClass";
    const char *class = p->context->profile->aux_class;
    const struct im_attr *classes = im_entry_attr(p->account->entry, attribute);
    if (!p->context->schema)
        return IM_OK;
    bool adds = p->want->enabled && lacks_class(p, classes);
    if (adds && (!class || !class_helps(p, classes, class)))
        return no_class_helps(p);
    bool removes = classes && loses_class(p, classes, class);
    if (!adds && !removes)
        return IM_OK;
    const struct berval *value = im_planning_value(p, class);
    if (!value)
        return im_error_nomem(p->e);
    im_planning_op(p, adds ? IM_OP_ADD : IM_OP_DELETE, attribute, value, 1);
    p->diffs[p->diff_count++] = (struct im_plan_diff){.attribute = attribute,
                                                      .before = removes ? value : NULL,
                                                      .before_count = removes,
                                                      .after = adds ? value : NULL,
                                                      .after_count = adds};
    *is_added = adds;
    return IM_OK;
}

enum im_err im_plan_make(const struct im_account_context *context, const struct im_account *account, const struct im_want *want,
                         bool keep_opaque, bool has_assertion, struct im_pool *pool, struct im_plan *out, struct im_error *e) {
    struct im_planning p = {.context = context,
                            .account = account,
                            .want = want,
                            .keep_opaque = keep_opaque,
                            .has_assertion = has_assertion,
                            .pool = pool};
    bool adds_class = false;
    if (want->enabled && want->cannot_build)
        return im_error_set_at(e, IM_E_INPUT, account->dn, 0, 0, "%s", want->cannot_build); /* never a part of the values */
    enum im_err err = im_planning_begin(&p, e);
    if (err == IM_OK && want->enabled && !want->is_partial)
        err = plan_class(&p, &adds_class);
    for (size_t i = 0; err == IM_OK && i < context->profile->attr_count; i++)
        err = plan_attr(&p, i);
    if (err == IM_OK && want->enabled && p.op_count > adds_class)
        err = hold_kept(&p);
    if (err == IM_OK && !want->enabled)
        err = plan_class(&p, &adds_class);
    if (err == IM_OK)
        err = im_planning_finish(&p, adds_class && context->is_ad, out);
    im_planning_end(&p);
    return err;
}
