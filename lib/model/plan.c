#include "lib/model/plan.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/data/guid.h"

#include <string.h>

#define DELETED_MARK "\nDEL:"

struct planning {
    const struct im_account_context *context;
    const struct im_account *account;
    const struct im_want *want;
    bool keep_opaque, has_assertion;
    struct im_pool *pool;
    struct im_op *ops; /* room for all: two an attribute, and the class */
    size_t op_count;
    struct im_plan_diff *diffs;
    size_t diff_count;
    bool failed;             /* no memory to compare */
    struct im_buf assertion; /* terms of a filter that must still hold */
    struct im_error *e;
};

static void add_op(struct planning *p, enum im_op_kind kind, const char *attribute, const struct berval *values, size_t count) {
    p->ops[p->op_count++] = (struct im_op){.kind = kind, .attribute = attribute, .values = values, .count = count};
}

static struct berval *one_value(struct planning *p, const char *text) {
    struct berval *value = im_pool_alloc(p->pool, sizeof *value);
    struct berval view = {.bv_len = strlen(text)};
    memcpy(&view.bv_val, &text, sizeof text);
    return value && im_pool_value(p->pool, &view, value) == 0 ? value : NULL;
}

/* A deleted object's name ends in its GUID (MS-ADTS 3.1.1.5.5): good where the server did not give the extended form. */
static void guid_of_deleted(const struct im_buf *dn, struct im_buf *guid) {
    struct im_buf name = IM_BUF_INIT;
    unsigned char octets[IM_GUID_BYTES_SIZE];
    const char *mark = NULL;
    if (dn->len && im_dn_first_value(dn->data, &name))
        mark = strstr(im_buf_str(&name), DELETED_MARK);
    if (mark && im_guid_from_text(mark + strlen(DELETED_MARK), octets))
        im_buf_addf(guid, "<GUID=%s>", mark + strlen(DELETED_MARK));
    guid->failed = guid->failed || name.failed;
    im_buf_free(&name);
}

/* DN values as people read them, or as the server matches them: on Active Directory the name of a target that was renamed or
 * deleted does not match, its GUID always does. */
static const struct berval *dn_values(struct planning *p, const struct im_attr *has, bool to_match) {
    struct berval *values = im_pool_array(p->pool, has->count, sizeof *values);
    for (size_t i = 0; values && i < has->count; i++) {
        struct im_buf guid = IM_BUF_INIT;
        struct im_buf dn = IM_BUF_INIT;
        im_dn_split_extended(has->values[i].bv_val, has->values[i].bv_len, &guid, &dn);
        if (to_match && p->context->is_ad && !guid.len)
            guid_of_deleted(&dn, &guid);
        struct berval view = to_match && guid.len ? im_buf_value(&guid) : im_buf_value(&dn);
        if (guid.failed || dn.failed || im_pool_value(p->pool, &view, &values[i]) != 0)
            values = NULL;
        im_buf_free(&guid);
        im_buf_free(&dn);
    }
    return values;
}

static const struct berval *shown_values(struct planning *p, const struct im_profile_attr *attr, const struct im_attr *has) {
    return attr->role == IM_ROLE_HOME ? dn_values(p, has, false) : has->values;
}

static const struct berval *matched_values(struct planning *p, const struct im_profile_attr *attr, const struct im_attr *has) {
    return attr->role == IM_ROLE_HOME ? dn_values(p, has, true) : has->values;
}

static enum im_err add_diff(struct planning *p, const struct im_profile_attr *attr, const struct im_attr *has,
                            const struct berval *after) {
    struct im_plan_diff diff = {.attribute = attr->name, .after = after, .after_count = after ? 1 : 0};
    if (has) {
        diff.before = shown_values(p, attr, has);
        diff.before_count = has->count;
        if (!diff.before)
            return im_error_nomem(p->e);
    }
    p->diffs[p->diff_count++] = diff;
    return IM_OK;
}

/* ---- compare and swap where the attribute has no equality rule ---- */

/* The definition of an attribute whose values this server cannot match by itself, or NULL. */
static const struct im_schema_attr *without_equality(const struct planning *p, const struct im_profile_attr *attr) {
    const struct im_schema *schema = p->context->schema;
    const struct im_schema_attr *found = schema && !p->context->is_ad ? im_schema_attr(schema, attr->name) : NULL;
    return found && !found->equality ? found : NULL;
}

static void add_filter_value(struct im_buf *out, const struct berval *value) {
    for (size_t i = 0; i < value->bv_len; i++) {
        unsigned char c = (unsigned char)value->bv_val[i];
        if (c < 0x20 || c > 0x7e || strchr("*()\\", c)) {
            im_buf_addf(out, "\\%02x", (unsigned)c);
        } else {
            im_buf_addc(out, (char)c);
        }
    }
}

static enum im_err unsafe(const struct planning *p, const char *attribute, const char *reason) {
    return im_error_set_at(p->e, IM_E_SCHEMA, p->account->dn, 0, 0,
                           "%s has no equality rule in this schema and %s, so that it cannot be changed without the risk of "
                           "overwriting somebody else's change: give it an equality rule in the schema",
                           attribute, reason);
}

static void assert_values(struct planning *p, const struct im_schema_attr *definition, const struct im_attr *has) {
    for (size_t i = 0; i < has->count; i++) {
        im_buf_addf(&p->assertion, "(%s:%s:=", definition->name, im_schema_rule(definition));
        add_filter_value(&p->assertion, &has->values[i]);
        im_buf_addc(&p->assertion, ')');
    }
}

static enum im_err swap_by_assertion(struct planning *p, const struct im_schema_attr *definition, const struct im_attr *has,
                                     const struct berval *after) {
    const char *name = definition->name;
    if (!p->has_assertion)
        return unsafe(p, name, "the server offers no assertion control");
    if (has && !im_schema_rule(definition))
        return unsafe(p, name, "no matching rule is known for its syntax");
    if (!has)
        im_buf_addf(&p->assertion, "(!(%s=*))", name);
    if (has)
        assert_values(p, definition, has);
    add_op(p, IM_OP_REPLACE, name, after, after ? 1 : 0);
    return IM_OK;
}

/* From the values that were read to the one that is wanted (NULL: none), so that it fails where somebody was faster. */
static enum im_err swap(struct planning *p, const struct im_profile_attr *attr, const struct im_attr *has,
                        const struct berval *after) {
    const struct im_schema_attr *definition = without_equality(p, attr);
    /* Adding to a single-valued attribute compares by itself: it fails where there is a value. */
    if (definition && (has || !definition->single)) {
        enum im_err err = swap_by_assertion(p, definition, has, after);
        return err == IM_OK ? add_diff(p, attr, has, after) : err;
    }
    if (has) {
        const struct berval *old = matched_values(p, attr, has);
        if (!old)
            return im_error_nomem(p->e);
        add_op(p, IM_OP_DELETE, attr->name, old, has->count);
    }
    if (after)
        add_op(p, IM_OP_ADD, attr->name, after, 1);
    return add_diff(p, attr, has, after);
}

/* A home that is addressed directly may have one URL for both. */
static bool is_direct_home(const struct planning *p, const char *physical) {
    const struct im_want *w = p->want;
    return w->home_host && w->im_domain && im_text_equal(w->home_host, w->im_domain) &&
           im_role_equal(IM_ROLE_PHYSICAL_URL, physical, w->logical_url);
}

static bool is_as_wanted(struct planning *p, const struct im_profile_attr *attr, const struct im_attr *has, const char *wanted) {
    if (!has || has->count != 1)
        return false;
    if (attr->role == IM_ROLE_HOME)
        return im_home_equal(p->account->home, wanted, &p->failed);
    const struct berval *value = &has->values[0];
    if (strlen(value->bv_val) != value->bv_len)
        return false;
    return im_role_equal(attr->role, value->bv_val, wanted) ||
           (attr->role == IM_ROLE_PHYSICAL_URL && is_direct_home(p, value->bv_val));
}

static enum im_err plan_attr(struct planning *p, size_t index) {
    const struct im_profile_attr *attr = &p->context->profile->attrs[index];
    const struct im_attr *has = im_entry_attr(p->account->entry, attr->name);
    if (attr->role == IM_ROLE_OPAQUE)
        return !has || p->want->enabled || p->keep_opaque ? IM_OK : swap(p, attr, has, NULL);
    if (!p->want->enabled)
        return has ? swap(p, attr, has, NULL) : IM_OK;
    const char *wanted = p->want->values[index];
    if (!wanted || is_as_wanted(p, attr, has, wanted))
        return IM_OK;
    const struct berval *after = one_value(p, wanted);
    return after ? swap(p, attr, has, after) : im_error_nomem(p->e);
}

/* What is kept is part of what the rest was made from: the change must fail where somebody else changes it meanwhile. Taking a
 * value away and giving it back in the same modify changes nothing, and fails where it is not there. */
static enum im_err hold(struct planning *p, const struct im_profile_attr *attr, const struct im_attr *has) {
    const struct im_schema_attr *definition = without_equality(p, attr);
    if (definition) {
        if (p->has_assertion && im_schema_rule(definition))
            assert_values(p, definition, has);
        return IM_OK;
    }
    const struct berval *taken = matched_values(p, attr, has);
    const struct berval *given = shown_values(p, attr, has);
    if (!taken || !given)
        return im_error_nomem(p->e);
    add_op(p, IM_OP_DELETE, attr->name, taken, has->count);
    add_op(p, IM_OP_ADD, attr->name, given, has->count);
    return IM_OK;
}

/* Holds every attribute that is as wanted, where another one changes. */
static enum im_err hold_kept(struct planning *p) {
    enum im_err err = IM_OK;
    for (size_t i = 0; err == IM_OK && i < p->context->profile->attr_count; i++) {
        const struct im_profile_attr *attr = &p->context->profile->attrs[i];
        const struct im_attr *has = im_entry_attr(p->account->entry, attr->name);
        const char *wanted = p->want->values[i];
        if (attr->role != IM_ROLE_OPAQUE && wanted && is_as_wanted(p, attr, has, wanted))
            err = hold(p, attr, has);
    }
    return err;
}

/* ---- the auxiliary class ---- */

static bool needs_class(const struct planning *p, const struct im_attr *classes, const char *without) {
    for (size_t i = 0; i < p->context->profile->attr_count; i++) {
        if (!im_schema_allows(p->context->schema, classes, p->context->profile->attrs[i].name, without))
            return true;
    }
    return false;
}

/* Would the entry be allowed every attribute with the class added? */
static bool class_helps(struct planning *p, const struct im_attr *classes, const char *class) {
    size_t count = classes ? classes->count : 0;
    const struct berval *added = one_value(p, class);
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

static enum im_err no_class_helps(const struct planning *p) {
    if (p->failed)
        return im_error_nomem(p->e);
    return im_error_set_at(p->e, IM_E_SCHEMA, p->account->dn, 0, 0,
                           "neither the entry's classes nor an auxiliary class of this schema allow the attributes of the "
                           "profile \"%s\": extend the schema with imschema --extend",
                           p->context->profile->name);
}

/* Values of this class's attributes that stay when the account is disabled. */
static bool keeps_values(const struct planning *p) {
    return p->want->enabled || (p->keep_opaque && p->account->has_opaque);
}

/* Adds the operation on objectClass. *is_added: the class comes with the values. */
static enum im_err plan_class(struct planning *p, bool *is_added) {
    static const char attribute[] = "objectClass";
    const char *class = p->context->profile->aux_class;
    const struct im_attr *classes = im_entry_attr(p->account->entry, attribute);
    if (!p->context->schema)
        return IM_OK;
    bool is_listed = class && im_entry_has_value(p->account->entry, attribute, class);
    bool adds = p->want->enabled && needs_class(p, classes, NULL);
    if (adds && (!class || !class_helps(p, classes, class)))
        return no_class_helps(p);
    /* Removed where it was needed for the values only; where the schema allows them anyway it is somebody else's. */
    bool removes = !keeps_values(p) && is_listed && needs_class(p, classes, class);
    if (!adds && !removes)
        return IM_OK;
    const struct berval *value = one_value(p, class);
    if (!value)
        return im_error_nomem(p->e);
    add_op(p, adds ? IM_OP_ADD : IM_OP_DELETE, attribute, value, 1);
    p->diffs[p->diff_count++] = (struct im_plan_diff){.attribute = attribute,
                                                      .before = removes ? value : NULL,
                                                      .before_count = removes,
                                                      .after = adds ? value : NULL,
                                                      .after_count = adds};
    *is_added = adds;
    return IM_OK;
}

static enum im_err finish(struct planning *p, bool class_comes_first, struct im_plan *out) {
    struct im_plan plan = {.diffs = p->diffs, .diff_count = p->diff_count};
    const char *assertion = NULL;
    if (p->assertion.failed || p->failed)
        return im_error_nomem(p->e);
    if (p->assertion.len) {
        assertion = im_pool_printf(p->pool, "(&%s)", im_buf_str(&p->assertion));
        if (!assertion)
            return im_error_nomem(p->e);
    }
    size_t first = 0;
    if (class_comes_first && p->op_count > 1) {
        struct im_op *back = im_pool_alloc(p->pool, sizeof *back);
        if (!back)
            return im_error_nomem(p->e);
        *back = p->ops[0];
        back->kind = IM_OP_DELETE;
        plan.steps[plan.step_count++] = (struct im_change){.dn = p->account->ref, .ops = p->ops, .count = 1};
        plan.rollback = (struct im_change){.dn = p->account->ref, .ops = back, .count = 1};
        first = 1;
    }
    if (p->op_count > first) {
        plan.steps[plan.step_count++] = (struct im_change){
            .dn = p->account->ref, .ops = p->ops + first, .count = p->op_count - first, .assertion = assertion};
    }
    *out = plan;
    return IM_OK;
}

enum im_err im_plan_make(const struct im_account_context *context, const struct im_account *account, const struct im_want *want,
                         bool keep_opaque, bool has_assertion, struct im_pool *pool, struct im_plan *out, struct im_error *e) {
    size_t attrs = context->profile->attr_count;
    struct planning p = {.context = context,
                         .account = account,
                         .want = want,
                         .keep_opaque = keep_opaque,
                         .has_assertion = has_assertion,
                         .pool = pool,
                         .ops = im_pool_array(pool, 2 * attrs + 1, sizeof *p.ops),
                         .diffs = im_pool_array(pool, attrs + 1, sizeof *p.diffs),
                         .assertion = IM_BUF_INIT,
                         .e = e};
    bool adds_class = false;
    if (want->enabled && want->cannot_build)
        return im_error_set_at(e, IM_E_INPUT, account->dn, 0, 0, "%s", want->cannot_build); /* never a part of the values */
    enum im_err err = p.ops && p.diffs ? IM_OK : im_error_nomem(e);
    if (err == IM_OK && want->enabled)
        err = plan_class(&p, &adds_class);
    for (size_t i = 0; err == IM_OK && i < attrs; i++)
        err = plan_attr(&p, i);
    if (err == IM_OK && want->enabled && p.op_count > adds_class)
        err = hold_kept(&p);
    if (err == IM_OK && !want->enabled)
        err = plan_class(&p, &adds_class);
    if (err == IM_OK)
        err = finish(&p, adds_class && context->is_ad, out);
    im_buf_free(&p.assertion);
    return err;
}
