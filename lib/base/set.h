/* A set of byte strings: what was met before. Each gets a number, 0, 1, 2, ..., in the order in which they came. */
#ifndef IMDIR_BASE_SET_H
#define IMDIR_BASE_SET_H

#include "lib/base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct im_set;

struct im_set *im_set_new(void); /* NULL when out of memory */
void im_set_free(struct im_set **set);

/* Puts it in unless it is there. *number may be NULL; *is_new too. */
enum im_err im_set_add(struct im_set *set, const void *bytes, size_t len, size_t *number, bool *is_new, struct im_error *e);
/* Its number, where it is there. */
bool im_set_find(const struct im_set *set, const void *bytes, size_t len, size_t *number);
bool im_set_has(const struct im_set *set, const void *bytes, size_t len);
size_t im_set_count(const struct im_set *set);
const char *im_set_text(const struct im_set *set, size_t number); /* the bytes, followed by a NUL */

#endif
