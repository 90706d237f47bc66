#include "lib/data/entry.h"

#include "lib/base/text.h"

#include <string.h>

/* Do they begin with the same ASCII letter, apart from its case? Of the some forty names that are looked for in each entry most
 * differ there already: it was measured to halve the cost of decoding an account. */
static bool begin_alike(const char *a, const char *b) {
    return ((*a ^ *b) & ~('a' ^ 'A')) == 0;
}

const struct im_attr *im_entry_attr(const struct im_entry *entry, const char *name) {
    for (size_t i = 0; i < entry->count; i++) {
        if (begin_alike(entry->attrs[i].name, name) && im_text_equal(entry->attrs[i].name, name))
            return entry->attrs[i].count ? &entry->attrs[i] : NULL;
    }
    return NULL;
}

const struct berval *im_entry_value(const struct im_entry *entry, const char *name) {
    const struct im_attr *attr = im_entry_attr(entry, name);
    return attr ? &attr->values[0] : NULL;
}

const char *im_entry_string(const struct im_entry *entry, const char *name) {
    const struct berval *value = im_entry_value(entry, name);
    return value ? value->bv_val : NULL;
}

bool im_entry_has_value(const struct im_entry *entry, const char *name, const char *value) {
    const struct im_attr *attr = im_entry_attr(entry, name);
    for (size_t i = 0; attr && i < attr->count; i++) {
        if (im_text_equal_n(attr->values[i].bv_val, attr->values[i].bv_len, value, strlen(value)))
            return true;
    }
    return false;
}

/* ---- copies ---- */

/* A copy is two pieces of a pool: the values of all attributes, and all texts. */
struct copying {
    struct berval *values;
    char *texts;
};

static void measure(const struct im_entry *entry, size_t *values, size_t *bytes) {
    *values = 0;
    *bytes = entry->dn ? strlen(entry->dn) + 1 : 0;
    for (size_t i = 0; i < entry->count; i++) {
        const struct im_attr *attr = &entry->attrs[i];
        *values += attr->count;
        *bytes += strlen(attr->name) + 1;
        for (size_t n = 0; n < attr->count; n++)
            *bytes += attr->values[n].bv_len + 1;
    }
}

static char *copy_text(struct copying *c, const char *text, size_t len) {
    char *copy = c->texts;
    if (len)
        memcpy(copy, text, len);
    copy[len] = '\0';
    c->texts += len + 1;
    return copy;
}

static void copy_attr(struct copying *c, const struct im_attr *from, struct im_attr *to) {
    *to = (struct im_attr){.name = copy_text(c, from->name, strlen(from->name)), .values = c->values, .count = from->count};
    for (size_t i = 0; i < from->count; i++) {
        const struct berval *value = &from->values[i];
        *c->values++ = (struct berval){.bv_len = value->bv_len, .bv_val = copy_text(c, value->bv_val, value->bv_len)};
    }
}

struct im_entry *im_entry_copy(const struct im_entry *entry, struct im_pool *pool) {
    size_t values, bytes;
    measure(entry, &values, &bytes);
    struct im_entry *copy = im_pool_alloc(pool, sizeof *copy);
    struct im_attr *attrs = im_pool_array(pool, entry->count, sizeof *attrs);
    struct copying c = {.values = im_pool_array(pool, values, sizeof *c.values), .texts = im_pool_alloc(pool, bytes)};
    if (!copy || !attrs || !c.values || !c.texts)
        return NULL;
    *copy = (struct im_entry){.attrs = attrs, .count = entry->count, .line = entry->line};
    copy->dn = entry->dn ? copy_text(&c, entry->dn, strlen(entry->dn)) : NULL;
    for (size_t i = 0; i < entry->count; i++)
        copy_attr(&c, &entry->attrs[i], &attrs[i]);
    return copy;
}

bool im_value_equal(const struct berval *a, const struct berval *b) {
    return a->bv_len == b->bv_len && (a->bv_len == 0 || memcmp(a->bv_val, b->bv_val, a->bv_len) == 0);
}

static bool is_listed(const struct berval *list, size_t count, const struct berval *value) {
    for (size_t i = 0; i < count; i++) {
        if (im_value_equal(&list[i], value))
            return true;
    }
    return false;
}

bool im_values_equal(const struct berval *a, size_t a_count, const struct berval *b, size_t b_count) {
    bool is_same = a_count == b_count;
    for (size_t i = 0; is_same && i < a_count; i++)
        is_same = is_listed(b, b_count, &a[i]);
    return is_same;
}
