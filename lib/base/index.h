/* What is known of things by their hash: some bytes for each of millions. Two things with one hash are taken for one: hash with a
 * secret seed (lib/base/hash.h), and 64 bits make that as unlikely as broken memory. */
#ifndef IMDIR_BASE_INDEX_H
#define IMDIR_BASE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct im_index;

struct im_index_item {
    uint64_t hash; /* never 0 */
    uint32_t a, b; /* the caller's */
};

struct im_index *im_index_new(void); /* NULL when out of memory */
void im_index_free(struct im_index **index);
/* Items move when another is put in or taken out: pointers are valid until then. */
struct im_index_item *im_index_find(const struct im_index *index, uint64_t hash); /* NULL: not there */
/* Puts it in, zeroed, unless it is there; NULL when out of memory. */
struct im_index_item *im_index_put(struct im_index *index, uint64_t hash, bool *is_new);
void im_index_remove(struct im_index *index, uint64_t hash);
size_t im_index_count(const struct im_index *index);

#endif
