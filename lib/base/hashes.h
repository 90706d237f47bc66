/* A set of hashes: eight bytes each, and some room. Two things with one hash are taken for one. */
#ifndef IMDIR_BASE_HASHES_H
#define IMDIR_BASE_HASHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct im_hashes;

struct im_hashes *im_hashes_new(void); /* NULL when out of memory */
void im_hashes_free(struct im_hashes **hashes);
/* False: out of memory. *is_new: it was not there. */
bool im_hashes_add(struct im_hashes *hashes, uint64_t hash, bool *is_new);
size_t im_hashes_count(const struct im_hashes *hashes);

#endif
