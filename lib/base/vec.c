#include "lib/base/vec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *im_vec_grow(void *items_address, size_t *count, size_t *cap, size_t item_size) {
    void *items;
    memcpy(&items, items_address, sizeof items); /* the address of a T *, whatever T is */
    if (*count == *cap) {
        size_t bigger = *cap ? *cap * 2 : 8;
        if (bigger < *cap || bigger > SIZE_MAX / item_size)
            return NULL;
        void *moved = realloc(items, bigger * item_size);
        if (!moved)
            return NULL;
        items = moved;
        memcpy(items_address, &items, sizeof items);
        *cap = bigger;
    }
    unsigned char *item = (unsigned char *)items + *count * item_size;
    memset(item, 0, item_size);
    ++*count;
    return item;
}
