/* Names that are looked up often, without letter case: each with the place of what has it. Made once, then only read. */
#ifndef IMDIR_BASE_NAMES_H
#define IMDIR_BASE_NAMES_H

#include "lib/base/pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct im_name {
    const char *text; /* borrowed; NULL: a free slot */
    uint32_t place, hash;
};

/* Open addressing: at most two thirds of the slots are taken. */
struct im_names {
    struct im_name *slots; /* in a pool; NULL: not made */
    size_t slot_count;     /* a power of two */
};

bool im_names_make(struct im_names *names, size_t count, struct im_pool *pool); /* room for so many; false: out of memory */
/* The first of several that are alike stays. Returns the one that is there now. */
const struct im_name *im_names_add(struct im_names *names, const char *text, uint32_t place);
const struct im_name *im_names_find(const struct im_names *names, const char *text); /* NULL: not there */

#endif
