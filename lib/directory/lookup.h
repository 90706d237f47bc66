/* Searches that run side by side on one connection, and the filters they are made of. */
#ifndef IMDIR_DIRECTORY_LOOKUP_H
#define IMDIR_DIRECTORY_LOOKUP_H

#include "lib/directory/directory.h"
#include "lib/model/schema.h"

/* OR filters of 20 to 50 terms with 16 in flight were measured as the fastest way to find many people. */
enum { IM_LOOKUP_TERMS = 50, IM_LOOKUP_WINDOW = 16 };

struct im_lookup {
    struct im_search search;
    void *data;
    bool may_be_missing; /* a base that does not exist or cannot be a name is no error: nothing matched */
};

typedef enum im_err im_lookup_fn(void *user, const struct im_lookup *lookup, const struct im_entry *entry, struct im_error *e);

/* Hands over each entry of each search, in any order. Any error or truncated result ends all: "could not read" is never "does not
 * exist". A base that is not there is IM_E_INVISIBLE unless may_be_missing. Nothing is left in flight unless the connection is
 * lost. */
enum im_err im_lookup_all(struct im_directory *d, const struct im_lookup *lookups, size_t count, im_lookup_fn *fn, void *user,
                          struct im_error *e);

/* Appends "(attribute=value)", escaped. Where the directory is not an AD and its schema has no equality rule for the attribute,
 * the rule is named instead. schema may be NULL. */
void im_filter_term(struct im_buf *out, const struct im_schema *schema, const char *attribute, const struct berval *value,
                    bool is_octets);
void im_filter_text(struct im_buf *out, const struct im_schema *schema, const char *attribute, const char *value);

/* ASCII letters in lower case, for attributes that are matched exactly; in pool, NULL: out of memory. */
const char *im_filter_lower(const char *text, struct im_pool *pool);
/* The same text to people: letter case and composition ignored. */
enum im_err im_value_folds_to(const struct berval *a, const struct berval *b, bool *is_same, struct im_error *e);

#endif
