/* A growing array: struct { T *items; size_t count, cap; }, made to hold one more item by im_vec_push. */
#ifndef IMDIR_BASE_VEC_H
#define IMDIR_BASE_VEC_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for one more item and returns its address, zeroed, or NULL when out of memory (nothing changed then). */
void *im_vec_grow(void *items_address, size_t *count, size_t *cap, size_t item_size);

/* The same where there is mostly room for it. */
static inline void *im_vec_next(void *items_address, size_t *count, size_t *cap, size_t item_size) {
    unsigned char *items;
    if (*count == *cap)
        return im_vec_grow(items_address, count, cap, item_size);
    memcpy(&items, items_address, sizeof items); /* the address of a T *, whatever T is */
    return memset(items + (*count)++ * item_size, 0, item_size);
}

#define im_vec_push(v) im_vec_next(&(v)->items, &(v)->count, &(v)->cap, sizeof *(v)->items)
#define im_vec_free(v) (free((v)->items), (v)->items = NULL, (v)->count = (v)->cap = 0)

#endif
