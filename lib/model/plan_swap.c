/* Compare and swap: how a value is replaced so that somebody else's change is never overwritten. */
#include "lib/model/plan_swap.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/data/dn.h"
#include "lib/data/guid.h"

#include <string.h>

#define DELETED_MARK "\nDEL:"

enum im_err im_planning_begin(struct im_planning *p, struct im_error *e) {
    size_t attrs = p->context->profile->attr_count;
    p->ops = im_pool_array(p->pool, 2 * attrs + 1, sizeof *p->ops);
    p->diffs = im_pool_array(p->pool, attrs + 1, sizeof *p->diffs);
    p->e = e;
    return p->ops && p->diffs ? IM_OK : im_error_nomem(e);
}

void im_planning_op(struct im_planning *p, enum im_op_kind kind, const char *attribute, const struct berval *values,
                    size_t count) {
    p->ops[p->op_count++] = (struct im_op){.kind = kind, .attribute = attribute, .values = values, .count = count};
}

struct berval *im_planning_value(struct im_planning *p, const char *text) {
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
static const struct berval *dn_values(struct im_planning *p, const struct im_attr *has, bool to_match) {
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

const struct berval *im_planning_shown(struct im_planning *p, const struct im_profile_attr *attr, const struct im_attr *has) {
    return attr->role == IM_ROLE_HOME ? dn_values(p, has, false) : has->values;
}

static const struct berval *matched_values(struct im_planning *p, const struct im_profile_attr *attr, const struct im_attr *has) {
    return attr->role == IM_ROLE_HOME ? dn_values(p, has, true) : has->values;
}

static enum im_err add_diff(struct im_planning *p, const struct im_profile_attr *attr, const struct im_attr *has,
                            struct im_values after) {
    struct im_plan_diff diff = {.attribute = attr->name, .after = after.items, .after_count = after.count};
    if (has) {
        diff.before = im_planning_shown(p, attr, has);
        diff.before_count = has->count;
        if (!diff.before)
            return im_error_nomem(p->e);
    }
    p->diffs[p->diff_count++] = diff;
    return IM_OK;
}

/* ---- compare and swap where the attribute has no equality rule ---- */

/* The definition of an attribute whose values this server cannot match by itself, or NULL. */
static const struct im_schema_attr *without_equality(const struct im_planning *p, const struct im_profile_attr *attr) {
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

static enum im_err unsafe(const struct im_planning *p, const char *attribute, const char *reason) {
    return im_error_set_at(p->e, IM_E_SCHEMA, p->account->dn, 0, 0,
                           "%s has no equality rule in this schema and %s, so that it cannot be changed without the risk of "
                           "overwriting somebody else's change: give it an equality rule in the schema",
                           attribute, reason);
}

static void assert_values(struct im_planning *p, const struct im_schema_attr *definition, const struct im_attr *has) {
    for (size_t i = 0; i < has->count; i++) {
        im_buf_addf(&p->assertion, "(%s:%s:=", definition->name, im_schema_rule(definition));
        add_filter_value(&p->assertion, &has->values[i]);
        im_buf_addc(&p->assertion, ')');
    }
}

static enum im_err swap_by_assertion(struct im_planning *p, const struct im_schema_attr *definition, const struct im_attr *has,
                                     struct im_values after) {
    const char *name = definition->name;
    if (!p->has_assertion)
        return unsafe(p, name, "the server offers no assertion control");
    if (has && !im_schema_rule(definition))
        return unsafe(p, name, "no matching rule is known for its syntax");
    if (!has)
        im_buf_addf(&p->assertion, "(!(%s=*))", name);
    if (has)
        assert_values(p, definition, has);
    im_planning_op(p, IM_OP_REPLACE, name, after.items, after.count);
    return IM_OK;
}

/* From the values that were read to the one that is wanted (NULL: none), so that it fails where somebody was faster. */
enum im_err im_planning_swap(struct im_planning *p, const struct im_profile_attr *attr, const struct im_attr *has,
                             struct im_values after) {
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
        im_planning_op(p, IM_OP_DELETE, attr->name, old, has->count);
    }
    if (after.count)
        im_planning_op(p, IM_OP_ADD, attr->name, after.items, after.count);
    return add_diff(p, attr, has, after);
}

/* What is kept is part of what the rest was made from: the change must fail where somebody else changes it meanwhile. Taking a
 * value away and giving it back in the same modify changes nothing, and fails where it is not there. */
enum im_err im_planning_hold(struct im_planning *p, const struct im_profile_attr *attr, const struct im_attr *has) {
    const struct im_schema_attr *definition = without_equality(p, attr);
    if (definition) {
        if (p->has_assertion && im_schema_rule(definition))
            assert_values(p, definition, has);
        return IM_OK;
    }
    const struct berval *taken = matched_values(p, attr, has);
    const struct berval *given = im_planning_shown(p, attr, has);
    if (!taken || !given)
        return im_error_nomem(p->e);
    im_planning_op(p, IM_OP_DELETE, attr->name, taken, has->count);
    im_planning_op(p, IM_OP_ADD, attr->name, given, has->count);
    return IM_OK;
}

enum im_err im_planning_finish(struct im_planning *p, bool class_comes_first, struct im_plan *out) {
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

void im_planning_end(struct im_planning *p) {
    im_buf_free(&p->assertion);
}
