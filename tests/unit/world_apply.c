/* A server's side of a modify, for tests. */
#include "lib/base/text.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

enum { NO_SUCH_ATTRIBUTE = 16, CONSTRAINT_VIOLATION = 19, VALUE_EXISTS = 20, MAX_ATTRIBUTES = 64, MAX_VALUES = 16 };

static struct im_attr *find(struct im_entry *entry, const char *name) {
    for (size_t i = 0; i < entry->count; i++) {
        if (im_text_equal(entry->attrs[i].name, name))
            return &entry->attrs[i];
    }
    return NULL;
}

/* "<GUID=...>" names a value that was read as "<GUID=...>;...". */
static bool matches(const struct berval *stored, const struct berval *named) {
    if (im_value_equal(stored, named))
        return true;
    bool is_guid = named->bv_len > 6 && im_text_equal_n(named->bv_val, 6, "<GUID=", 6);
    return is_guid && stored->bv_len > named->bv_len && memcmp(stored->bv_val, named->bv_val, named->bv_len) == 0;
}

static int delete_value(struct im_attr *attr, const struct berval *value) {
    for (size_t i = 0; i < attr->count; i++) {
        if (!matches(&attr->values[i], value))
            continue;
        memmove(&attr->values[i], &attr->values[i + 1], (attr->count - i - 1) * sizeof *attr->values);
        attr->count--;
        return 0;
    }
    return NO_SUCH_ATTRIBUTE;
}

static int add_value(struct im_attr *attr, const struct berval *value) {
    for (size_t i = 0; i < attr->count; i++) {
        if (matches(&attr->values[i], value))
            return VALUE_EXISTS;
    }
    assert_in_range(attr->count, 0, MAX_VALUES - 1);
    attr->values[attr->count++] = *value;
    return 0;
}

static int apply_op(struct im_entry *entry, const struct im_op *op) {
    struct im_attr *attr = find(entry, op->attribute);
    assert_non_null(attr);
    int code = 0;
    if (op->kind != IM_OP_ADD && op->count == 0) {
        code = op->kind == IM_OP_DELETE && !attr->count ? NO_SUCH_ATTRIBUTE : 0;
        attr->count = 0;
    }
    if (op->kind == IM_OP_REPLACE)
        attr->count = 0;
    for (size_t i = 0; !code && i < op->count; i++)
        code = op->kind == IM_OP_DELETE ? delete_value(attr, &op->values[i]) : add_value(attr, &op->values[i]);
    return code;
}

/* A copy with room for what the change adds. */
static struct im_entry *roomy(struct world *w, const struct im_entry *entry, const struct im_change *change) {
    struct im_entry *copy = im_entry_copy(entry, w->pool);
    struct im_attr *attrs = im_pool_array(w->pool, entry->count + change->count, sizeof *attrs);
    assert_in_range(entry->count + change->count, 0, MAX_ATTRIBUTES);
    memcpy(attrs, copy->attrs, copy->count * sizeof *attrs);
    copy->attrs = attrs;
    for (size_t i = 0; i < change->count; i++) {
        if (!find(copy, change->ops[i].attribute))
            copy->attrs[copy->count++] = (struct im_attr){.name = change->ops[i].attribute};
    }
    for (size_t i = 0; i < copy->count; i++) {
        struct berval *values = im_pool_array(w->pool, MAX_VALUES, sizeof *values);
        assert_in_range(attrs[i].count, 0, MAX_VALUES);
        if (attrs[i].count)
            memcpy(values, attrs[i].values, attrs[i].count * sizeof *values);
        attrs[i].values = values;
    }
    return copy;
}

int world_apply(struct world *w, struct im_entry *entry, const struct im_change *change) {
    struct im_entry *copy = roomy(w, entry, change);
    for (size_t i = 0; i < change->count; i++) {
        int code = apply_op(copy, &change->ops[i]);
        if (code)
            return code;
    }
    for (size_t i = 0; i < change->count; i++) {
        const struct im_schema_attr *known = im_schema_attr(&w->schema, change->ops[i].attribute);
        if (known && known->single && find(copy, change->ops[i].attribute)->count > 1)
            return CONSTRAINT_VIOLATION;
    }
    size_t kept = 0;
    for (size_t i = 0; i < copy->count; i++) {
        if (copy->attrs[i].count)
            copy->attrs[kept++] = copy->attrs[i];
    }
    copy->count = kept;
    *entry = *copy;
    return 0;
}

static int by_text(const void *a, const void *b) {
    const char *const *x = a;
    const char *const *y = b;
    return strcmp(*x, *y);
}

const char *world_dump(struct world *w, const struct im_entry *entry) {
    const char *lines[MAX_ATTRIBUTES * 4] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < entry->count; i++) {
        for (size_t k = 0; k < entry->attrs[i].count; k++) {
            struct im_buf line = IM_BUF_INIT;
            assert_in_range(count, 0, LENGTH(lines) - 1);
            im_buf_addf(&line, "%s: ", entry->attrs[i].name);
            im_text_escape(entry->attrs[i].values[k].bv_val, entry->attrs[i].values[k].bv_len, &line);
            lines[count++] = im_pool_strdup(w->pool, im_buf_str(&line));
            im_buf_free(&line);
        }
    }
    qsort(lines, count, sizeof *lines, by_text);
    struct im_buf all = IM_BUF_INIT;
    for (size_t i = 0; i < count; i++)
        im_buf_addf(&all, "%s\n", lines[i]);
    const char *dump = im_pool_strdup(w->pool, im_buf_str(&all));
    im_buf_free(&all);
    return dump;
}
