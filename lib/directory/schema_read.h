/* The two ways in which directories show their schema. Internal to this room. */
#ifndef IMDIR_DIRECTORY_SCHEMA_READ_H
#define IMDIR_DIRECTORY_SCHEMA_READ_H

#include "lib/directory/ask.h"
#include "lib/directory/schema.h"

/* An attribute whose superior gives it syntax and rule (RFC 4512 section 2.5.1). */
struct im_schema_heir {
    size_t attr;
    const char *sup;
};

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
    struct {
        struct im_schema_heir *items;
        size_t count, cap;
    } heirs;
    bool is_subschema; /* the server's own view was asked for */
    bool is_seen;      /* and came */
};

/* Searches for the schema: asked, and when they are done, ended. */
enum im_err im_schema_ask(struct im_asks *asks, const struct im_profile *profile, struct im_schema_reading *r,
                          struct im_error *e);
enum im_err im_schema_end(const struct im_asks *asks, struct im_schema_reading *r, struct im_schema *out, struct im_error *e);
void im_schema_reading_free(struct im_schema_reading *r);

/* The two ways to do so. */
enum im_err im_schema_ask_ad(struct im_asks *asks, const struct im_profile *profile, struct im_schema_reading *r,
                             struct im_error *e);
enum im_err im_schema_end_ad(const struct im_asks *asks, const struct im_schema_reading *r, struct im_error *e);
enum im_err im_schema_ask_rfc(struct im_asks *asks, struct im_schema_reading *r, struct im_error *e);
enum im_err im_schema_end_rfc(const struct im_asks *asks, struct im_schema_reading *r, struct im_error *e);

/* The schema that the server enforces at this moment, as its subschema shows it; on AD that may be older than the definitions. */
enum im_err im_schema_read_active(struct im_directory *d, struct im_pool *pool, struct im_schema *out, struct im_error *e);

/* The values of an attribute as a list of names in pool; *count 0 where absent. */
enum im_err im_schema_names(struct im_pool *pool, const struct im_entry *entry, const char *const *attributes,
                            size_t attribute_count, const char ***out, size_t *count, struct im_error *e);

#endif
