#include "lib/data/entry.h"

#include "lib/base/text.h"

#include <string.h>

const struct im_attr *im_entry_attr(const struct im_entry *entry, const char *name) {
    for (size_t i = 0; i < entry->count; i++) {
        if (im_text_equal(entry->attrs[i].name, name))
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

static bool copy_attr(const struct im_attr *from, struct im_attr *to, struct im_pool *pool) {
    to->name = im_pool_strdup(pool, from->name);
    to->values = im_pool_array(pool, from->count, sizeof *to->values);
    to->count = from->count;
    if (!to->name || !to->values)
        return false;
    for (size_t i = 0; i < from->count; i++) {
        if (im_pool_value(pool, &from->values[i], &to->values[i]) != 0)
            return false;
    }
    return true;
}

struct im_entry *im_entry_copy(const struct im_entry *entry, struct im_pool *pool) {
    struct im_entry *copy = im_pool_alloc(pool, sizeof *copy);
    if (!copy)
        return NULL;
    copy->dn = im_pool_strdup(pool, entry->dn);
    copy->attrs = im_pool_array(pool, entry->count, sizeof *copy->attrs);
    copy->count = entry->count;
    copy->line = entry->line;
    if ((entry->dn && !copy->dn) || !copy->attrs)
        return NULL;
    for (size_t i = 0; i < entry->count; i++) {
        if (!copy_attr(&entry->attrs[i], &copy->attrs[i], pool))
            return NULL;
    }
    return copy;
}

bool im_value_equal(const struct berval *a, const struct berval *b) {
    return a->bv_len == b->bv_len && (a->bv_len == 0 || memcmp(a->bv_val, b->bv_val, a->bv_len) == 0);
}
