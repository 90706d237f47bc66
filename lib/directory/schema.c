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
    return im_schema_index(out, r->pool, e);
}

void im_schema_reading_free(struct im_schema_reading *r) {
    im_vec_free(&r->attrs);
    im_vec_free(&r->classes);
    im_vec_free(&r->heirs);
}

enum im_err im_schema_ask(struct im_asks *asks, const struct im_profile *profile, struct im_schema_reading *r,
                          struct im_error *e) {
    if (im_directory_rootdse(asks->directory)->is_ad && !r->is_subschema)
        return im_schema_ask_ad(asks, profile, r, e);
    r->is_subschema = true;
    return im_schema_ask_rfc(asks, r, e);
}

enum im_err im_schema_end(const struct im_asks *asks, struct im_schema_reading *r, struct im_schema *out, struct im_error *e) {
    enum im_err err = r->is_subschema ? im_schema_end_rfc(asks, r, e) : im_schema_end_ad(asks, r, e);
    return err == IM_OK ? finish(r, !r->is_subschema, out, e) : err;
}

/* Nothing but the schema. */
static enum im_err read_alone(struct im_asks *asks, const struct im_profile *profile, struct im_schema_reading *r,
                              struct im_schema *out, struct im_error *e) {
    enum im_err err = im_schema_ask(asks, profile, r, e);
    if (err == IM_OK)
        err = im_asks_run(asks, e);
    if (err == IM_OK)
        err = im_schema_end(asks, r, out, e);
    im_schema_reading_free(r);
    im_asks_free(asks);
    if (err != IM_OK)
        im_error_context(e, "reading the schema");
    return err;
}

enum im_err im_schema_read(struct im_directory *d, const struct im_profile *profile, struct im_pool *pool, struct im_schema *out,
                           struct im_error *e) {
    struct im_asks asks = {.directory = d, .pool = pool};
    struct im_schema_reading r = {.pool = pool};
    return read_alone(&asks, profile, &r, out, e);
}

enum im_err im_schema_read_active(struct im_directory *d, struct im_pool *pool, struct im_schema *out, struct im_error *e) {
    struct im_asks asks = {.directory = d, .pool = pool};
    struct im_schema_reading r = {.pool = pool, .is_subschema = true};
    return read_alone(&asks, NULL, &r, out, e);
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
