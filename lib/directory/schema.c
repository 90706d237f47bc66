#include "lib/directory/schema_read.h"

#include "lib/base/text.h"
#include "lib/base/vec.h"

#include <stdlib.h>
#include <string.h>

static void *keep(struct im_pool *pool, const void *items, size_t count, size_t size) {
    void *kept = im_pool_array(pool, count, size);
    if (kept && count)
        memcpy(kept, items, count * size);
    return kept;
}

/* Moves the lists into the pool. */
static enum im_err finish(struct im_schema_reading *r, bool is_ad, struct im_schema *out, struct im_error *e) {
    struct im_schema schema = {.is_ad = is_ad, .attr_count = r->attrs.count, .class_count = r->classes.count};
    schema.attrs = keep(r->pool, r->attrs.items, r->attrs.count, sizeof *schema.attrs);
    schema.classes = keep(r->pool, r->classes.items, r->classes.count, sizeof *schema.classes);
    if (!schema.attrs || !schema.classes)
        return im_error_nomem(e);
    *out = schema;
    return im_schema_sort(out, r->pool, e);
}

enum im_err im_schema_read(struct im_directory *d, const struct im_profile *profile, struct im_pool *pool, struct im_schema *out,
                           struct im_error *e) {
    if (!im_directory_rootdse(d)->is_ad)
        return im_schema_read_active(d, pool, out, e);
    struct im_schema_reading r = {.pool = pool};
    enum im_err err = im_schema_read_ad(d, profile, &r, e);
    if (err == IM_OK)
        err = finish(&r, true, out, e);
    im_vec_free(&r.attrs);
    im_vec_free(&r.classes);
    if (err != IM_OK)
        im_error_context(e, "reading the schema");
    return err;
}

enum im_err im_schema_read_active(struct im_directory *d, struct im_pool *pool, struct im_schema *out, struct im_error *e) {
    struct im_schema_reading r = {.pool = pool};
    enum im_err err = im_schema_read_rfc(d, &r, e);
    if (err == IM_OK)
        err = finish(&r, false, out, e);
    im_vec_free(&r.attrs);
    im_vec_free(&r.classes);
    if (err != IM_OK)
        im_error_context(e, "reading the schema");
    return err;
}

enum im_err im_schema_names(struct im_pool *pool, const struct im_entry *entry, const char *const *attributes,
                            size_t attribute_count, const char ***out, size_t *count, struct im_error *e) {
    size_t total = 0;
    for (size_t i = 0; i < attribute_count; i++) {
        const struct im_attr *attr = im_entry_attr(entry, attributes[i]);
        total += attr ? attr->count : 0;
    }
    const char **names = im_pool_array(pool, total, sizeof *names);
    if (!names)
        return im_error_nomem(e);
    size_t filled = 0;
    for (size_t i = 0; i < attribute_count; i++) {
        const struct im_attr *attr = im_entry_attr(entry, attributes[i]);
        for (size_t v = 0; attr && v < attr->count; v++) {
            names[filled] = im_pool_strdup(pool, attr->values[v].bv_val);
            if (!names[filled++])
                return im_error_nomem(e);
        }
    }
    *out = names;
    *count = total;
    return IM_OK;
}
