/* One directory entry as it was read: plain data, independent of where it came from. */
#ifndef IMDIR_DATA_ENTRY_H
#define IMDIR_DATA_ENTRY_H

#include "lib/base/pool.h"

#include <lber.h>
#include <stdbool.h>
#include <stddef.h>

struct im_attr {
    const char *name;      /* as the server spelled it, without options (";range=0-1499" is resolved before) */
    struct berval *values; /* each is followed by a NUL that its length does not count */
    size_t count;
};

struct im_entry {
    const char *dn; /* as the server spelled it, extended forms (<GUID=...>;) removed */
    struct im_attr *attrs;
    size_t count;
    size_t line; /* where it began in an LDIF file; 0 = from a server */
};

/* Attribute names are compared without letter case (RFC 4512 section 2.5). */
const struct im_attr *im_entry_attr(const struct im_entry *entry, const char *name); /* NULL: absent or empty */
const struct berval *im_entry_value(const struct im_entry *entry, const char *name); /* first value or NULL */
const char *im_entry_string(const struct im_entry *entry,
                            const char *name); /* first value as a string, or NULL; a value with an inner NUL is cut there */
bool im_entry_has_value(const struct im_entry *entry, const char *name, const char *value); /* ASCII letter case ignored */

/* A deep copy in `pool`; NULL when out of memory. */
struct im_entry *im_entry_copy(const struct im_entry *entry, struct im_pool *pool);

/* The same values in whatever order; none is listed twice. */
bool im_values_equal(const struct berval *a, size_t a_count, const struct berval *b, size_t b_count);
bool im_value_equal(const struct berval *a, const struct berval *b); /* the same bytes */

#endif
