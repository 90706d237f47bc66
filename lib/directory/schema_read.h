/* The two ways in which directories show their schema. Internal to this room. */
#ifndef IMDIR_DIRECTORY_SCHEMA_READ_H
#define IMDIR_DIRECTORY_SCHEMA_READ_H

#include "lib/directory/schema.h"

/* Growing lists while a schema is read; the strings are in pool already. */
struct im_schema_reading {
    struct im_pool *pool;
    struct {
        struct im_schema_attr *items;
        size_t count, cap;
    } attrs;
    struct {
        struct im_schema_class *items;
        size_t count, cap;
    } classes;
};

enum im_err im_schema_read_ad(struct im_directory *d, const struct im_profile *profile, struct im_schema_reading *r,
                              struct im_error *e);
enum im_err im_schema_read_rfc(struct im_directory *d, struct im_schema_reading *r, struct im_error *e);

/* The schema that the server enforces at this moment, as its subschema shows it; on AD that may be older than the definitions. */
enum im_err im_schema_read_active(struct im_directory *d, struct im_pool *pool, struct im_schema *out, struct im_error *e);

/* The values of an attribute as a list of names in pool; *count 0 where absent. */
enum im_err im_schema_names(struct im_pool *pool, const struct im_entry *entry, const char *const *attributes,
                            size_t attribute_count, const char ***out, size_t *count, struct im_error *e);

#endif
